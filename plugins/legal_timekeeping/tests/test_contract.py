"""The rater of matters keeps the contract of raters: time by the day, costs, a cap and a discount at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import attrs
import pytest
from billing_legal_timekeeping import plugin

from billing_framework import AnyUsage, DateSpan
from billing_framework.testing import Figure, RaterContract, Specimen

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
HEAD = """schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2026-01-01
currency = "USD"
"""
PEOPLE = """code,surname,classification,starts_on
RH,Hale,PARTNR,2020-01-01
TO,Ortiz,ASSOC,2020-01-01
"""
RATES = """timekeeper,classification,value,starts_on,ends_on
RH,,600,2020-01-01,2026-06-15
RH,,630,2026-06-15,
,ASSOC,350,2020-01-01,
"""
TABLES = {"people": ("legal_timekeeping.timekeeper", PEOPLE), "rates": ("legal_timekeeping.rate", RATES)}


class TestMatters(RaterContract):
    @pytest.fixture
    def specimen(
        self,
        entry: Callable[..., AnyUsage],
        expense: Callable[..., AnyUsage],
        fees: Callable[..., str],
        costs: Callable[..., str],
        arrangement: Callable[..., str],
    ) -> Specimen:
        unknown: Any = entry("1", timekeeper="XX", name="X1")
        plan = HEAD + fees('increment = { scope = "day" }') + costs()
        plan += arrangement("courtesy_discount", 'percent = "10"\nof = "costs"') + arrangement(
            "cap", 'limit = "1500"\nshown = "below"'
        )
        return Specimen(
            plugins=[("legal_timekeeping", plugin)],
            plan=plan,
            records=[
                entry(minutes=31, on="2026-06-10", name="T1"),
                entry(minutes=32, on="2026-06-10", name="T2"),
                entry("1", on="2026-06-16", name="T3"),
                entry("0.5", timekeeper="TO", on="2026-06-16", name="T4"),
                entry("0.3", status="no_charge", name="T5"),
                expense("E112", "402.00"),
                expense("E101", cost="soft", quantity="33", unit_cost="0.125"),
            ],
            # 63 min are 1.1 h x 600 = 660; 630; 0.5 h x 350 = 175: 1465, below the cap. 402 + 4.13 less 10 % = 365.52
            figures=[Figure("fees", "1465"), Figure("costs", "365.52")],
            period=JUNE,
            rate_tables=TABLES,
            bad_records=[unknown, attrs.evolve(unknown, external_id="X2", body=attrs.evolve(unknown.body, adjustment=-10_000))],
            bad_files=[
                ("legal_time_csv", b"id,matter,date,timekeeper,hours\nT,1,yesterday,RH,1\n"),
                ("legal_expense_csv", b"id,matter,date,code,amount\nE,1,2026-06-01,E112,much\n"),
                ("legal_json", b'{"type": "lunch"}'),
            ],
        )
