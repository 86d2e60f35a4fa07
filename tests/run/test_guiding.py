"""Which records the bill of an agreement sees, and whose they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import attrs
import pytest

from billing_framework import Assignment, DateSpan, Span, UsageKind
from billing_framework.run.draft.guiding import guide, is_seen, lasting

JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))
BERLIN = ZoneInfo("Europe/Berlin")
EVENT = UsageKind(name="event", title="An event", body=object)
DAY = attrs.evolve(EVENT, name="day", divisible=True)
READ = attrs.evolve(EVENT, name="read", reach_days=45, reach_after_days=5)


def at(text: str) -> Span:
    return Span.at(datetime.fromisoformat(text).replace(tzinfo=UTC))


def span(first: str, last: str) -> Span:
    return Span(datetime.fromisoformat(first).replace(tzinfo=UTC), datetime.fromisoformat(last).replace(tzinfo=UTC))


@pytest.mark.parametrize(
    ("kind", "when", "seen"),
    [
        (EVENT, at("2026-06-30T22:00"), True),  # midnight of the first of July in Berlin
        (EVENT, at("2026-06-30T21:59"), False),
        (EVENT, at("2026-07-31T21:59"), True),
        (EVENT, at("2026-07-31T22:00"), False),
        (DAY, span("2026-06-30T10:00", "2026-07-01T10:00"), True),
        (DAY, span("2026-06-29T22:00", "2026-06-30T22:00"), False),
        (DAY, span("2026-07-31T10:00", "2026-08-01T10:00"), True),
        (READ, at("2026-06-01T12:00"), True),
        (READ, at("2026-05-01T12:00"), False),
        (READ, at("2026-08-03T12:00"), True),
        (READ, at("2026-08-10T12:00"), False),
    ],
)
def test_a_record_is_seen_where_the_period_needs_it(kind: UsageKind, when: Span, seen: object) -> None:
    assert is_seen(kind, when, [JULY], JULY, BERLIN) is seen


def test_an_identifier_is_seen_only_on_the_dates_that_it_belonged() -> None:
    own = [DateSpan(date(2026, 7, 10), date(2026, 7, 20))]
    assert is_seen(EVENT, at("2026-07-15T12:00"), own, JULY, BERLIN)
    assert not is_seen(EVENT, at("2026-07-25T12:00"), own, JULY, BERLIN)


BEFORE = Assignment(subject="m", agreement="old", starts_on=date(2026, 1, 1), ends_on=date(2026, 7, 10))
AFTER = Assignment(subject="m", agreement="new", starts_on=date(2026, 7, 10))
OTHER = Assignment(subject="n", agreement="new", starts_on=date(2026, 1, 1))


def test_a_record_belongs_to_whoever_had_its_identifier_at_its_first_instant() -> None:
    everybody = [BEFORE, AFTER, OTHER]
    assert guide("m", at("2026-07-09T12:00"), everybody, "new", BERLIN) == BEFORE
    assert guide("m", at("2026-07-10T12:00"), everybody, "new", BERLIN) == AFTER
    # The evening before in UTC is the new day in Berlin already.
    assert guide("m", at("2026-07-09T22:30"), everybody, "new", BERLIN) == AFTER


def test_an_interval_that_reaches_over_belongs_to_each_for_its_part() -> None:
    over = span("2026-07-09T10:00", "2026-07-10T10:00")
    assert guide("m", over, [BEFORE, AFTER], "new", BERLIN) == AFTER
    assert guide("m", over, [BEFORE, AFTER], "old", BERLIN) == BEFORE


def test_a_record_of_nobody_is_given_as_unassigned() -> None:
    assert guide("m", at("2026-07-09T12:00"), [AFTER], "new", BERLIN).agreement == ""


def test_assignments_last_until_the_day_before_their_end() -> None:
    assert lasting(BEFORE, JULY) == DateSpan(date(2026, 7, 1), date(2026, 7, 10))
    assert lasting(attrs.evolve(BEFORE, ends_on=date(2026, 7, 1)), JULY) is None
    assert lasting(AFTER, DateSpan(date(2026, 6, 1), date(2026, 7, 10))) is None
