#!/bin/sh
# From encounters to claims, from a payer's answer to what the patient owes, on the embedded database: every command is shown.
#
#   sh examples/healthcare/demo.sh [FOLDER]      FOLDER is made anew; by default ./demo-healthcare
#
# The month is November 2026 and the documents bear the date 1 December 2026, whatever the day is today.
set -eu

. "$(dirname "$0")/../demo_steps.sh"
begin "$0" "${1:-}"

title "A key for what the database keeps about patients"
printf '\n$ billing personal-data new-key > personal.key\n'
(umask 077 && billing personal-data new-key > personal.key)

title "Set up: database, book, rate tables, contracts, accounting periods"
show db upgrade
show book load book.toml
show rate-table load tables/charges.csv --code charges --kind healthcare.charge_master --version 2026 --valid-from 2026-01-01
show rate-table load tables/relative-values.csv --code relative-values --kind healthcare.mpfs_rvu --version 2026 --valid-from 2026-01-01
show rate-table load tables/localities.csv --code localities --kind healthcare.gpci --version 2026 --valid-from 2026-01-01
show rate-table load tables/conversion-factors.csv --code conversion-factors --kind healthcare.conversion_factor --version 2026 --valid-from 2025-01-01
show rate-table load tables/northfield-drugs.csv --code northfield-drugs --kind healthcare.fee_schedule --version 2026 --valid-from 2026-01-01
show plan load plans/northfield.toml plans/self-pay.toml
show tax load taxes.toml
show period open LAKESIDE 2026-01 --through 2026-12

title "Who pays: payers and patients, the account of each, and which patient is covered where"
show party import parties.csv
show account import accounts.csv
show agreement import agreements.csv
show assignment import assignments.csv

title "Encounters: JSON lines from the record system, CSV from the front desk"
show usage intake data/encounters_2026-11.jsonl --format encounter_json
show usage intake data/self_pay_2026-11.csv --format encounter_csv

title "Bill November: draft, review, approve, post"
show run start --book LAKESIDE --cycle monthly:1 --period 2026-11 --as-of 2026-12-01
show run review
show run approve
show run post

title "The documents: two for the plan, one for a patient without a plan"
show invoice list
show invoice show CL-2026-000001
show invoice show CL-2026-000003

title "Why is this line what it is, and what should the plan pay for it?"
show explain CL-2026-000002/1

title "Claims leave as 837P, checked again before they do"
show invoice export CL-2026-000001 CL-2026-000002 --format x12_837p --option control=1 --out claims.x12
show file check claims.x12 --format x12_837p

title "The plan answers: two claims paid, one denied as too late, ten dollars taken back"
show answer import data/northfield_1.835 --format x12_835
show answer show EFT0041
show payment open P-1001
show answer list --waiting

title "The same file again changes nothing"
show answer import data/northfield_1.835 --format x12_835

title "The second plan is asked, and told what the first has decided"
show invoice export CL-2026-000002 --format x12_837p --option payer=SM02 --option control=2 --out second_claim.x12
show file check second_claim.x12 --format x12_837p

title "The second plan pays its part of what the first has left; the rest is the patient's"
show answer import data/second_mutual.835 --format x12_835
show payment open P-1002

title "The patient is told what is left, and nothing else"
show invoice export CL-2026-000002 --format patient_statement --out statement.txt
cat statement.txt

title "The plan takes an answer back and corrects it: the copayment is 15, not 25"
show answer import data/northfield_2.835 --format x12_835
show payment open P-1001

title "Trial balance, and the proof of the ledger"
show ledger balance
show ledger verify
