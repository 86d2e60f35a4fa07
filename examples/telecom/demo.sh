#!/bin/sh
# The main job from call detail records to a proven ledger, on the embedded database: every command is shown as it runs.
#
#   sh examples/telecom/demo.sh [FOLDER]      FOLDER is made anew; by default ./demo-telecom
#
# The month is October 2026 and the documents bear the date 3 November 2026, whatever the day is today.
set -eu

. "$(dirname "$0")/../demo_steps.sh"
begin "$0" "${1:-}"

title "Set up: database, book, decks of prices by prefix, plans, taxes, accounting periods"
show db upgrade
show book load book.toml
show rate-table load data/deck_2026-09.csv --code retail --kind telecom_usage.deck --version 2026-09 --valid-from 2026-09-01 --currency EUR
show rate-table diff retail@2026-09 data/deck_2026-11.csv
show plan load plans/flex.toml plans/office.toml
show tax load taxes.toml
show period open SKYLINE 2026-01 --through 2026-12

title "Customers: parties, accounts, agreements, and whose number it was, single or in blocks"
show party import parties.csv
show account import accounts.csv
show agreement import agreements.csv
show assignment import assignments.csv

title "Calls: Asterisk, FreeSWITCH, and a carrier's own columns. A cut line, a bad number and an unknown owner wait in suspense"
told usage intake data/pbx1_Master.csv --format asterisk_cdr_csv --source pbx1 --zone Europe/Berlin
told usage intake data/sip2_Master.csv --format freeswitch_cdr_csv --source sip2 --zone UTC
told usage intake data/carrier_2026-10.csv --format mapped_csv --source carrier
show usage suspense

title "Bill October: lines in advance, calls in arrears; a call without a rate is left for a later bill"
show run start --book SKYLINE --cycle monthly:1 --period 2026-10 --as-of 2026-11-03
show run review
show run approve
show run post

title "The documents, with every call below"
show invoice list
show invoice show SV-2026-000001 --items
show invoice show SV-2026-000001 --html calls.html
show invoice show SV-2026-000002 --html deutsch.html

title "Why is this line what it is? It is computed again from what was stored"
show explain SV-2026-000001/9
show explain SV-2026-000002/6

title "Trial balance, and the proof of the ledger"
show ledger balance
show ledger verify

printf '\nInvoices to look at: %s and %s\n' "$folder/calls.html" "$folder/deutsch.html"
