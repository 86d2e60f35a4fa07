"""The rater keeps the contract, and comes to figures that were worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest
from billing_framework import DateSpan, Span, Usage
from billing_framework.testing import Figure, RaterContract, Specimen

from billing_new_trade import plugin
from billing_new_trade.kinds import JOB, Grade, Job

DATA = Path(__file__).parent / "data"
HEADER = b"job,customer,done,hours,grade\n"


def job(name: str, day: int, hours: str, grade: Grade = Grade.STANDARD) -> Usage[Job]:
    """Return a job of July 2026."""
    return Usage(
        kind=JOB.name,
        source="test",
        external_id=name,
        subject="C-7",
        span=Span.at(datetime(2026, 7, day, 10, tzinfo=UTC)),
        body=Job(hours=Fraction(hours), grade=grade),
    )


class TestRater(RaterContract):
    """See `billing_framework.testing.checks` for what is proven."""

    @pytest.fixture
    def specimen(self) -> Specimen:
        """Return jobs of both grades, one rounded and one called off."""
        return Specimen(
            plugins=[("new_trade", plugin)],
            plan=(DATA / "plan.toml").read_text(encoding="utf-8"),
            records=[job("J-1", 1, "1.1"), job("J-2", 2, "2", Grade.EXPRESS), job("J-3", 3, "0"), job("J-4", 6, "0.5")],
            # 1.1 hours become 1.25, and 0.5 stay: 1.75 x 40.00; 2 x 60.00
            figures=[Figure("standard", "70.00"), Figure("express", "120.00")],
            period=DateSpan(date(2026, 7, 1), date(2026, 8, 1)),
            bad_records=[job("J-5", 7, "500")],
            bad_files=[("new_trade_csv", HEADER + b"J-6,C-7,2026-07-08T10:00:00+00:00,-1,standard\n")],
        )
