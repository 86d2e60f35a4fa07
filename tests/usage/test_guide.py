"""Guiding by dated assignments, in the zone of the account."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from billing_framework.accounts.assignment import Assignment
from billing_framework.usage.guide import make_guide
from billing_framework.values.period import Span

BERLIN = ZoneInfo("Europe/Berlin")


def assigned(agreement: str, start: date, end: date | None = None, subject: str = "M1") -> Assignment:
    return Assignment(subject=subject, agreement=agreement, starts_on=start, ends_on=end)


FIRST = assigned("A", date(2026, 3, 1), date(2026, 4, 1))
SECOND = assigned("B", date(2026, 4, 1))
GUIDE = make_guide([(SECOND, BERLIN), (FIRST, BERLIN), (assigned("C", date(2026, 3, 1), subject="M2"), ZoneInfo("UTC"))])


def at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def test_an_assignment_holds_from_local_midnight_to_local_midnight() -> None:
    assert GUIDE.at("M1", at(28, 22, 59, month=2)) is None
    assert GUIDE.at("M1", at(28, 23, month=2)) == FIRST
    # Summer time began on 29 March: the last local midnight is at 22:00 UTC.
    assert GUIDE.at("M1", at(31, 21, 59)) == FIRST
    assert GUIDE.at("M1", at(31, 22)) == SECOND
    assert GUIDE.at("M1", at(1, 0, month=12)) == SECOND


def test_each_account_counts_in_its_own_zone() -> None:
    assert GUIDE.at("M2", at(28, 23, 30, month=2)) is None


def test_an_unknown_identifier_belongs_to_nobody() -> None:
    assert GUIDE.at("M3", at(1, 0)) is None
    assert GUIDE.over("M3", Span(at(1, 0), at(2, 0))) == ()


def test_a_gap_between_assignments_belongs_to_nobody() -> None:
    later = assigned("D", date(2026, 6, 1))
    guide = make_guide([(FIRST, BERLIN), (later, BERLIN)])
    assert guide.at("M1", at(1, 0, month=5)) is None


def test_a_span_meets_every_assignment_that_it_touches() -> None:
    assert GUIDE.over("M1", Span(at(30, 0), at(2, 0, month=4))) == (FIRST, SECOND)
    assert GUIDE.over("M1", Span(at(30, 0), at(31, 22))) == (FIRST,)
    assert GUIDE.over("M1", Span.at(at(31, 22))) == (SECOND,)


def test_a_record_just_after_the_end_closes_an_assignment_where_its_kind_may() -> None:
    guide = make_guide([(FIRST, BERLIN)])
    midnight, last_minute = at(31, 22), at(1, 21, 59, month=4)  # the local day of 1 April
    assert guide.at("M1", midnight) is None
    assert not guide.takes("M1", midnight, 0)
    assert guide.takes("M1", midnight, 1)
    assert guide.takes("M1", last_minute, 1)
    assert not guide.takes("M1", at(1, 22, month=4), 1)
    assert guide.takes("M1", at(1, 22, month=4), 2)
    assert not guide.takes("M1", at(28, 22, month=2), 2)
    assert not guide.takes("M2", midnight, 1)
    assert guide.last_before("M1", midnight) == FIRST
    assert guide.last_before("M1", at(31, 21)) is None
