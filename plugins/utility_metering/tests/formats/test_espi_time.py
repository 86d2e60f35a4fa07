from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from billing_utility_metering.formats.espi_time import ChangeRule, FileZone
from hypothesis import given
from hypothesis import strategies as st

NEW_YORK = {"dstEndRule": "B40E2000", "dstOffset": "3600", "dstStartRule": "360E2000", "tzOffset": "-18000"}
UTC_ZONE = ZoneInfo("UTC")


def test_the_north_american_rules_decode() -> None:
    start, end = ChangeRule.of("360E2000"), ChangeRule.of("B40E2000")
    assert start == ChangeRule(seconds=7200, weekday=7, day=0, operator=3, month=3)
    assert end == ChangeRule(seconds=7200, weekday=7, day=0, operator=2, month=11)
    assert start is not None
    assert [start.on(year) for year in (2025, 2026)] == [date(2025, 3, 9), date(2026, 3, 8)]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (ChangeRule(seconds=0, weekday=0, day=31, operator=0, month=2), date(2026, 2, 28)),
        (ChangeRule(seconds=0, weekday=7, day=8, operator=1, month=3), date(2026, 3, 8)),
        (ChangeRule(seconds=0, weekday=7, day=0, operator=7, month=10), date(2026, 10, 25)),
        (ChangeRule(seconds=0, weekday=1, day=0, operator=6, month=3), date(2026, 3, 30)),
        (ChangeRule(seconds=0, weekday=1, day=0, operator=6, month=2), date(2026, 2, 23)),
    ],
)
def test_every_operator_names_a_date(rule: ChangeRule, expected: date) -> None:
    assert rule.on(2026) == expected


@pytest.mark.parametrize("text", ["FFFFFFFF", "", "hello", "00000000", "1000000000"])
def test_what_names_no_date_is_no_rule(text: str) -> None:
    assert ChangeRule.of(text) is None


@given(st.integers(1_262_304_000, 2_051_222_400))
def test_the_rules_agree_with_the_zone_database(instant: int) -> None:
    by_rule = FileZone.of(NEW_YORK, UTC_ZONE).day_of(instant)
    assert by_rule == FileZone.of({}, ZoneInfo("America/New_York")).day_of(instant)


def test_a_southern_summer_spans_the_new_year() -> None:
    sydney = {"tzOffset": "36000", "dstOffset": "3600", "dstStartRule": "A40E2000", "dstEndRule": "440E3000"}
    by_rule = FileZone.of(sydney, UTC_ZONE)
    by_name = FileZone.of({}, ZoneInfo("Australia/Sydney"))
    for days in range(730):
        instant = int((datetime(2025, 1, 1, 3, tzinfo=UTC) + timedelta(days=days)).timestamp())
        assert by_rule.day_of(instant) == by_name.day_of(instant)


def test_senseless_offsets_are_ignored() -> None:
    assert FileZone.of({"tzOffset": "999999"}, UTC_ZONE).offset is None
