from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from billing_utility_metering.review import estimate_notes, high_low, negative_consumption

from billing_framework import (
    Amount,
    BilledQuantity,
    DateSpan,
    DraftDocument,
    DraftLine,
    Money,
    PastDocument,
    Quantity,
    ReviewBatch,
    ReviewBounds,
    Reviewed,
    Totals,
)

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
ZERO = Money.zero("USD")


def line(
    kwh: object, *, unit: str = "kWh", component: str = "energy", estimated: bool = False, service: DateSpan = JUNE
) -> DraftLine:
    return DraftLine(
        number=1,
        charge_key=component,
        charge_code="energy",
        agreement="A",
        component=component,
        description="Energy",
        service=service,
        quantity=Quantity(Fraction(str(kwh)), unit),
        amount=Amount.zero("USD"),
        net=ZERO,
        estimated=estimated,
        records=1,
    )


def draft(*lines: DraftLine, locale: str = "en_US") -> DraftDocument:
    return DraftDocument(
        key=7,
        account="1",
        book="b",
        currency="USD",
        locale=locale,
        period=JUNE,
        issue_on=JUNE.end,
        tax_point_on=JUNE.end,
        due_on=JUNE.end,
        lines=lines,
        totals=Totals(net=ZERO, tax=ZERO, gross=ZERO, prepaid=ZERO, rounding=ZERO, payable=ZERO),
    )


def past(kwh: int, days: int = 30) -> PastDocument:
    billed = BilledQuantity(agreement="A", component="energy", quantity=Quantity(Fraction(kwh), "kWh"))
    return PastDocument(issued_on=date(2026, 5, 1), days=days, gross=ZERO, quantities=(billed,))


def batch(document: DraftDocument, *history: PastDocument, factor: str = "2") -> ReviewBatch:
    bounds = ReviewBounds(factor=Fraction(factor), least_history=2)
    return ReviewBatch(documents=(Reviewed(document=document, history=history),), bounds=bounds)


@pytest.mark.parametrize(
    ("kwh", "held"),
    [(300, False), (600, False), (601, True), (150, False), (149, True), (0, True)],
)
def test_consumption_per_day_is_compared_with_the_median_of_past_bills(kwh: int, held: bool) -> None:  # noqa: FBT001  a table's column
    found = list(high_low(batch(draft(line(kwh)), past(290, 29), past(310, 31), past(10_000, 30))))
    assert [finding.code for finding in found] == (["UTIL40"] if held else [])
    assert all(finding.subject == "1" and finding.remedy for finding in found)


def test_days_decide_and_not_the_length_of_the_bill() -> None:
    halves = JUNE.tiles([JUNE.start + timedelta(days=15)])
    lines = [line(150, service=half) for half in halves]
    assert not list(high_low(batch(draft(*lines), past(600, 60), past(600, 60))))


@pytest.mark.parametrize(
    "given",
    [
        batch(draft(line(9000)), past(300)),
        batch(draft(line(9000)), past(300), past(300), factor="0"),
        batch(draft(line(9000, unit="kW")), past(300), past(300)),
        batch(draft(line(9000, component="other")), past(300), past(300)),
    ],
    ids=["little history", "switched off", "no consumption", "new component"],
)
def test_nothing_is_held_without_a_comparison(given: ReviewBatch) -> None:
    assert not list(high_low(given))


def test_negative_consumption_is_held_once() -> None:
    found = list(negative_consumption(batch(draft(line(-1), line(-2, component="rider")))))
    assert [(finding.code, finding.field) for finding in found] == [("UTIL42", "energy")]
    assert not list(negative_consumption(batch(draft(line(0), line(-1, unit="each")))))


def test_estimated_consumption_gets_a_note_in_the_language_of_the_document() -> None:
    (note,) = estimate_notes([draft(line(5, estimated=True), locale="de_CH"), draft(line(5))])
    assert (note.kind, note.document) == ("estimate", 7)
    assert note.text.startswith("Als geschätzt")
    assert not estimate_notes([draft(line(5, unit="each", estimated=True))])


def test_the_host_takes_checks_and_notes(world: Any) -> None:
    names = [check.name for check in world.host.review_checks]
    assert {"utility_metering.high_low", "utility_metering.negative"} <= set(names)
    assert [note.document for note in world.host.documents_drafted([draft(line(5, estimated=True))])] == [7]
