#!/bin/sh
# Two months of a small law firm: entries to reviewed bills, payers, client money in trust, an e-bill, a proven ledger.
#
#   sh examples/legal/demo.sh [FOLDER]      FOLDER is made anew; by default ./demo-legal
#
# The bills are of June and July 2026, whatever the day is today.
set -eu

. "$(dirname "$0")/../demo_steps.sh"
begin "$0" "${1:-}"

title "Set up: database, book, people and prices as dated tables, price plans, accounting periods"
show db upgrade
show book load book.toml
show tax load taxes.toml
show rate-table load tables/timekeepers.csv --code timekeepers --kind legal_timekeeping.timekeeper --version 2026 --valid-from 2025-01-01
show rate-table load tables/rates.csv --code firm-rates --kind legal_timekeeping.rate --version 2026 --valid-from 2025-01-01
show rate-table load tables/copies.csv --code office-costs --kind legal_timekeeping.expense_rate --version 2026 --valid-from 2025-01-01
show plan load plans/hourly.toml plans/capped.toml plans/flat.toml
show period open HALE 2026-01 --through 2026-12

title "Clients, matters, and who pays: an insurer bears 40 % of the fees of one matter"
show party import parties.csv
show account import accounts.csv
show agreement import agreements.csv
show assignment import assignments.csv
show share import shares.csv
show book check

title "Client money in trust: one receipt has cleared when the bill comes, one has not"
show deposit take A-300 3000.00 USD --purpose trust --subject 0003 --on 2026-06-01 --ref IOLTA-0601-1 --clears-on 2026-06-05
show deposit take A-100 5000.00 USD --purpose trust --subject 0001 --on 2026-06-30 --ref IOLTA-0630-4 --clears-on 2026-07-07

title "Entries of June: time as worked and entered, costs"
show usage intake data/time_2026-06.csv --format legal_time_csv
show usage intake data/expenses_2026-06.csv --format legal_expense_csv

title "Pre-bills of June"
show run start --book HALE --cycle monthly:1 --period 2026-06 --as-of 2026-07-03
run=HALE.2026-06-01.monthly-1.1
show run show "$run" A-100

title "The partner reviews: narrative, hours, a write-down, no charge, one entry waits; every edit keeps who, why, before and after"
show run edit "$run" A-100 --record T-0603 --set "narrative=Draft motion to transfer venue, first version" --reason "clearer for the client"
show run edit "$run" A-100 --record T-0603 --set hours=2.8 --reason "research was duplicated"
show run edit "$run" A-100 --record T-0601 --set adjustment=-50.00 --reason "learning the file"
show run edit "$run" A-100 --record T-0607 --set status=no_charge --reason "talk in the firm"
show run edit "$run" A-100 --defer T-0608 --reason "settlement talks go on; bill them together"
show run show "$run" A-100
show run review "$run"
show run approve "$run"
show run post "$run"

title "The invoices; each line says why it has its price"
show invoice list
show invoice show 2026-000001 --html acme.html
show explain 2026-000001/4
show explain 2026-000001/6

title "The e-bill of both payers, checked as their receivers would"
show invoice export 2026-000001 2026-000002 --format ledes_1998b --out acme.txt
show file check acme.txt --format ledes_1998b

title "Trust money pays an issued invoice, never more than has cleared"
show deposit apply A-300 2026-000004 --purpose trust --subject 0003 --on 2026-07-03
if billing deposit apply A-100 2026-000001 --purpose trust --subject 0001 --on 2026-07-03; then
  echo "money that has not cleared was used" >&2
  exit 1
fi
show deposit apply A-100 2026-000001 --purpose trust --subject 0001 --on 2026-07-08

title "July: a late entry of June and the deferred one come along, and the cap of the other matter is reached"
show usage intake data/entries_2026-07.json --format legal_json
show run start --book HALE --cycle monthly:1 --period 2026-07 --as-of 2026-08-04
show run review
show run approve
show run post
show invoice list
show invoice show 2026-000005 --html acme-july.html
show invoice show 2026-000007
show explain 2026-000007/3

title "Three ways to count client money, as of the end of July: bank statement, journal, all clients' ledgers"
show deposit list
show deposit reconcile HALE --on 2026-07-31 --bank 3514.27USD --outstanding 500.00USD --reason "statement of July"
show deposit reconciliations HALE

title "Trial balance, and the proof of the ledger"
show ledger balance
show ledger verify
