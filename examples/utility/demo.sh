#!/bin/sh
# The main job from a meter file to a proven ledger, on the embedded database: every command is shown as it runs.
#
#   sh examples/utility/demo.sh [FOLDER]      FOLDER is made anew; by default ./demo-utility
#
# The month is July 2026 and the documents bear the date 3 August 2026, whatever the day is today.
set -eu

. "$(dirname "$0")/../demo_steps.sh"
begin "$0" "${1:-}"

title "Set up: database, book, price plans, taxes, accounting periods"
show db upgrade
show book load book.toml
show plan load plans/residential-flat.toml plans/residential-time-of-use.toml plans/residential-gas.toml
show tax load taxes.toml
show period open HARBOUR 2026-01 --through 2026-12

title "Customers: parties, accounts, agreements, and which meter belongs to which agreement"
show party import parties.csv
show account import accounts.csv
show agreement import agreements.csv
show assignment import assignments.csv
show book check

title "Usage: interval data in NEM12 and Green Button, register reads in CSV"
show usage intake data/nem12_2026-07.csv --format nem12
show usage intake data/green_button_2026-07.xml --format green_button
show usage intake data/gas_reads_2026-08-01.csv --format register_csv

title "The same file again changes nothing"
show usage intake data/nem12_2026-07.csv --format nem12

title "A credit by an officer waits for the next bill"
show charge add A-1001 --amount -15.00 --code service.goodwill --text "Goodwill credit" --date 2026-07-20 --reason "outage of 19 July"

title "Rehearse July: the same run, which can never be approved"
show run start --rehearsal --book HARBOUR --cycle monthly:1 --period 2026-07 --as-of 2026-08-03
show run review

title "Bill July: draft, review (the digest is that of the rehearsal), approve, post"
show run start --book HARBOUR --cycle monthly:1 --period 2026-07 --as-of 2026-08-03
show run review
show run approve
show run post

title "The documents"
show invoice list
show invoice show INV-2026-000002
show invoice show INV-2026-000002 --html time-of-use.html
show invoice show INV-2026-000003 --html deutsch.html

title "Why is this line what it is? It is computed again from what was stored"
show explain INV-2026-000002/2

title "A payment comes in and settles the oldest open item"
show payment record A-1002 100.00 AUD --on 2026-08-10 --ref MORETON-0810-17
show payment open A-1002 --on 2026-08-10

title "Trial balance, and the proof of the ledger"
show ledger balance
show ledger verify

printf '\nInvoices to look at: %s and %s\n' "$folder/time-of-use.html" "$folder/deutsch.html"
