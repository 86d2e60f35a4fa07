"""Month 1 of 3 is corrected after month 3 was posted, with a yearly tier in between: the later bills rest on it.

Ten hours a year cost 2.00, all others 1.00, and the stand 30.00 a month; 10 % tax. The drill ran six hours a month; then it turns
out that it ran two in May.
"""

from __future__ import annotations

import pytest

from billing_framework.rating.price_plan import Correction
from billing_framework.run.correct.rebill import rebill_document
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.usage.late import late_usage
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.verify import verify
from billing_framework.values.errors import Refused
from tests.grown import grown_once
from tests.scenarios.office import Office

THREE_MONTHS = [
    "INV-2026-000001 C1 46.20",  # 30 + 6 x 2.00
    "INV-2026-000002 C1 44.00",  # 30 + 4 x 2.00 + 2 x 1.00
    "INV-2026-000003 C1 39.60",  # 30 + 6 x 1.00
]


@grown_once
def office_after_three_months(database: Database, correction: str) -> Office:
    office = Office.of(database, correction=correction)
    office.customer("C1", "drill")
    for number, month in enumerate(("2026-05", "2026-06", "2026-07"), start=5):
        office.jobs(f"j{number},drill,{month}-10T08:00:00+00:00,6,slot-{number},1", file=f"{month}.csv")
        office.bill(month)
        office.pass_days(1)
    assert office.documents() == THREE_MONTHS
    office.jobs("j5b,drill,2026-05-10T08:00:00+00:00,2,slot-5,2", file="correction.csv")
    office.pass_days(1)
    return office


def sound(office: Office) -> None:
    """Every line can be explained, and the ledger verifies."""
    assert verify(office.deployment.database, "MAIN") == []
    for row in office.documents():
        number = row.split()[0]
        for line in (1, 2):
            explained = explain_line(office.deployment, f"{number}/{line}")
            assert explained.proven, (number, line, explained.findings)


def test_the_correction_is_reported_with_the_document_to_rebill(database: Database) -> None:
    office = office_after_three_months(database, "hold")
    found = late_usage(office.deployment, "MAIN")
    assert [(one.document, len(one.added), len(one.superseded)) for one in found] == [("INV-2026-000001", 1, 1)]


def test_hold_lists_the_later_bills_and_keeps_the_account_until_an_officer_decides(database: Database) -> None:
    office = office_after_three_months(database, "hold")
    report = rebill_document(office.deployment, "INV-2026-000001", reason="meter read again", as_of=None)

    assert (report.note, report.new) == ("CN-2026-000001", "INV-2026-000004")
    assert [(later.number, later.policy) for later in report.later] == [
        ("INV-2026-000002", Correction.HOLD),
        ("INV-2026-000003", Correction.HOLD),
    ]
    assert office.documents() == ["CN-2026-000001 C1 -46.20", *THREE_MONTHS, "INV-2026-000004 C1 37.40"]
    started = office.start("2026-08")
    assert started.counts == {"held": 1}
    sound(office)
    for number in ("INV-2026-000002", "INV-2026-000003"):  # each becomes due when what it rests on was billed anew
        waiting = late_usage(office.deployment, "MAIN")
        assert [(one.document, one.added, one.states) for one in waiting] == [(number, (), ("accumulated.hours",))]
        rebill_document(office.deployment, number, reason="rests on May")
    assert office.documents()[-2:] == ["INV-2026-000005 C1 46.20", "INV-2026-000006 C1 41.80"]
    assert late_usage(office.deployment, "MAIN") == ()


def test_cascade_rebills_the_later_bills_in_their_order(database: Database) -> None:
    office = office_after_three_months(database, "cascade")
    report = rebill_document(office.deployment, "INV-2026-000001", reason="meter read again")

    assert [later.new for later in report.later] == ["INV-2026-000005", "INV-2026-000006"]
    assert office.documents() == [
        "CN-2026-000001 C1 -46.20",
        "CN-2026-000002 C1 -44.00",
        "CN-2026-000003 C1 -39.60",
        *THREE_MONTHS,
        "INV-2026-000004 C1 37.40",  # 30 + 2 x 2.00
        "INV-2026-000005 C1 46.20",  # 30 + 6 x 2.00
        "INV-2026-000006 C1 41.80",  # 30 + 2 x 2.00 + 4 x 1.00
    ]
    sound(office)
    assert late_usage(office.deployment, "MAIN") == ()
    with pytest.raises(Refused, match="RUN20"):
        rebill_document(office.deployment, "INV-2026-000001", reason="again")
    again = rebill_document(office.deployment, "INV-2026-000004", reason="again")
    assert (again.unchanged, again.note) == (True, "")


def test_adjust_next_puts_the_difference_on_the_next_bill_once(database: Database) -> None:
    office = office_after_three_months(database, "adjust_next")
    report = rebill_document(office.deployment, "INV-2026-000001", reason="meter read again")

    assert [later.outcome for later in report.later] == [
        "it stays; 2.00 USD without tax come on the next bill",
        "it stays; 2.00 USD without tax come on the next bill",
    ]
    assert late_usage(office.deployment, "MAIN") == ()
    office.jobs("j8,drill,2026-08-10T08:00:00+00:00,6,slot-8,1", file="2026-08.csv")
    office.pass_days(20)
    office.bill("2026-08")
    assert office.documents() == [
        "CN-2026-000001 C1 -46.20",
        *THREE_MONTHS,
        "INV-2026-000004 C1 37.40",
        "INV-2026-000005 C1 44.00",  # 30 + 6 x 1.00 + 2.00 + 2.00: fourteen hours are behind the machine
    ]
    sound(office)


def test_a_second_correction_adds_only_what_it_changes_itself(database: Database) -> None:
    office = office_after_three_months(database, "adjust_next")
    rebill_document(office.deployment, "INV-2026-000001", reason="meter read again")
    office.jobs("j5c,drill,2026-05-10T08:00:00+00:00,1,slot-5,3", file="correction-2.csv")
    report = rebill_document(office.deployment, "INV-2026-000004", reason="meter read a third time")
    # June stays below the tier either way; July gets one hour more at 2.00 instead of 1.00.
    assert [later.outcome for later in report.later] == [
        "it stays: nothing differs",
        "it stays; 1.00 USD without tax come on the next bill",
    ]
