"""What a columnar rater returns: priced items and lines as columns, checked at once; charges as objects only where asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar, Self

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework.rating.charge import Charge
from billing_framework.rating.rating import Measure, Rating
from billing_framework.rating.state import CarriedState
from billing_framework.rating.usage_columns import UsageColumns
from billing_framework.values.columns import Column, Integers, Overflows, sum_groups


@attrs.frozen(kw_only=True, eq=False)
class LineColumns:
    """The charges of a shard, one line after the other, each with the records that it rests on.

    `LineColumns.none()` is that of raters that only measure.

    Attributes:
        agreement: place of the agreement of each line, ascending.
        firsts: first item of each line, and the end of the last.
        rows: place of the record of each item.
        amounts: exact price of each item, one scale for all.
        quantities: quantity of each item.
        totals: exact amount of each line.
    """

    agreement: Integers
    firsts: Integers
    rows: Integers
    amounts: Column
    quantities: Column
    totals: Column

    def __len__(self) -> int:
        return len(self.agreement)

    @classmethod
    def none(cls) -> Self:
        """Return no lines at all."""
        empty, nothing = np.zeros(0, dtype=np.int64), Column([])
        begin = np.zeros(1, dtype=np.int64)
        return cls(agreement=empty, firsts=begin, rows=empty, amounts=nothing, quantities=nothing, totals=nothing)


def _no_measures(_agreement: int) -> tuple[Measure, ...]:
    return ()


def _no_state(_agreement: int) -> tuple[CarriedState, ...]:
    return ()


@attrs.frozen(kw_only=True, eq=False)
class RatedColumns:
    """What the records of a shard come to.

    Attributes:
        lines: the charges.
        unpriced: for each record the place in `reasons` of why it carries no price; `PRICED` where it stands in a line, is not
            the agreement's own, or belongs to a group that is left.
        reasons: reasons for no price.
        left: places of the groups that the twin leaves to the reference; nothing else is said of them.
        charge: the whole charge of a line by its place, with its items, words and steps.
        state: new carried state of an agreement by its place.
        measures: measures of an agreement by its place.
        measured: whether a measure names the record; None where there are no measures.
    """

    PRICED: ClassVar[int] = -1
    lines: LineColumns
    unpriced: Integers
    reasons: tuple[str, ...] = ()
    left: frozenset[int] = frozenset()
    charge: Callable[[int], Charge]
    state: Callable[[int], tuple[CarriedState, ...]] = _no_state
    measures: Callable[[int], tuple[Measure, ...]] = _no_measures
    measured: npt.NDArray[np.bool_] | None = None


def ratings_of(columns: UsageColumns, rated: RatedColumns) -> Iterator[Rating | None]:
    """Yield the rating of each group as objects, None for those that the twin leaves to the reference."""
    line_firsts = np.searchsorted(rated.lines.agreement, np.arange(len(columns.usages) + 1)).tolist()
    agreements = np.searchsorted(columns.group_of, np.arange(len(columns.groups) + 1)).tolist()
    firsts = columns.firsts.tolist()
    is_free = rated.unpriced != rated.PRICED
    with_free = set(columns.group_of[columns.agreement_of_rows()[is_free]].tolist())
    for place in range(len(columns.groups)):
        if place in rated.left or place in columns.mixed:
            yield None
            continue
        low, high = agreements[place], agreements[place + 1]
        unpriced = {}
        if place in with_free:
            rows = slice(firsts[low], firsts[high])
            free = zip(columns.keys[rows].tolist(), rated.unpriced[rows].tolist(), strict=True)
            unpriced = {key: rated.reasons[code] for key, code in free if code != rated.PRICED}
        yield Rating(
            measures=tuple(one for agreement in range(low, high) for one in rated.measures(agreement)),
            charges=tuple(rated.charge(line) for line in range(line_firsts[low], line_firsts[high])),
            state=tuple(one for agreement in range(low, high) for one in rated.state(agreement)),
            unpriced=unpriced,
        )


def columns_faults(columns: UsageColumns, rated: RatedColumns) -> Iterator[str]:
    """Yield in what way a twin's columns contradict themselves or the records, in words that follow "the twin ..."."""
    lines = rated.lines
    firsts, items = lines.firsts, len(lines.rows)
    if len(firsts) != len(lines) + 1 or (np.diff(firsts) < 1).any() or firsts[0] != 0 or firsts[-1] != items:
        yield "returned lines without items, or items without a line"
        return
    if items and not (lines.rows.min() >= 0 and lines.rows.max() < len(columns)):
        yield "priced records that it was not given"
        return
    if (np.diff(lines.agreement) < 0).any() or len(rated.unpriced) != len(columns):
        yield "returned lines out of order, or reasons for other records than it was given"
        return
    agreement = columns.agreement_of_rows()
    if (agreement[lines.rows] != np.repeat(lines.agreement, np.diff(firsts))).any():
        yield "charged an agreement for records of another one"
    named = np.bincount(lines.rows, minlength=len(columns)) + (rated.unpriced != rated.PRICED)
    if rated.measured is not None:
        named += rated.measured
    left = np.isin(columns.group_of[agreement], np.array(sorted(rated.left), dtype=np.int64))
    if (named > np.where(left | ~columns.own, 0, 1)).any():
        yield "names a record more than once, or one of another agreement or of a group that it leaves"
    if ((named == 0) & columns.own & ~left & columns.in_period()).any():
        yield "names a record of the period nowhere"
    sums = sum_groups(lines.amounts, firsts[:-1], Overflows())
    if sums.scale != lines.totals.scale or (sums.numbers != lines.totals.numbers).any():
        yield "returned items that do not sum to their line"
