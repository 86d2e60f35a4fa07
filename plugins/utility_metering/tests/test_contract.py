"""The rater of meters keeps the contract of raters: interval days by time of use, and register reads by tiers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import pytest
from billing_utility_metering import plugin

from billing_framework import AnyUsage, DateSpan
from billing_framework.testing import Figure, RaterContract, Specimen

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
HEAD = """
schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2026-01-01
currency = "USD"
"""

TIME_OF_USE = f"""{HEAD}
[[component]]
code = "energy"
title = {{ en = "Energy" }}
model = "utility_metering.time_of_use"
measure = "consumption"
unit = "kWh"
charge_code = "energy"
tax_category = "standard"
periods = [
  {{ name = "peak", price = "0.30", hours = [{{ days = ["weekday", "saturday", "sunday"], start = "12:00", end = "18:00" }}] }},
  {{ name = "offpeak", price = "0.10", rest = true }},
]
"""

TIERS = f"""{HEAD}
[[component]]
code = "energy"
title = {{ en = "Energy" }}
model = "graduated"
measure = "consumption"
unit = "kWh"
charge_code = "energy"
tax_category = "standard"
tiers = [{{ to = "100", price = "0.10" }}, {{ price = "0.20" }}]
"""


class TestIntervals(RaterContract):
    @pytest.fixture
    def specimen(self, interval_days: Callable[..., list[AnyUsage]]) -> Specimen:
        def one_by_day_two_by_night(start: datetime) -> int:
            return 1 if 6 <= start.hour < 18 else 2

        return Specimen(
            plugins=[("utility_metering", plugin)],
            plan=TIME_OF_USE,
            records=interval_days("2026-06-01/2026-07-01", one_by_day_two_by_night),
            # a day has 6 peak hours of 1 kWh and 6 x 1 + 12 x 2 = 30 kWh off peak: 30 x (6 x 0.30 + 30 x 0.10)
            figures=[Figure("energy", "144")],
            period=JUNE,
            bad_files=[("nem12", b"100,NEM12,202606010000,FROM,TO\n300,20260601,1\n")],
        )


class TestRegisters(RaterContract):
    @pytest.fixture
    def specimen(self, read_at: Callable[..., AnyUsage]) -> Specimen:
        return Specimen(
            plugins=[("utility_metering", plugin)],
            plan=TIERS,
            records=[read_at("2026-06-01", "1000"), read_at("2026-06-16", "1090"), read_at("2026-07-01", "1150")],
            figures=[Figure("energy", "20")],  # 150 kWh: 100 x 0.10 + 50 x 0.20
            period=JUNE,
            bad_files=[("register_csv", b"meter,register,read_at,value\nM1,1,yesterday,5\n")],
        )
