"""Local dates and times of many instants are those that the wall clock shows for each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.instant import instant_at, microseconds_of
from billing_framework.values.local_columns import local_time

ZONES = ("UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati")
instants = st.datetimes(datetime(1990, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  given a zone


@given(st.lists(instants, max_size=8), st.sampled_from(ZONES))
def test_each_is_what_the_wall_clock_shows(some: list[datetime], name: str) -> None:
    zone = ZoneInfo(name)
    day, second = local_time(np.array([microseconds_of(one) for one in some], dtype=np.int64), zone)

    shown = [one.astimezone(zone) for one in some]
    assert day.tolist() == [one.date().toordinal() - date(1970, 1, 1).toordinal() for one in shown]
    assert second.tolist() == [one.hour * 3600 + one.minute * 60 + one.second for one in shown]


@pytest.mark.parametrize("change", ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"])
def test_a_clock_change_counts_from_its_microsecond_on(change: str) -> None:
    at, zone = microseconds_of(datetime.fromisoformat(change)), ZoneInfo("Europe/Berlin")
    around = np.array([at - 1, at, at + 1], dtype=np.int64)

    shown = [instant_at(number).astimezone(zone) for number in around.tolist()]
    assert local_time(around, zone)[1].tolist() == [one.hour * 3600 + one.minute * 60 + one.second for one in shown]
