# What the demos share. A demo reads this file first and begins in the example's folder: `begin "$0" FOLDER`.

# Makes a folder anew, but never one that a demo has not made.
made_anew() {
  if [ -e "$1" ] && [ ! -f "$1/.made-by-demo" ]; then
    echo "$1 is there and was not made by this script; name another folder" >&2
    exit 2
  fi
  rm -rf "$1"
  mkdir -p "$1"
  touch "$1/.made-by-demo"
}

# Copies the deployment of the example, whose demo is $1, into the folder $2 and goes there; by default ./demo-EXAMPLE.
begin() {
  example=$(cd "$(dirname "$1")" && pwd)
  folder=${2:-demo-$(basename "$example")}
  made_anew "$folder"
  for part in billing.toml book.toml taxes.toml plans tables data; do
    [ ! -e "$example/$part" ] || cp -R "$example/$part" "$folder"
  done
  cp "$example"/*.csv "$folder"
  cd "$folder"
}

title() { printf '\n\033[1m== %s\033[0m\n' "$1"; }

# Shows a command as it would be typed, and runs it.
show() {
  printf '\n$ billing'
  for word in "$@"; do
    case $word in *[!A-Za-z0-9_./:=,~@-]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  printf '\n'
  billing "$@"
}

# The same for a command that ends with findings, which is exit code 1, where they are part of the story.
told() { show "$@" || [ $? -eq 1 ]; }
