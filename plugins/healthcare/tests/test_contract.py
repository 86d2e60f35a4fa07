"""The rater of encounters keeps the contract of raters: a day of surgery, drugs by a list, and late and broken visits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import attrs
import pytest
from billing_healthcare import plugin
from billing_healthcare.kinds import Encounter

from billing_framework import AnyUsage, DateSpan
from billing_framework.testing import Figure, RaterContract, Specimen

HEAD = """schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2000-01-01
currency = "USD"
[[component]]
code = "care"
title = { en = "Care" }
model = "healthcare.contract"
charge_code = "care.services"
tax_category = "exempt"
"""
CHARGES = "code,charge,text\nX1,100,Visit\nX2,900,\nX3,1300,\nX7,20,Drug\n"
FEES = "code,fee,multiple,bilateral\nX1,80,0,0\nX2,400,2,1\nX3,700,2,1\n"
DRUGS = "code,fee\nX7,12.25\n"
TABLES = {
    "charges": ("healthcare.charge_master", CHARGES),
    "fees": ("healthcare.fee_schedule", FEES),
    "drugs": ("healthcare.fee_schedule", DRUGS),
}
TERMS = 'charge_master = "charges"\nbasis = "fee_schedule"\nfee_schedule = "fees"\ncarve_outs = "drugs"\nfactor = "1.10"\n'


def visit(name: str, usage: Callable[..., AnyUsage], lines: list[Any]) -> list[AnyUsage]:
    head = Encounter(encounter=name, place="11", last="CANARY")
    return [usage("encounter", head), *(usage("service_line", line) for line in lines)]


@pytest.fixture
def records(usage: Callable[..., AnyUsage], line: Callable[..., Any]) -> list[AnyUsage]:
    one = [
        line("X1", None, number=1),
        line("X3", None, number=2),
        line("X2", None, number=3, modifiers="50"),
        line("X7", "33.33", number=4, units=3),
    ]
    other = [line("X1", "75", number=1, on="2026-11-09", encounter="E2")]
    return [*visit("E1", usage, one), *visit("E2", usage, other)]


def specimen_of(
    bills: str, figure: str, records: list[AnyUsage], usage: Callable[..., AnyUsage], line: Callable[..., Any]
) -> Specimen:
    lost = usage("service_line", line("X1", "10", encounter="E8"))
    unpriced = visit("E9", usage, [line("X9", None, encounter="E9")])
    alone = usage("encounter", Encounter(encounter="E7", place="11", last="CANARY"))
    return Specimen(
        plugins=[("healthcare", plugin)],
        plan=f'{HEAD}bills = "{bills}"\n{TERMS}',
        records=records,
        figures=[Figure("care", figure)],
        period=DateSpan(date(2026, 11, 1), date(2026, 12, 1)),
        rate_tables=TABLES,
        late_records=visit("E0", usage, [line("X1", "75", number=1, on="2026-09-09", encounter="E0")]),
        bad_records=[lost, *unpriced, alone, attrs.evolve(lost, external_id="E8/2", body=attrs.evolve(lost.body, number=2))],
        bad_files=[
            ("encounter_json", b'{"encounter": "E1"}\n'),
            ("encounter_json", b'{"encounter": "E1", "lines": [1]}\nno json\n'),
            ("encounter_csv", b"encounter,account,place,last,code,date\nE1,P,11,DOE,X1,yesterday\n"),
        ],
    )


class TestClaims(RaterContract):
    @pytest.fixture
    def specimen(self, records: list[AnyUsage], usage: Callable[..., AnyUsage], line: Callable[..., Any]) -> Specimen:
        # 100 + 1300 + 900 by the charge master, 33.33 and 75 as delivered
        return specimen_of("charges", "2408.33", records, usage, line)


class TestAllowed(RaterContract):
    @pytest.fixture
    def specimen(self, records: list[AnyUsage], usage: Callable[..., AnyUsage], line: Callable[..., Any]) -> Specimen:
        # 80 x 1.1 = 88; 700 x 1.1 = 770; both sides 400 x 150 % = 600, second of the day 300, x 1.1 = 330;
        # the drug 3 x 12.25 = 36.75, not above the charge: 33.33; the visit alone 88, not above the charge: 75
        return specimen_of("allowed", "1296.33", records, usage, line)
