"""Late usage where others have to do with a bill: payers who share its charges, a parent who pays; and of an ended agreement.

Ten hours a bill cost 2.00, all others 1.00, and the stand 30.00 a month; 10 % tax.
"""

from __future__ import annotations

from datetime import date

from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.master.customer_change import end_agreement
from billing_framework.run.master.customers import create, save
from billing_framework.run.prove.explain import explain_line
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.master.share_rows import SHARES
from tests.scenarios.office import PLAN, Office
from tests.scenarios.test_late_usage import lines, sound
from tests.scenarios.test_payers import share

DELTA = PLAN.replace("currency =", 'late_usage = "delta"\ncurrency =')


def late_lines(office: Office) -> list[str]:
    """Every line with late usage: number of the document, service dates and net."""
    found = []
    for row in office.documents():
        number = row.split()[0]
        found += [f"{number} {line.rpartition('late usage ')[2]}" for line in lines(office, number) if "late usage" in line]
    return found


def test_payers_share_the_difference_as_they_share_the_charge(database: Database) -> None:
    office = Office.of(database, plan=DELTA, accumulate="bill")
    office.customer("C1", "drill")
    office.customer("C2", "lathe")
    assert save(office.deployment, SHARES, (share("C1"), share("C2", "40"))).findings == ()
    office.jobs("j5,drill,2026-05-10T08:00:00+00:00,6", file="may.csv")
    office.bill("2026-05")
    office.pass_days(1)
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-06")
    assert [line.split()[-2] for line in late_lines(office)] == ["6.00", "4.00"]
    sound(office)
    office.pass_days(1)
    office.bill("2026-07")
    assert len(late_lines(office)) == 2

    report = rebill_document(office.deployment, "INV-2026-000001", reason="one bill")
    assert {one.number for one in report.later} == {"INV-2026-000003", "INV-2026-000004"}
    news = {later.new for later in report.later}
    assert not [line for line in late_lines(office) if line.split()[0] in news]
    sound(office)


def test_the_parent_who_pays_bears_the_difference(database: Database) -> None:
    office = Office.of(database, plan=DELTA, accumulate="bill")
    office.customer("TOP", "saw")
    create(office.deployment, PARTIES, {"code": "P-SUB", "name": "Branch"})
    fields = {
        "code": "SUB",
        "party": "P-SUB",
        "book": "MAIN",
        "currency": "USD",
        "cycle": "monthly:1",
        "parent": "TOP",
        "payer": "parent",
    }
    create(office.deployment, ACCOUNTS, fields)
    create(office.deployment, AGREEMENTS, {"code": "A-SUB", "account": "SUB", "plan": "machine", "starts_on": "2026-01-01"})
    create(office.deployment, ASSIGNMENTS, {"subject": "drill", "agreement": "A-SUB", "starts_on": "2026-01-01"})
    office.jobs("j5,drill,2026-05-10T08:00:00+00:00,6", file="may.csv")
    office.bill("2026-05")
    office.pass_days(1)
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-06")
    assert late_lines(office) == ["INV-2026-000002 2026-05-01/2026-05-31 6 hour 10.00 USD"]
    sound(office)


def test_late_usage_of_an_agreement_that_has_ended_is_billed_while_the_account_is(database: Database) -> None:
    office = Office.of(database, plan=DELTA, accumulate="bill")
    office.customer("C1", "drill")
    office.jobs("j5,drill,2026-05-10T08:00:00+00:00,6", file="may.csv")
    office.bill("2026-05")
    end_agreement(office.deployment, "A-C1", date(2026, 6, 1), reason="sold")
    office.pass_days(1)
    office.jobs("j5b,drill,2026-05-20T08:00:00+00:00,6", file="late.csv")
    office.bill("2026-06")
    assert late_lines(office) == ["INV-2026-000002 2026-05-01/2026-05-31 6 hour 10.00 USD"]
    assert verify(office.deployment.database, "MAIN") == []
    assert explain_line(office.deployment, "INV-2026-000002/1").proven
