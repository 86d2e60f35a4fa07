"""Records on days on which nobody has their identifier, and those that the agreements beside such days still reach."""

from __future__ import annotations

from datetime import date

from billing_framework.run.review.unassigned import unreached
from billing_framework.usage.record import UsageKind
from billing_framework.values.period import DateSpan
from tests.scenarios.workshop import Job

READING = UsageKind(name="reading", title="A reading", body=Job, reach_days=5, reach_after_days=1)
JULY = DateSpan.inclusive(date(2026, 7, 1), date(2026, 7, 31))


def left(first: int, last: int) -> str:
    return str(unreached(READING, DateSpan.inclusive(date(2026, 7, first), date(2026, 7, last)), JULY))


def test_the_closing_reading_before_a_gap_and_the_opening_one_after_it_belong_to_the_agreements_beside_it() -> None:
    assert left(11, 31) == "2026-07-12/2026-07-31"
    assert left(1, 20) == "2026-07-01/2026-07-15"
    assert left(11, 20) == "2026-07-12/2026-07-15"
    assert left(11, 16) == "None"
