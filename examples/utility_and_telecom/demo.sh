#!/bin/sh
# Electricity and telephone on one account and one invoice, on the embedded database: every command is shown as it runs.
#
#   sh examples/utility_and_telecom/demo.sh [FOLDER]      FOLDER is made anew; by default ./demo-utility_and_telecom
#
# The month is July 2026 and the document bears the date 3 August 2026, whatever the day is today.
set -eu

. "$(dirname "$0")/../demo_steps.sh"
begin "$0" "${1:-}"

title "Set up: database, book, deck of prices by prefix, plans, taxes, accounting periods"
show db upgrade
show book load book.toml
show rate-table load data/deck.csv --code calls --kind telecom_usage.deck --version 2026 --valid-from 2026-01-01 --currency AUD
show plan load plans/electricity.toml plans/telephone.toml
show tax load taxes.toml
show period open HOME 2026-01 --through 2026-12

title "One customer with two agreements: a meter, and a block of numbers"
show party import parties.csv
show account import accounts.csv
show agreement import agreements.csv
show assignment import assignments.csv

title "Usage of both trades"
show usage intake data/nem12_2026-07.csv --format nem12
show usage intake data/calls_2026-07.csv --format asterisk_cdr_csv --source pbx

title "One run bills both"
show run start --book HOME --cycle monthly:1 --period 2026-07 --as-of 2026-08-03
show run review
show run approve
show run post

title "One invoice with electricity and telephone"
show invoice show INV-2026-000001
show invoice show INV-2026-000001 --html both.html --items
show explain INV-2026-000001/2
show explain INV-2026-000001/6

title "Trial balance, and the proof of the ledger"
show ledger balance
show ledger verify

printf '\nInvoice to look at: %s\n' "$folder/both.html"
