"""A deck: the rate table of prices by number prefix, and what is wrong with one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction

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


def deck_findings(deck: RateTable) -> tuple[Finding, ...]:
    """Return what is wrong with the rows of a deck beyond types and keys."""
    return tuple(finding for number, row in enumerate(deck.rows, start=1) for finding in _row_findings(deck, number, row))


def _row_findings(deck: RateTable, number: int, row: DeckRow) -> Iterator[Finding]:
    def told(what: str, remedy: str, field: str) -> Finding:
        value = getattr(row, field)
        return Finding(
            code="TEL30", what=what, remedy=remedy, line=number, field=field, value="" if value is None else str(value)
        )

    if row.prefix != ANY and not (row.prefix.isascii() and row.prefix.isdigit() and len(row.prefix) <= E164_DIGITS):
        remedy = f"Write digits with country code and without plus, or {ANY} for all other numbers"
        yield told(f"a prefix is one to {E164_DIGITS} digits", remedy, "prefix")
    if not row.destination.strip():
        yield told("the destination has no name", "Name it as bills shall print it", "destination")
    if row.currency and deck.currency and row.currency != deck.currency:
        yield told(f"the deck is in {deck.currency}", "Load prices of another currency as another deck", "currency")
    for field in ("rate_per_min", "connect_fee", "minimum_charge", "maximum_charge"):
        if (getattr(row, field) or 0) < 0:
            yield told("a price is negative", "Give credits by another component", field)
    for field, least in (("initial_s", 1), ("increment_s", 1), ("included_s", 0), ("nocharge_s", 0), ("minimum_s", 0)):
        if not least <= getattr(row, field) <= _LONGEST_BLOCK:
            yield told(f"seconds must be {least} to {_LONGEST_BLOCK}", "Correct the row", field)
    if row.minimum_charge is not None and row.maximum_charge is not None and row.minimum_charge > row.maximum_charge:
        yield told("the least price is above the highest", "Correct one of them", "minimum_charge")
    try:
        row.price_groups()
    except ValueRefused as refused:
        yield told(refused.what, refused.remedy, "groups")


DECK = RateTableKind(
    name="telecom_usage.deck",
    title="Prices of calls by number prefix",
    row=DeckRow,
    key=("prefix", "period"),
    prices=("rate_per_min", "connect_fee", "minimum_charge", "maximum_charge"),
    remarks=("effective_from", "note"),
    check=deck_findings,
)
