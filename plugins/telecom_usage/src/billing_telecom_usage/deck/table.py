"""A deck: the rate table of prices by number prefix, and what is wrong with one."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework import Finding, RateTable, RateTableKind, ValueRefused
from billing_telecom_usage.deck.groups import Group, parse_groups, two_blocks
from billing_telecom_usage.numbers import E164_DIGITS

ANY = "*"
"""Prefix of the row that prices numbers which no other row matches."""

_LONGEST_BLOCK = 86_400


@attrs.frozen(kw_only=True)
class DeckRow:
    """What calls to the numbers of one prefix cost.

    Attributes:
        prefix: first digits of the called number, with country code; ``*`` for all numbers without another row.
        destination: name of the destination, as the bill prints it.
        rate_per_min: price of a minute.
        connect_fee: price of a call that is answered, whatever its length.
        initial_s: seconds of the first block, charged whole.
        increment_s: seconds of each step after it.
        currency: currency of the prices; must be the deck's where both say one.
        effective_from: first date of the prices, where it is after that of the deck's version; calls before it have no rate.
        note: anything; it prices nothing.
        period: name of the tariff period that the row is for; empty for all that have no row of their own.
        included_s: first seconds of each call that are free; blocks count after them.
        nocharge_s: a call of at most so many seconds is free, a longer one is charged whole.
        minimum_s: least seconds that are charged.
        minimum_charge: least price of a call that is not free, in the deck's currency.
        maximum_charge: highest price of a call.
        groups: price groups instead of ``rate_per_min``, ``initial_s`` and ``increment_s``: ``0:0.20/60/60 900:0.10/60/1``.
    """

    prefix: str
    destination: str
    rate_per_min: Fraction
    connect_fee: Fraction = Fraction(0)
    initial_s: int = 1
    increment_s: int = 1
    currency: str = ""
    effective_from: date | None = None
    note: str = ""
    period: str = ""
    included_s: int = 0
    nocharge_s: int = 0
    minimum_s: int = 0
    minimum_charge: Fraction | None = None
    maximum_charge: Fraction | None = None
    groups: str = ""

    def price_groups(self) -> tuple[Group, ...]:
        """Return the price groups of the row.

        Raises:
            ValueRefused: ``TEL20`` where `groups` is no sound text.
        """
        return parse_groups(self.groups) if self.groups else two_blocks(self.rate_per_min, self.initial_s, self.increment_s)


_Fault = tuple[str, str]
"""What is wrong with a value, and what to do about it."""
_Rule = tuple[str, Callable[[Any], _Fault | None]]
"""A field, and what tells the fault of its value."""


def deck_findings(deck: RateTable) -> tuple[Finding, ...]:
    """Return what is wrong with the rows of a deck beyond types and keys, row by row; what many rows say is looked at once."""
    if not deck.size:
        return ()
    crossed = (_crossed_limits(deck), "minimum_charge", ("the least price is above the highest", "Correct one of them"))
    faults = [*_faults(deck, _rules(deck.currency)), crossed, *_faults(deck, [("groups", _groups_fault)])]
    placed = [(row, field, fault) for rows, field, fault in faults for row in rows]
    return tuple(_finding(deck, row, field, fault) for row, field, fault in sorted(placed, key=lambda one: one[0]))


def _faults(deck: RateTable, rules: Iterable[_Rule]) -> Iterator[tuple[list[int], str, _Fault]]:
    """Yield what is wrong with the values of some fields, and the rows that have them."""
    for field, fault_of in rules:
        column = deck.columns[field]
        for code, value in enumerate(column.values):
            fault = fault_of(value)
            if fault is not None:
                yield (column.codes == code).nonzero()[0].tolist(), field, fault


def _finding(deck: RateTable, row: int, field: str, fault: _Fault) -> Finding:
    value = getattr(deck.row(row), field)
    what, remedy = fault
    return Finding(code="TEL30", what=what, remedy=remedy, line=row + 1, field=field, value="" if value is None else str(value))


def _rules(currency: str) -> Iterator[_Rule]:
    """Yield what holds for the fields of a deck in a currency."""
    yield "prefix", _prefix_fault
    yield "destination", lambda name: None if name.strip() else ("the destination has no name", "Name it as bills shall print it")
    other = (f"the deck is in {currency}", "Load prices of another currency as another deck")
    yield "currency", lambda own: other if own and currency and own != currency else None
    negative = ("a price is negative", "Give credits by another component")
    for field in ("rate_per_min", "connect_fee", "minimum_charge", "maximum_charge"):
        yield field, lambda price: negative if price is not None and price.numerator < 0 else None
    for field, least in (("initial_s", 1), ("increment_s", 1), ("included_s", 0), ("nocharge_s", 0), ("minimum_s", 0)):
        yield field, functools.partial(_seconds_fault, least)


def _prefix_fault(prefix: str) -> _Fault | None:
    if prefix == ANY or (prefix.isascii() and prefix.isdigit() and len(prefix) <= E164_DIGITS):
        return None
    remedy = f"Write digits with country code and without plus, or {ANY} for all other numbers"
    return f"a prefix is one to {E164_DIGITS} digits", remedy


def _seconds_fault(least: int, seconds: int) -> _Fault | None:
    if least <= seconds <= _LONGEST_BLOCK:
        return None
    return f"seconds must be {least} to {_LONGEST_BLOCK}", "Correct the row"


def _groups_fault(groups: str) -> _Fault | None:
    try:
        if groups:
            parse_groups(groups)
    except ValueRefused as refused:
        return refused.what, refused.remedy
    return None


def _crossed_limits(deck: RateTable) -> list[int]:
    """Return the rows whose least price is above their highest."""
    least, most = (deck.columns[field] for field in ("minimum_charge", "maximum_charge"))
    if least.values == (None,) or most.values == (None,):
        return []
    pairs = list(zip(least.codes.tolist(), most.codes.tolist(), strict=True))
    crossed = set()
    for low, high in set(pairs):
        limits = least.values[low], most.values[high]
        if None not in limits and limits[0] > limits[1]:
            crossed.add((low, high))
    return [row for row, pair in enumerate(pairs) if pair in crossed]


DECK = RateTableKind(
    name="telecom_usage.deck",
    title="Prices of calls by number prefix",
    row=DeckRow,
    key=("prefix", "period"),
    prices=("rate_per_min", "connect_fee", "minimum_charge", "maximum_charge"),
    remarks=("effective_from", "note"),
    check=deck_findings,
)
