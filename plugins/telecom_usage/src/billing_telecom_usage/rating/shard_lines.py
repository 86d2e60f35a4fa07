"""Priced calls in columns become lines: one for each destination; their words and items are made only where asked for."""

from __future__ import annotations

import numpy as np

from billing_framework import Column, LineColumns, Overflows, RatedColumns, sum_groups
from billing_telecom_usage.deck.digits import Integers
from billing_telecom_usage.rating.line_writer import charge_writer
from billing_telecom_usage.rating.priced_calls import PricedCalls
from billing_telecom_usage.rating.slots import line_ranks

_LIMIT = 2**62


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
        charge=charge_writer(priced, lines),
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
