"""Encounters and services never say what no source can deliver, whoever makes them: a reader, or an edit in a draft."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

import attrs
import pytest
from billing_healthcare.kinds import Encounter, ServiceLine

from billing_framework import ValueRefused

HEAD = Encounter(encounter="E1", place="11", last="CANARY")
LINE = ServiceLine(encounter="E1", number=1, code="99213", served_on=date(2026, 11, 2))


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (LINE, {"code": "99 213"}),
        (LINE, {"code": ""}),
        (LINE, {"modifiers": "25:5"}),
        (LINE, {"modifiers": "25:26:27:28:29"}),
        (LINE, {"pointers": "1:x"}),
        (LINE, {"pointers": "0"}),
        (LINE, {"units": Fraction(0)}),
        (LINE, {"charge": Fraction(-1)}),
        (LINE, {"place": "1"}),
        (HEAD, {"place": ""}),
        (HEAD, {"frequency": "8"}),
    ],
)
def test_what_no_source_delivers_is_refused(body: Any, fields: dict[str, Any]) -> None:
    with pytest.raises(ValueRefused, match="HEALTH11"):
        attrs.evolve(body, **fields)


def test_what_an_edit_may_write_is_taken() -> None:
    assert attrs.evolve(HEAD, payer_control="ICN1", frequency="7", place="22").frequency == "7"
    line = attrs.evolve(LINE, modifiers="25:59", pointers="1:12", units=Fraction(3), charge=Fraction(0), place="22")
    assert line.modifier_list == ("25", "59")
