from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import tzdata

from billing_framework.values.clock import FixedClock, MovableClock, SystemClock, timezone, timezone_data_version, today
from billing_framework.values.errors import ValueRefused

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)


def test_the_system_clock_shows_utc_and_goes_on() -> None:
    clock = SystemClock()
    first = clock.now()
    assert first.tzinfo is UTC
    assert first <= clock.now()


def test_a_fixed_clock_stands_still_in_utc() -> None:
    clock = FixedClock(datetime(2026, 1, 1, 1, tzinfo=ZoneInfo("Europe/Zurich")))
    assert clock.now() == NEW_YEAR == clock.now()
    assert clock.now().tzinfo is UTC


def test_a_movable_clock_goes_forward_only() -> None:
    clock = MovableClock(NEW_YEAR)
    clock.advance(timedelta(days=31))
    assert clock.now() == datetime(2026, 2, 1, tzinfo=UTC)
    clock.move_to(datetime(2026, 3, 1, tzinfo=UTC))
    with pytest.raises(ValueRefused, match="VALUE16"):
        clock.move_to(NEW_YEAR)
    assert clock.now() == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_naive_time_is_no_instant() -> None:
    with pytest.raises(ValueRefused, match="VALUE11"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001  # a naive time is what is refused


def test_today_depends_on_the_zone() -> None:
    clock = FixedClock(NEW_YEAR)
    assert today(clock, timezone("Europe/Zurich")) == date(2026, 1, 1)
    assert today(clock, timezone("America/New_York")) == date(2025, 12, 31)


@pytest.mark.parametrize("name", ["Europe/Zurch", "", "../etc/passwd", "Europe", "/etc/localtime", "a\0b"])
def test_an_unknown_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueRefused, match="VALUE15"):
        timezone(name)


def test_the_nearest_zone_is_offered() -> None:
    with pytest.raises(ValueRefused, match=r"Did you mean 'Europe/Zurich'\?"):
        timezone("Europe/Zurch")


def test_the_rules_in_use_are_named(tmp_path: Path) -> None:
    assert timezone_data_version() != ""
    assert timezone_data_version([]) == timezone_data_version([tmp_path]) == tzdata.IANA_VERSION
    (tmp_path / "UTC").write_bytes(b"")
    assert timezone_data_version([tmp_path]) == f"unknown, from {tmp_path}"
    (tmp_path / "+VERSION").write_text("2025c\n")
    assert timezone_data_version([tmp_path]) == "2025c"
    (tmp_path / "tzdata.zi").write_text("# version 2026a\nR A\n")
    assert timezone_data_version([tmp_path]) == "2026a"
