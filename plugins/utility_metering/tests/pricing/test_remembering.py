"""A classifier that remembers what it told of other days tells the same as one that is asked for the first time."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from billing_utility_metering.pricing.day_periods import Calendar, Classifier, Hours, PeriodHours, classifier
from billing_utility_metering.pricing.day_types import Days, Season

SEASONS = (Season(name="summer", first="10-01", last="03-31"), Season(name="winter", first="04-01", last="09-30"))
CALENDAR = Calendar(
    periods=(
        PeriodHours(
            name="peak", hours=(Hours(days=(Days.WEEKDAY,), start="01:30", end="21:00", seasons=("winter",)),), rest=False
        ),
        PeriodHours(name="rest", hours=(), rest=True),
    ),
    seasons=SEASONS,
    repeated_hour="03:00",
)
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/Santiago", date(2026, 4, 5)),  # the clock goes back at midnight
    ("America/Santiago", date(2026, 9, 6)),  # and forward at midnight, so that the day begins at one
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that never was
]


@pytest.mark.parametrize(("name", "day"), CHANGES, ids=str)
@pytest.mark.parametrize("seconds", [1800, 7200])
def test_around_a_change_of_the_clock(name: str, day: date, seconds: int) -> None:
    zone, holidays = ZoneInfo(name), frozenset((day + timedelta(days=2),))
    first = int(datetime.combine(day - timedelta(days=9), datetime.min.time(), zone).timestamp())
    remembering = classifier(CALENDAR, zone, holidays)
    assert classifier(CALENDAR, zone, holidays) is remembering
    for start in range(first, first + 12 * 86_400, 1800):
        fresh = Classifier(calendar=CALENDAR, zone=zone, holidays=holidays)
        assert remembering.period_of(start, start + seconds) == fresh.period_of(start, start + seconds), start
