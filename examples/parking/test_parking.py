"""The contract of raters, kept by the smallest plugin: pytest test_parking.py."""

from datetime import UTC, date, datetime
from pathlib import Path

import billing_parking
import pytest

from billing_framework import DateSpan, Span, Usage
from billing_framework.testing import Figure, RaterContract, Specimen


def stay(ticket: str, day: int, minutes: int) -> Usage[billing_parking.Stay]:
    return Usage(
        kind="stay",
        source="gate",
        external_id=ticket,
        subject="12-D-3456",
        span=Span.at(datetime(2026, 7, day, 9, tzinfo=UTC)),
        body=billing_parking.Stay(minutes=minutes),
    )


class TestParking(RaterContract):
    @pytest.fixture
    def specimen(self) -> Specimen:
        return Specimen(
            plugins=[("parking", billing_parking)],
            plan=(Path(__file__).parent / "parking.toml").read_text(encoding="utf-8"),
            records=[stay("T-1", 1, 95), stay("T-2", 2, 30), stay("T-3", 3, 241)],
            figures=[Figure("parked", "15.20")],  # 4 + 1 + 9 started half hours: 10 x 1.20 + 4 x 0.80
            period=DateSpan(date(2026, 7, 1), date(2026, 8, 1)),
            zone="Europe/Dublin",
            bad_files=[("tickets", b"ticket,plate,entered,minutes\nT-9,12-D-3456,2026-07-01T08:55:00+01:00,-5\n")],
        )
