#!/bin/sh
# Bills every example deployment, each in a folder of its own below FOLDER, two at a time, and shows them one after the other.
#
#   sh examples/demo.sh [FOLDER]      FOLDER is made anew by the demos; by default ./demo
set -eu

examples=$(cd "$(dirname "$0")" && pwd)
. "$examples/demo_steps.sh"
folder=${1:-demo}
made_anew "$folder"
names=$(for script in "$examples"/*/demo.sh; do basename "$(dirname "$script")"; done)

one() {
  if sh "$examples/$1/demo.sh" "$folder/$1" >"$folder/$1.log" 2>&1; then echo 0 >"$folder/$1.exit"; else echo $? >"$folder/$1.exit"; fi
}
# Shows what a demo prints, while it prints it.
shown() {
  printf '\n\033[1m#### %s\033[0m\n' "$1"
  touch "$folder/$1.log"
  bytes=0
  over=""
  until [ -n "$over" ]; do
    if [ -s "$folder/$1.exit" ]; then over=yes; else sleep 0.3; fi
    tail -c +$((bytes + 1)) "$folder/$1.log" >"$folder/.new"
    cat "$folder/.new"
    bytes=$((bytes + $(wc -c <"$folder/.new")))
  done
  rm "$folder/.new"
  [ "$(cat "$folder/$1.exit")" = 0 ] || failed="$failed $1"
}

echo "Billing these deployments, two at a time:" $names
failed=""
# Two lanes: the odd ones and the even ones.
(lane=0; for name in $names; do lane=$((1 - lane)); [ $lane = 1 ] && one "$name"; done; true) &
(lane=0; for name in $names; do lane=$((1 - lane)); [ $lane = 0 ] && one "$name"; done; true) &
for name in $names; do shown "$name"; done
wait
if [ -n "$failed" ]; then
  echo "these demos failed:$failed" >&2
  exit 1
fi
printf '\nAll deployments are billed and their ledgers proven. They are in %s; .venv/bin/billing -c %s/utility/billing.toml invoice list\n' "$folder" "$folder"
