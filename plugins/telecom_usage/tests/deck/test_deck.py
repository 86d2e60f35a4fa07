"""Decks: what is wrong with a row is told with its place; groups are read as they are written."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pytest
from billing_telecom_usage.deck.columns import deck_columns, pick
from billing_telecom_usage.deck.digits import Digits, digits_of
from billing_telecom_usage.deck.groups import Group, groups_text, parse_groups
from billing_telecom_usage.deck.prefixes import prefixes_of
from billing_telecom_usage.deck.table import DECK, deck_findings

from billing_framework import RateTable, ValueRefused, exact
from billing_framework.rating.rate_table_file import RateTableHeader, read_by_rows, read_rate_table

GOOD = {"prefix": "49", "rate_per_min": "0.1"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"prefix": "+49"}, "prefix"),
        ({"prefix": ""}, "prefix"),
        ({"prefix": "1234567890123456"}, "prefix"),
        ({"prefix": "\u0664"}, "prefix"),
        ({"destination": " "}, "destination"),
        ({"currency": "USD"}, "currency"),
        ({"rate_per_min": "-0.1"}, "rate_per_min"),
        ({"minimum_charge": "-1"}, "minimum_charge"),
        ({"initial_s": 0}, "initial_s"),
        ({"increment_s": 90_000}, "increment_s"),
        ({"nocharge_s": -1}, "nocharge_s"),
        ({"minimum_charge": "2", "maximum_charge": "1"}, "minimum_charge"),
        ({"groups": "30:0.1/60/1"}, "groups"),
    ],
)
def test_a_wrong_row_is_told(wrong: dict[str, Any], field: str, make_deck: Any) -> None:
    (finding,) = deck_findings(make_deck(GOOD, {**GOOD, "prefix": "44", **wrong}))

    assert (finding.code, finding.line, finding.field) == ("TEL30", 2, field)
    assert finding.remedy


def test_what_is_wrong_is_told_row_by_row(make_deck: Any) -> None:
    limits = {"minimum_charge": "2", "maximum_charge": "1"}
    rows = [
        {**GOOD, **limits, "groups": "30:0.1/60/1", "increment_s": 0},
        {**GOOD, "prefix": "44", "minimum_charge": "1", "maximum_charge": "2"},
        {**GOOD, "prefix": "+1", "increment_s": 0, "note": "+1"},
        {**GOOD, "prefix": "45", "minimum_charge": "2"},
        {**GOOD, "prefix": "46", **limits},
    ]
    assert [(finding.line, finding.field, finding.value) for finding in deck_findings(make_deck(*rows))] == [
        (1, "increment_s", "0"),
        (1, "minimum_charge", "2"),
        (1, "groups", "30:0.1/60/1"),
        (3, "prefix", "+1"),
        (3, "increment_s", "0"),
        (5, "minimum_charge", "2"),
    ]


def laid_out(deck: RateTable, numbers: Digits) -> list[object]:
    """Return what a deck says of numbers in each of two tariff periods."""
    layout, count = deck_columns(deck, ("", "peak"), 7, None, exact("0.05")), len(numbers.keys)
    assert layout is not None
    told: list[object] = [layout.scale, layout.highest, layout.destinations]
    for period in range(2):
        at = layout.places(numbers).at(np.full(count, period), np.arange(count))
        whole = (layout.rate, layout.initial, layout.minimum_s, layout.least, layout.most, layout.destination, layout.is_plain)
        told += [np.broadcast_to(pick(column, at), at.shape).tolist() for column in whole]
        told.append([layout.field(place, "prefix") for place in at.tolist()])
    return told


def test_a_long_deck_is_checked_and_laid_out_by_columns_as_by_rows() -> None:
    lines = [
        f'{4900 + number},"to {number % 7}, ""{number % 3}""",0.{number % 91:03},60,{period}'
        for number in range(4_000)
        for period in ("", "peak")
    ]
    text = "\n".join(["prefix,destination,rate_per_min,initial_s,period", "*,rest,1,1,", *lines]).encode()
    header = RateTableHeader(code="d", version="1", kind=DECK.name, valid_from=date(2026, 1, 1), currency="EUR")
    found, rows = (read(text, file="deck.csv", header=header, kind=DECK).table for read in (read_rate_table, read_by_rows))

    assert found is not None
    assert rows is not None
    assert not isinstance(found.given, tuple)
    assert prefixes_of(found, "peak").places == prefixes_of(rows, "peak").places
    numbers = digits_of(np.array([f"{number}5".encode() for number in range(4_800, 9_000)]))
    assert laid_out(found, numbers) == laid_out(rows, numbers)
    assert deck_columns(found, (), 0, None, None) is None

    broken = text + b"\n+1,nowhere,1,0,\n"
    told_broken = [read(broken, file="deck.csv", header=header, kind=DECK).findings for read in (read_rate_table, read_by_rows)]
    assert told_broken[0] == told_broken[1]
    assert [(finding.line, finding.field) for finding in told_broken[0]] == [(8_003, "prefix"), (8_003, "initial_s")]


def test_a_deck_with_prefixes_that_are_no_digits_is_left_to_the_reference(make_deck: Any) -> None:
    for prefix in ("+49", "4930x", "1234567890123456", "\u0664"):
        assert deck_columns(make_deck(GOOD, {**GOOD, "prefix": prefix}), ("",), 0, None, None) is None


def test_a_sound_deck_has_no_findings(make_deck: Any) -> None:
    assert deck_findings(make_deck(GOOD, {**GOOD, "prefix": "*", "currency": "EUR"})) == ()


def test_a_deck_from_a_file_needs_prefix_destination_and_price() -> None:
    header = RateTableHeader(code="d", version="1", kind=DECK.name, valid_from=date(2026, 1, 1), currency="EUR")
    text = b"prefix,destination,rate_per_min,groups\n4930,Berlin,0.02,\n49,Germany,0,0:0.20/60/60 900:0.10/60/1\n"
    found = read_rate_table(text, file="deck.csv", header=header, kind=DECK)

    assert found.table is not None
    assert found.table.rows[1].price_groups() == (Group(0, exact("0.20"), 60, 60), Group(900, exact("0.10"), 60, 1))
    broken = read_rate_table(b"prefix,rate_per_min\n49,0.1\n", file="deck.csv", header=header, kind=DECK)
    assert broken.table is None


def test_groups_are_written_as_they_are_read() -> None:
    text = "0:0.2/60/60 900:0.1/60/1"
    assert groups_text(parse_groups(text)) == text


@pytest.mark.parametrize(
    "text", ["0:0.2/60", "1:0.2/60/60", "0:0.2/60/60 0:0.1/60/1", "0:0.2/0/60", "0:0.2/60/0", "0:-1/60/60", "x"]
)
def test_wrong_groups_are_refused(text: str) -> None:
    with pytest.raises(ValueRefused, match="TEL20"):
        parse_groups(text)


def test_any_number_and_periods_have_rows_of_their_own(make_deck: Any) -> None:
    deck = make_deck(GOOD, {**GOOD, "period": "peak", "destination": "dear"}, {**GOOD, "prefix": "*", "destination": "rest"})

    found = [
        prefixes_of(deck, period).row(number) for period, number in (("", "4930"), ("peak", "4930"), ("peak", "9"), ("", "4"))
    ]
    assert [row and row.destination for row in found] == ["to 49", "dear", "rest", "rest"]
    assert prefixes_of(make_deck(GOOD)).row("4") is None
