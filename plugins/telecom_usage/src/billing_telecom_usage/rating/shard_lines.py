"""Priced calls in columns become lines: one for each destination; their words and items are made only where asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Self

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import CarriedState, Charge, Column, LineColumns, Overflows, RatedColumns, UsageColumns, sum_groups
from billing_telecom_usage.deck.columns import DeckColumns, pick
from billing_telecom_usage.deck.digits import Integers
from billing_telecom_usage.kinds import Direction
from billing_telecom_usage.rating.allowance_columns import CoverColumns
from billing_telecom_usage.rating.allowances import buckets_of, states_read
from billing_telecom_usage.rating.call_columns import CallColumns
from billing_telecom_usage.rating.lines import RatedCall, charge_of
from billing_telecom_usage.rating.slots import Slots, line_ranks
from billing_telecom_usage.settings import TelecomSettings

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  a wall clock has no zone
_LIMIT = 2**62
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

    def calls(self) -> Callable[[int], RatedCall]:
        """Return what gives one call as an object by the place of its record; the numbers of all are made plain at once."""
        columns, slots = self.columns, self.slots
        keys, days, seconds = columns.keys.tolist(), columns.day.tolist(), columns.second.tolist()
        agreements, slot_of, deck_of = self.agreement.tolist(), slots.of_rows.tolist(), self.deck.tolist()
        at, lengths, billed, free = self.at.tolist(), self.seconds.tolist(), self.billed.tolist(), self.free.tolist()
        amounts, size = self.amount.tolist(), 10**self.scale
        numbers = {
            direction: columns.fields["a_number" if direction is Direction.INCOMING else "b_number"] for direction in Direction
        }
        groups = [columns.group(place) for place in range(len(columns.usages))]

        def call(row: int) -> RatedCall:
            slot, agreement = slots.slots[slot_of[row]], agreements[row]
            return RatedCall(
                key=keys[row],
                usage=columns.usages[agreement],
                tile=slot.tile,
                component=slot.component,
                deck=slots.tariffs[slot.tariff].deck.name,
                billed=groups[agreement].period,
                local=_EPOCH + timedelta(days=days[row], seconds=seconds[row]),
                number=numbers[slot.params.direction].text(row),
                seconds=lengths[row],
                row=self.decks[deck_of[row]].rows[at[row]],
                billed_s=billed[row],
                free_s=free[row],
                amount=Fraction(amounts[row], size),
            )

        return call

    def state(self, agreement: int) -> tuple[CarriedState, ...]:
        """Return what is left of the allowances of an agreement."""
        usage = self.columns.usages[agreement]
        buckets = buckets_of(usage)
        for name, kept in buckets.by_period.items():
            left = int(self.left[name][agreement]) if name in self.left else _UNTOUCHED
            if left != _UNTOUCHED:
                kept[usage.period.start].left_s = left
        return tuple(buckets.states())


def lines_of(
    priced: PricedCalls, kept: Integers, *, unpriced: Integers, reasons: tuple[str, ...], left: Integers
) -> RatedColumns:
    """Return the lines of calls.

    Args:
        priced: the calls of the shard.
        kept: those that stand in lines, in order of agreement and start.
        unpriced: reason of each record without a price.
        reasons: the reasons.
        left: places of the groups that the reference rates.
    """
    key = _line_keys(priced, kept)
    if len(key) and int(key.max() + 1) * len(key) < _LIMIT:  # sorting numbers is faster than finding their order
        both = np.sort(key * len(key) + np.arange(len(key)))
        ordered = both // len(key)
        rows = kept[both - ordered * len(key)]
    else:
        places = np.argsort(key, kind="stable")
        ordered, rows = key[places], kept[places]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    amounts = Column(priced.amount[rows], priced.scale)
    lines = LineColumns(
        agreement=priced.agreement[rows[begins]],
        firsts=np.append(begins, len(rows)),
        rows=rows,
        amounts=amounts,
        quantities=Column(priced.billed[rows], 0, "s"),
        totals=sum_groups(amounts, begins, Overflows()),
    )
    return RatedColumns(
        lines=lines,
        unpriced=unpriced,
        reasons=reasons,
        left=frozenset(left.tolist()),
        charge=_charge(priced, lines),
        state=priced.state,
    )


def _line_keys(priced: PricedCalls, kept: Integers) -> Integers:
    """Return numbers that order calls as lines stand: agreement, component, plan dates, late, not answered, destination."""
    ranks = np.array([*line_ranks(priced.slots), 0], dtype=np.int64)
    destination, destinations = priced.destinations(kept) if priced.decks else (kept, 1)
    key = priced.agreement[kept] * (int(ranks.max()) + 1) + ranks[priced.slots.of_rows[kept]]
    key = (key * 2 + priced.late(kept)) * 2 + (priced.seconds[kept] == 0)
    lines: Integers = key * destinations + destination
    return lines


def _charge(priced: PricedCalls, lines: LineColumns) -> Callable[[int], Charge]:
    settings = priced.columns.settings
    hidden = settings.hidden_digits if isinstance(settings, TelecomSettings) else 0

    made: list[Callable[[int], RatedCall]] = []

    def charge(line: int) -> Charge:
        if not made:  # the first charge that somebody asks for
            made.append(priced.calls())
        first, last = lines.firsts[line : line + 2].tolist()
        calls = [made[0](row) for row in lines.rows[first:last].tolist()]
        locale = priced.columns.group(int(lines.agreement[line])).account.locale
        return charge_of(calls, locale=locale, hidden_digits=hidden, state_read=states_read)

    return charge
