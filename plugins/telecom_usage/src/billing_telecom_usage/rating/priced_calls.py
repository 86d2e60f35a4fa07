"""The calls of a shard with what is known of their prices, column by column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Self

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import CarriedState, UsageColumns
from billing_telecom_usage.deck.columns import DeckColumns, pick
from billing_telecom_usage.deck.digits import Integers
from billing_telecom_usage.rating.allowance_columns import CoverColumns
from billing_telecom_usage.rating.allowances import buckets_of
from billing_telecom_usage.rating.call_columns import CallColumns
from billing_telecom_usage.rating.item import seconds_of
from billing_telecom_usage.rating.slots import Slots

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_UNTOUCHED = -1


@attrs.define(eq=False)
class PricedCalls:
    """The calls of a shard with all that is known of their prices; every array has a place for each record.

    Attributes:
        columns: the records.
        agreement: place of the agreement.
        slots: what prices them.
        scale: decimals of the amounts.
        decks: the decks that price calls.
        deck: place of the deck.
        at: row of the deck for the period in which the call starts.
        seconds: seconds to charge.
        billed: seconds that are charged.
        free: seconds that allowances cover.
        bears: whether one of them leaves the connection fee.
        amount: the price.
        left: state of an allowance to the seconds that each agreement has left, -1 where no call asked for it.
    """

    columns: UsageColumns
    agreement: Integers
    slots: Slots
    scale: int
    deck: Integers
    at: Integers
    seconds: Integers
    billed: Integers
    free: Integers
    bears: npt.NDArray[np.bool_]
    amount: Integers
    decks: list[DeckColumns] = attrs.field(factory=list)
    left: dict[str, Integers] = attrs.field(factory=dict)

    @classmethod
    def empty(cls, columns: UsageColumns, agreement: Integers, slots: Slots, *, scale: int) -> Self:
        """Return calls without prices."""
        deck, at, seconds, billed, free, amount = (np.zeros(len(columns), dtype=np.int64) for _ in range(6))
        bears = np.zeros(len(columns), dtype=bool)
        return cls(columns, agreement, slots, scale, deck, at, seconds, billed, free, bears, amount)

    def take(self, rows: Integers, deck: DeckColumns, calls: CallColumns, billed: Integers) -> None:
        """Note what prices the calls of one tariff."""
        self.deck[rows] = len(self.decks)
        self.decks.append(deck)
        self.at[rows] = calls.at
        self.seconds[rows] = calls.seconds
        self.billed[rows] = billed

    def cover(self, rows: Integers, found: CoverColumns, left: Mapping[str, Integers], agreement: Integers) -> None:
        """Note what allowances cover of some calls."""
        self.free[rows], self.bears[rows] = found.free, found.bears
        for name, seconds in left.items():
            kept = self.left.setdefault(name, np.full(len(self.columns.usages), _UNTOUCHED, dtype=np.int64))
            kept[agreement] = seconds[agreement]

    def destinations(self, rows: Integers) -> tuple[Integers, int]:
        """Return the rank of the destination of some calls by name, and how many destinations there are."""
        if len(self.decks) == 1:
            (deck,) = self.decks
            return np.broadcast_to(pick(deck.destination, self.at[rows]), rows.shape), len(deck.destinations)
        names = sorted({name for deck in self.decks for name in deck.destinations})
        ranks = {name: rank for rank, name in enumerate(names)}
        found = np.zeros(len(rows), dtype=np.int64)
        for number, deck in enumerate(self.decks):
            own = np.flatnonzero(self.deck[rows] == number)
            rank = np.array([ranks[name] for name in deck.destinations], dtype=np.int64)
            found[own] = rank[pick(deck.destination, self.at[rows[own]])]
        return found, len(names)

    def late(self, rows: Integers) -> npt.NDArray[np.bool_]:
        """Return whether calls start before the period of their bill."""
        starts = np.array([group.period.start.toordinal() - _EPOCH_DAY for group, _ in self.slots.terms], dtype=np.int64)
        found: npt.NDArray[np.bool_] = self.columns.day[rows] < starts[self.slots.term_of][self.agreement[rows]]
        return found

    def state(self, agreement: int) -> tuple[CarriedState, ...]:
        """Return what is left of the allowances of an agreement."""
        usage = self.columns.usages[agreement]
        if not usage.state:
            return self._first_state(agreement)
        buckets = buckets_of(usage)
        for name, kept in buckets.by_period.items():
            left = self._left(name, agreement)
            if left != _UNTOUCHED:
                kept[usage.period.start].left_s = left
        return tuple(buckets.states())

    def _first_state(self, agreement: int) -> tuple[CarriedState, ...]:
        """Return the state of an agreement that has carried none on: what it is granted is the same for all of its term."""
        usage, term = self.columns.usages[agreement], int(self.slots.term_of[agreement])
        found = []
        for name, granted in self.slots.fresh(term).items():
            left = self._left(name, agreement)
            seconds = granted if left == _UNTOUCHED else left
            values = {usage.period.start.isoformat(): seconds_of(seconds).value}
            found.append(CarriedState(scope=usage.agreement.code, name=name, period=usage.period, values=values))
        return tuple(found)

    def _left(self, name: str, agreement: int) -> int:
        return int(self.left[name][agreement]) if name in self.left else _UNTOUCHED
