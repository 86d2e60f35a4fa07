from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.errors import ValueRefused
from billing_framework.values.period import DateSpan, Span, day_seconds, midnight, month_key, utc

DAYS = st.dates(date(1950, 1, 1), date(2080, 1, 1))
ZONES = st.sampled_from(
    [
        ZoneInfo(name)
        for name in (
            "UTC",
            "Europe/Zurich",
            "America/New_York",
            "America/St_Johns",
            "America/Havana",
            "America/Sao_Paulo",
            "America/Toronto",
            "Australia/Lord_Howe",
            "Pacific/Apia",
            "Asia/Gaza",
            "Africa/Cairo",
        )
    ]
)
INSTANTS = st.datetimes(datetime(1950, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the zone is given


@given(DAYS, st.integers(1, 800), st.lists(DAYS))
def test_tiles_add_up_to_the_period(start: date, length: int, breaks: list[date]) -> None:
    span = DateSpan(start, start + timedelta(days=length))
    tiles = span.tiles([*breaks, start, start + timedelta(days=length // 2)])
    assert (tiles[0].start, tiles[-1].end) == (span.start, span.end)
    assert all(one.end == other.start for one, other in pairwise(tiles))
    assert sum(tile.days for tile in tiles) == span.days == len(list(span.dates()))


@given(INSTANTS, st.integers(0, 10**8), st.lists(INSTANTS))
def test_tiles_add_up_to_the_span(start: datetime, seconds: int, breaks: list[datetime]) -> None:
    span = Span(start, start + timedelta(seconds=seconds))
    tiles = span.tiles(breaks)
    assert (tiles[0].start, tiles[-1].end) == (span.start, span.end)
    assert all(one.end == other.start for one, other in pairwise(tiles))
    assert sum((tile.end - tile.start for tile in tiles), timedelta()) == timedelta(seconds=seconds)


@given(INSTANTS, st.integers(1, 400), ZONES)
def test_local_days_cover_a_span_without_gap(start: datetime, hours: int, zone: ZoneInfo) -> None:
    span = Span(start, start + timedelta(hours=hours))
    days = span.local_days(zone)
    assert sum((tile.end - tile.start for _, tile in days), timedelta()) == timedelta(hours=hours)
    assert all(one[0] < other[0] and one[1].end == other[1].start for one, other in pairwise(days))


@given(DAYS, ZONES)
def test_days_of_a_zone_follow_each_other(day: date, zone: ZoneInfo) -> None:
    begin, end = midnight(day, zone), midnight(day + timedelta(days=1), zone)
    assert begin.tzinfo is UTC
    assert begin <= end
    if begin < end:  # a date that the zone skipped has no instants
        assert begin.astimezone(zone).date() == day
        assert (end - timedelta(microseconds=1)).astimezone(zone).date() == day


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Zurich", date(2026, 3, 29), 23),
        ("Europe/Zurich", date(2026, 10, 25), 25),
        ("Europe/Zurich", date(2026, 6, 1), 24),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Havana", date(2026, 11, 1), 25),  # midnight comes twice
        ("America/Sao_Paulo", date(2018, 11, 4), 23),  # midnight is skipped
        ("America/Toronto", date(1919, 3, 31), 23.5),  # the skipped hour begins before midnight
        ("America/St_Johns", date(2006, 10, 28), 25),  # back from 00:01 into the old day
        ("Pacific/Apia", date(2011, 12, 30), 0),  # skipped at the date line
    ],
)
def test_lengths_of_local_days(zone: str, day: date, hours: float) -> None:
    assert day_seconds(day, ZoneInfo(zone)) == hours * 3600


def test_a_month_of_a_zone_in_instants() -> None:
    march = DateSpan.inclusive(date(2026, 3, 1), date(2026, 3, 31)).instants(ZoneInfo("Europe/Zurich"))
    assert march == Span(datetime(2026, 2, 28, 23, tzinfo=UTC), datetime(2026, 3, 31, 22, tzinfo=UTC))
    assert march.seconds == (31 * 24 - 1) * 3600


def test_the_last_day_is_shown_and_the_end_is_outside() -> None:
    march = DateSpan(date(2026, 3, 1), date(2026, 4, 1))
    assert (march.days, march.last, str(march)) == (31, date(2026, 3, 31), "2026-03-01/2026-03-31")
    assert date(2026, 3, 31) in march
    assert date(2026, 4, 1) not in march


def test_intersections_are_half_open() -> None:
    march, april = DateSpan(date(2026, 3, 1), date(2026, 4, 1)), DateSpan(date(2026, 4, 1), date(2026, 5, 1))
    assert march.intersection(april) is None
    assert march.intersection(DateSpan(date(2026, 3, 20), date(2026, 4, 9))) == DateSpan(date(2026, 3, 20), date(2026, 4, 1))
    first, second = Span(utc_hour(0), utc_hour(6)), Span(utc_hour(6), utc_hour(9))
    assert first.intersection(second) is None
    assert not first.overlaps(second)
    assert first.intersection(Span(utc_hour(5), utc_hour(8))) == Span(utc_hour(5), utc_hour(6))
    assert first.overlaps(Span(utc_hour(5), utc_hour(8)))


def test_what_is_left_of_a_period_lies_before_between_and_after_what_is_taken() -> None:
    july = DateSpan(date(2026, 7, 1), date(2026, 8, 1))
    june, start, middle = (DateSpan(date(2026, 6, 1), date(2026, 7, 3)), *july.tiles([date(2026, 7, 5), date(2026, 7, 9)])[:2])
    assert [str(rest) for rest in july.without([june, middle])] == ["2026-07-03/2026-07-04", "2026-07-09/2026-07-31"]
    assert list(july.without([start, middle, july])) == []
    assert list(july.without([])) == [july]


def test_an_instant_overlaps_the_span_that_holds_it() -> None:
    span = Span(utc_hour(1), utc_hour(2))
    assert Span.at(utc_hour(1)).overlaps(span)
    assert span.overlaps(Span.at(utc_hour(1)))
    assert not Span.at(utc_hour(2)).overlaps(span)
    assert Span.at(utc_hour(1)).tiles([utc_hour(1)]) == (Span.at(utc_hour(1)),)
    assert str(span) == "2026-01-01T01:00:00+00:00/2026-01-01T02:00:00+00:00"


def test_periods_that_end_before_they_start_are_refused() -> None:
    with pytest.raises(ValueRefused, match="VALUE10"):
        DateSpan(date(2026, 1, 1), date(2026, 1, 1))
    with pytest.raises(ValueRefused, match="VALUE10"):
        Span(utc_hour(2), utc_hour(1))
    with pytest.raises(ValueRefused, match="VALUE10 .*: 2026-08-31 to 2026-08-01"):  # as it was written, with its last day
        DateSpan.inclusive(date(2026, 8, 31), date(2026, 8, 1))


def test_instants_name_their_zone() -> None:
    with pytest.raises(ValueRefused, match="VALUE11"):
        Span(datetime(2026, 1, 1), utc_hour(1))  # noqa: DTZ001  # a naive time is what is refused
    with pytest.raises(ValueRefused, match="VALUE11"):
        Span(utc_hour(0).astimezone(ZoneInfo("Europe/Zurich")), utc_hour(1))
    with pytest.raises(ValueRefused, match="VALUE11"):
        DateSpan(utc_hour(0), utc_hour(9))
    with pytest.raises(ValueRefused, match="VALUE11 .* has no time zone"):
        utc(datetime(2026, 1, 1))  # noqa: DTZ001  # a naive time is what is refused
    assert utc(datetime(2026, 7, 1, 2, tzinfo=ZoneInfo("Europe/Zurich"))) == datetime(2026, 7, 1, tzinfo=UTC)


def test_the_partition_key_of_a_month() -> None:
    assert month_key(date(2026, 3, 31)) == 202603


def utc_hour(hour: int) -> datetime:
    return datetime(2026, 1, 1, hour, tzinfo=UTC)
