"""A rater from a plain function over the numbers of one account: lists of ints in, measures out.

For a trade whose rule is a loop over a few numbers: the framework turns a whole shard's columns into lists at once and hands each
account its own, so the loop is all that is spent per record. The same function rates one account for an explanation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import attrs

from billing_framework.rating.group import AgreementUsage, BillingGroup, Tile
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Measure, Rating
from billing_framework.rating.shard_twin import ShardTwin, a_kind, rate_by_columns
from billing_framework.usage.record import UsageKind
from billing_framework.values.errors import ContractBroken
from billing_framework.values.quantity import Quantity

if TYPE_CHECKING:
    from billing_framework.rating.charge import Charge
    from billing_framework.rating.rated_columns import RatedColumns
    from billing_framework.rating.usage_columns import FieldColumn, UsageColumns


_EPOCH_DAY = date(1970, 1, 1).toordinal()


@attrs.frozen(kw_only=True, eq=False)
class AccountRecords:
    """The records of one kind that start in one part of the period of one agreement, as lists, in order of subject and start.

    Attributes:
        usage: the agreement; its `records` may be empty.
        tile: plan version in force.
        rows: places of the records in the lists of the shard.
        days: local dates of the shard's records; `day` are those of these.
        seconds: local seconds of the shard's records; `second` are those of these.
        fields: values of the fields that were asked for: whole numbers, flags as 0 and 1, exact numbers scaled to the decimals
            asked for, dates as days and instants as microseconds since 1970, texts and choices as texts. None where a field has
            no value.
    """

    usage: AgreementUsage
    tile: Tile
    rows: slice | list[int]
    days: list[int]
    seconds: list[int]
    fields: Mapping[str, list[Any]]

    @property
    def day(self) -> list[int]:
        """Local date on which each record starts, as days since 1970 (which was a Thursday)."""
        return _of(self.days, self.rows)

    @property
    def second(self) -> list[int]:
        """Local second of that day."""
        return _of(self.seconds, self.rows)


@attrs.frozen(kw_only=True)
class MeasureScale:
    """What the whole numbers of a measure mean: unit, and decimals (2500 with 3 decimals is 2.500)."""

    unit: str
    decimals: int = 0


@attrs.frozen(kw_only=True)
class AccountRule:
    """The rule of a trade over the numbers of one account.

    Attributes:
        kind: the usage kind; records of a carried or divisible kind need a rater of their own.
        fields: fields of its body that the rule reads, to the decimals of exact ones (0 for others).
        measures: names of the measures that it yields, with their units.
        rate: the rule: records in, measure to whole number out; every record counts as named by them.
    """

    kind: UsageKind = attrs.field(validator=a_kind)
    fields: Mapping[str, int]
    measures: Mapping[str, MeasureScale]
    rate: Callable[[AccountRecords], Mapping[str, int]]


def account_rater(name: str, rule: AccountRule) -> Rater:
    """Return a rater from a rule over the numbers of one account.

    Args:
        name: unique name of the rater.
        rule: the rule.

    Raises:
        ContractBroken: ``RATE03`` for a kind whose records lie in more than one period, or are billed whenever they come.
    """
    if rule.kind.carried or rule.kind.divisible:
        what = f"records of the kind {rule.kind.name!r} are carried or divisible"
        raise ContractBroken("RATE03", what, remedy="Write a rater, which sees where each record lies")

    def over_columns(columns: UsageColumns) -> RatedColumns:
        return _rated(columns, rule)

    twin = ShardTwin(kind=rule.kind, fields=tuple(rule.fields), rate=over_columns)

    def rate(group: BillingGroup) -> Rating:
        (rating,) = rate_by_columns([group], twin, _refused)
        return rating

    return Rater(
        name=name,
        kinds=(rule.kind.name,),
        rate=rate,
        measures=tuple(rule.measures),
        shard=twin,
    )


def _refused(group: BillingGroup) -> Rating:
    raise AssertionError(group.account.code)  # one kind, and nothing is ever left


def _rated(columns: UsageColumns, rule: AccountRule) -> RatedColumns:
    import numpy as np  # noqa: PLC0415  numpy, only where columns are used

    from billing_framework.rating.rated_columns import LineColumns, RatedColumns  # noqa: PLC0415

    keys, days, seconds = columns.keys.tolist(), columns.day.tolist(), columns.second.tolist()
    lists = {name: _plain(columns.fields[name], decimals) for name, decimals in rule.fields.items()}
    found: list[list[tuple[Tile, slice | list[int], Mapping[str, int]]]] = [[] for _ in columns.usages]
    measured = np.zeros(len(columns), dtype=bool)
    for place, tile, rows in _parts(columns):
        given = AccountRecords(
            usage=columns.usages[place],
            tile=tile,
            rows=rows,
            days=days,
            seconds=seconds,
            fields={name: _of(values, rows) for name, values in lists.items()},
        )
        found[place].append((tile, rows, rule.rate(given)))
        measured[rows] = True

    def measures(place: int) -> tuple[Measure, ...]:
        code = columns.usages[place].agreement.code
        made = []
        for tile, rows, numbers in found[place]:
            own = tuple(_of(keys, rows))
            for name, number in numbers.items():
                quantity = _quantity(rule, name, number)
                made.append(Measure(agreement=code, name=name, quantity=quantity, dates=tile.dates, records=own))
        return tuple(made)

    return RatedColumns(
        lines=LineColumns.none(),
        unpriced=np.full(len(columns), RatedColumns.PRICED, dtype=np.int64),
        charge=_no_charge,
        measures=measures,
        measured=measured,
    )


def _of(values: list[Any], rows: slice | list[int]) -> list[Any]:
    return values[rows] if isinstance(rows, slice) else [values[row] for row in rows]


def _plain(column: FieldColumn, decimals: int) -> list[Any]:
    """Return the values of a field as a list."""
    from billing_framework.values.columns import Column, Overflows, widened  # noqa: PLC0415

    values: list[Any]
    if column.texts is not None:
        texts = [text.decode() for text in column.texts.tolist()]
        values = [texts[place] for place in column.numbers.tolist()]
    elif column.scale or decimals:
        values = widened(Column(column.numbers, column.scale), decimals, Overflows()).numbers.tolist()
    else:
        values = column.numbers.tolist()
    if column.missing is None or not column.missing.any():
        return values
    return [None if gone else value for value, gone in zip(values, column.missing.tolist(), strict=True)]


def _parts(columns: UsageColumns) -> Iterator[tuple[int, Tile, slice | list[int]]]:
    """Yield agreement, plan version and records of each part of a period in which records start."""
    firsts, days, own = columns.firsts.tolist(), columns.day, columns.own
    if not len(columns):
        return
    whole = _whole(columns)
    for place, usage in enumerate(columns.usages):
        first, last = firsts[place], firsts[place + 1]
        if first == last:
            continue
        if whole[place]:
            yield place, usage.tiles[0], slice(first, last)
            continue
        for tile in usage.tiles:
            start, end = (one.toordinal() - _EPOCH_DAY for one in (tile.dates.start, tile.dates.end))
            rows = [row for row in range(first, last) if own[row] and start <= days[row] < end]
            if rows:
                yield place, tile, rows


def _whole(columns: UsageColumns) -> list[bool]:
    """Tell for each agreement whether all of its records are its own and start under its one plan version."""
    import numpy as np  # noqa: PLC0415  numpy, only where columns are used

    terms, term_of = np.unique(columns.terms, return_inverse=True)
    tiles = [columns.usages[place].tiles for place in terms.tolist()]
    dates = [(some[0].dates.start.toordinal(), some[0].dates.end.toordinal()) if len(some) == 1 else (0, 0) for some in tiles]
    bounds = np.array(dates, dtype=np.int64)[term_of] - _EPOCH_DAY
    agreement = columns.agreement_of_rows()
    inside = columns.own & (columns.day >= bounds[agreement, 0]) & (columns.day < bounds[agreement, 1])
    found: list[bool] = (np.bincount(agreement[~inside], minlength=len(columns.usages)) == 0).tolist()
    return found


def _quantity(rule: AccountRule, name: str, number: int) -> Quantity:
    scale = rule.measures.get(name)
    if scale is None or type(number) is not int:
        what = f"the rule of kind {rule.kind.name!r} returned the measure {name!r}, undeclared or as no whole number"
        raise ContractBroken("RATE03", what, remedy="Declare it, and return whole numbers")
    return Quantity(Fraction(number, 10**scale.decimals) if scale.decimals else Fraction(number), scale.unit)


def _no_charge(line: int) -> Charge:
    raise AssertionError(line)  # measures only
