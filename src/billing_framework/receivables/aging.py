"""Aging: open items by how long they have been due, with what is not due, unapplied and held shown apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import attrs

from billing_framework.receivables.hold import Block, Hold, shielded
from billing_framework.receivables.open_item import Standing
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Money

NOT_DUE = "not due"
EDGES = (30, 60, 90, 120)
"""Last day of each bucket but the open one; the first bucket begins with the due date itself."""


def bucket_names(edges: Sequence[int] = EDGES) -> tuple[str, ...]:
    """Return the names of the buckets: ``0-30``, ``31-60``, ..., ``121+``."""
    starts = (0, *(edge + 1 for edge in edges))
    return (*(f"{start}-{edge}" for start, edge in zip(starts, edges, strict=False)), f"{starts[-1]}+")


def bucket_of(age_days: int, edges: Sequence[int] = EDGES) -> str:
    """Return the bucket of an age in days; below zero it is not due.

    Raises:
        ValueRefused: ``AR19`` where the edges do not ascend from zero.
    """
    if list(edges) != sorted(set(edges)) or (edges and edges[0] < 0):
        raise ValueRefused("AR19", f"the edges of aging must ascend, not {', '.join(map(str, edges))}")
    if age_days < 0:
        return NOT_DUE
    names = bucket_names(edges)
    return next((name for name, edge in zip(names, edges, strict=False) if age_days <= edge), names[-1])


@attrs.frozen(kw_only=True)
class AgingRow:
    """The open items of one account in one currency.

    Attributes:
        account: code of the account.
        currency: ISO 4217 code.
        not_due: open debit items that are not due yet.
        buckets: name of each bucket to what is open in it, in order.
        unapplied: open credit items, negative; never netted into a bucket.
        held: part of the debit items that a hold shields from dunning.
        total: all of it: the account's balance.
    """

    account: str
    currency: str
    not_due: Money
    buckets: tuple[tuple[str, Money], ...]
    unapplied: Money
    held: Money
    total: Money


def age_items(
    items: Iterable[Standing],
    *,
    as_of: date,
    basis: str = "due_date",
    edges: Sequence[int] = EDGES,
    holds: Sequence[Hold] = (),
) -> tuple[AgingRow, ...]:
    """Return one row for each account and currency with something open, in order of account and currency.

    Args:
        items: items and what is open of them.
        as_of: day of the report.
        basis: ``due_date``, or ``document_date``, by which the same item is older.
        edges: last day of each bucket but the open one.
        holds: holds that may shield items.

    Raises:
        ValueRefused: ``AR19`` for another basis.
    """
    if basis not in ("due_date", "document_date"):
        raise ValueRefused("AR19", f"aging is by due_date or document_date, not by {basis!r}")
    groups: dict[tuple[str, str], list[Standing]] = {}
    for standing in items:
        if standing.open:
            groups.setdefault((standing.item.account, standing.open.currency), []).append(standing)
    return tuple(_row(key, groups[key], as_of=as_of, basis=basis, edges=edges, holds=holds) for key in sorted(groups))


def _row(
    key: tuple[str, str], group: Sequence[Standing], *, as_of: date, basis: str, edges: Sequence[int], holds: Sequence[Hold]
) -> AgingRow:
    account, currency = key
    zero = Money.zero(currency)
    sums = dict.fromkeys((NOT_DUE, *bucket_names(edges)), zero)
    unapplied = held = zero
    for standing in group:
        if not standing.item.is_debit:
            unapplied = unapplied + standing.open
            continue
        since = standing.item.due_on if basis == "due_date" else standing.item.dated_on
        bucket = bucket_of((as_of - since).days, edges)
        sums[bucket] = sums[bucket] + standing.open
        held = held + shielded(standing, holds, on=as_of, block=Block.DUNNING).held
    total = Money.total(sums.values(), currency) + unapplied
    not_due = sums.pop(NOT_DUE)
    return AgingRow(
        account=account,
        currency=currency,
        not_due=not_due,
        buckets=tuple(sums.items()),
        unapplied=unapplied,
        held=held,
        total=total,
    )
