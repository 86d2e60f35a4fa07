"""A call never says what no source can deliver, whoever makes it: a reader, an officer who corrects it, or an edit in a draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
from billing_telecom_usage.numbers import NumberClass

from billing_framework import AnyUsage, ValueRefused

MakeCall = Callable[..., AnyUsage]


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"billed_seconds": 366 * 86_400 + 1}, "TEL05 no call lasts so long"),
        ({"duration_seconds": 2**63 - 1}, "TEL05 no call lasts so long"),
        ({"b_number": "abc"}, "TEL03 'abc' is no international"),
        ({"b_number": "+4930123456"}, "TEL03"),
        ({"b_number": "030123456"}, "TEL03"),
        ({"b_number": ""}, "TEL03"),
        ({"b_number": "", "b_class": NumberClass.OTHER}, "TEL03"),
        ({"b_number": "*100", "b_class": NumberClass.SHORT}, "TEL03"),
    ],
)
def test_a_call_that_no_source_delivers_is_refused(make_call: MakeCall, fields: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueRefused) as caught:
        attrs.evolve(make_call(60).body, **fields)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("number", "kind"), [("011", NumberClass.SHORT), ("*#x", NumberClass.OTHER), ("1", NumberClass.INTERNATIONAL)]
)
def test_numbers_of_each_class_are_taken(make_call: MakeCall, number: str, kind: NumberClass) -> None:
    assert attrs.evolve(make_call(60).body, b_number=number, b_class=kind).b_number == number
