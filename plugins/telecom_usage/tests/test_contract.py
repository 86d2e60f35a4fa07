"""The rater of calls keeps the contract of raters: plain calls in columns, and calls by tariff periods with included minutes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from billing_telecom_usage import plugin
from billing_telecom_usage.numbers import NumberClass

from billing_framework import AnyUsage, DateSpan
from billing_framework.testing import Figure, RaterContract, Specimen

MakeCall = Callable[..., AnyUsage]
JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
DECK = """prefix,destination,rate_per_min,connect_fee,initial_s,increment_s,period
49,Germany,0.06,0.01,60,60,
49,Germany,0.12,0.01,60,60,peak
4917,Germany mobile,0.18,0,1,1,
"""
PLAN = """
schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2026-01-01
currency = "EUR"

[[component]]
code = "calls"
title = { en = "Calls" }
model = "telecom_usage.calls"
charge_code = "calls"
tax_category = "standard"
deck = "deck"
"""
PERIODS = """
periods = [{ name = "rest" }, { name = "peak", start = "08:00" }, { name = "rest", start = "18:00" }]
allowances = [{ name = "free", minutes = "2", prefixes = ["49"] }]
"""
BAD_FILES = [
    (
        "asterisk_cdr_csv",
        b'"","4930","49',
    ),
    ("freeswitch_cdr_csv", b'"a","b\n'),
]


def calls(make_call: MakeCall) -> list[AnyUsage]:
    return [
        make_call(61, "4930123456", at="2026-06-03T10:00:00+00:00"),
        make_call(100, "4917123456", at="2026-06-03T17:59:50+00:00"),
        make_call(30, "4989123456", at="2026-06-04T19:00:00+00:00"),
        make_call(0, "4989123456", at="2026-06-05T19:00:00+00:00"),
    ]


class TestPlainCalls(RaterContract):
    @pytest.fixture
    def specimen(self, make_call: MakeCall) -> Specimen:
        return Specimen(
            plugins=[("telecom_usage", plugin)],
            plan=PLAN,
            rate_tables={"deck": ("telecom_usage.deck", DECK)},
            records=calls(make_call),
            figures=[Figure("calls", "0.5")],  # 0.01 + 2 x 0.06; 100 x 0.18 / 60; 0.01 + 0.06
            period=JUNE,
            bad_records=[make_call(60, "33199001234"), make_call(60, "2001", kind=NumberClass.SHORT)],
            bad_files=BAD_FILES,
        )


class TestPeriodsAndAllowances(RaterContract):
    @pytest.fixture
    def specimen(self, make_call: MakeCall) -> Specimen:
        return Specimen(
            plugins=[("telecom_usage", plugin)],
            plan=PLAN + PERIODS,
            rate_tables={"deck": ("telecom_usage.deck", DECK)},
            records=calls(make_call),
            figures=[Figure("calls", "0.37")],  # 120 s are free; 100 x 0.18 / 60; 0.01 + 0.06
            period=JUNE,
            bad_records=[make_call(60, "33199001234")],
            bad_files=BAD_FILES,
        )
