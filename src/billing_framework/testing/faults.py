"""Faults that are planted in a rater, to prove that the contract would notice them."""

from __future__ import annotations

import decimal
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from types import MappingProxyType
from typing import TYPE_CHECKING

import attrs

from billing_framework.rating.group import BillingGroup, KeyedUsage
from billing_framework.rating.rating import Measure, Rating
from billing_framework.values.money import Amount
from billing_framework.values.quantity import Quantity

if TYPE_CHECKING:
    from billing_framework.rating.rated_columns import RatedColumns

Rate = Callable[[BillingGroup], Rating]


@attrs.frozen
class Fault:
    """A fault that a rater may have.

    Attributes:
        name: what is wrong, as a test's name.
        plant: takes the sound reference, returns one with the fault.
    """

    name: str
    plant: Callable[[Rate], Rate]

    def __str__(self) -> str:
        return self.name


def _records(group: BillingGroup) -> tuple[KeyedUsage, ...]:
    return tuple(record for usage in group.agreements for record in usage.records)


def _changed(group: BillingGroup, change: Callable[[Sequence[KeyedUsage]], Sequence[KeyedUsage]]) -> BillingGroup:
    return attrs.evolve(
        group, agreements=tuple(attrs.evolve(usage, records=tuple(change(usage.records))) for usage in group.agreements)
    )


def _priced(rate: Rate, group: BillingGroup) -> list[int]:
    """Return the keys of the records that matter most: those that the sound rater prices, else all."""
    rating = rate(group)
    named = {key for charge in rating.charges if charge.amount.value for key in charge.records}
    named |= {key for measure in rating.measures if measure.quantity.value for key in measure.records}
    return [record.key for record in _records(group) if record.key in named]


def _hidden(rating: Rating, key: int) -> Rating:
    """Return a rating that claims to have priced a record, so that the control totals look right."""
    if rating.charges:
        first, *others = rating.charges
        return attrs.evolve(rating, charges=(attrs.evolve(first, records=tuple({*first.records, key})), *others))
    if rating.measures:
        measure, *rest = rating.measures
        return attrs.evolve(rating, measures=(attrs.evolve(measure, records=tuple({*measure.records, key})), *rest))
    return attrs.evolve(rating, unpriced={**rating.unpriced, key: "free"})


def _dropped(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        keys = _priced(rate, group)
        if not keys:
            return rate(group)
        return _hidden(rate(_changed(group, lambda records: [one for one in records if one.key != keys[-1]])), keys[-1])

    return faulty


def _forgotten(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        keys = _priced(rate, group)
        return rate(_changed(group, lambda records: [one for one in records if one.key != keys[-1]])) if keys else rate(group)

    return faulty


def _doubled(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        keys = _priced(rate, group)
        if not keys:
            return rate(group)
        twice = keys[0]
        return _renamed(rate(_changed(group, lambda records: [*records, *_copies(records, twice)])), -1, twice)

    return faulty


def _copies(records: Sequence[KeyedUsage], key: int) -> list[KeyedUsage]:
    return [
        attrs.evolve(one, key=-1, usage=attrs.evolve(one.usage, external_id=f"{one.usage.external_id}-again"))
        for one in records
        if one.key == key
    ]


def _renamed(rating: Rating, copy: int, key: int) -> Rating:
    """Return a rating that names the record instead of its copy."""

    def clean(keys: Sequence[int]) -> tuple[int, ...]:
        return tuple(dict.fromkeys(key if one == copy else one for one in keys))

    return attrs.evolve(
        rating,
        charges=tuple(
            attrs.evolve(
                one,
                records=clean(one.records),
                items=tuple(attrs.evolve(item, record=key) if item.record == copy else item for item in one.items),
            )
            for one in rating.charges
        ),
        measures=tuple(attrs.evolve(one, records=clean(one.records)) for one in rating.measures),
        unpriced={(key if one == copy else one): reason for one, reason in rating.unpriced.items()},
    )


def _zeroed(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        keys = _priced(rate, group)
        if not keys:
            return rate(group)
        return rate(_changed(group, lambda records: [_zero(one) if one.key == keys[0] else one for one in records]))

    return faulty


def _zero(record: KeyedUsage) -> KeyedUsage:
    body = record.usage.body
    numbers: dict[str, object] = {}
    for field in attrs.fields(type(body)):
        value = getattr(body, field.name)
        if type(value) is int or type(value) is Fraction:
            numbers[field.name] = type(value)(0)
        elif type(value) is tuple and all(type(one) is int for one in value):
            numbers[field.name] = (0,) * len(value)
    return attrs.evolve(record, usage=attrs.evolve(record.usage, body=_unchecked(body, numbers)))


def _unchecked(body: object, numbers: dict[str, object]) -> object:
    """Return a body with other numbers, even where its class would refuse them: a faulty rater asks nobody."""
    changed = object.__new__(type(body))
    for field in attrs.fields(type(body)):  # type: ignore[arg-type]
        object.__setattr__(changed, field.name, numbers.get(field.name, getattr(body, field.name)))
    return changed


def _nudged(rating: Rating) -> Rating:
    """Return a rating in which one digit is another one."""
    priced = [place for place, one in enumerate(rating.charges) if one.amount.value]
    if priced:
        charges = list(rating.charges)
        charge = charges[priced[0]]
        more = Amount(Fraction(1, 100), charge.amount.currency)
        items = tuple(
            attrs.evolve(item, amount=item.amount + more) if number == 0 else item for number, item in enumerate(charge.items)
        )
        charges[priced[0]] = attrs.evolve(charge, amount=charge.amount + more, items=items)
        return attrs.evolve(rating, charges=tuple(charges))
    measured = [place for place, one in enumerate(rating.measures) if one.quantity.value]
    if measured:
        measures = list(rating.measures)
        measures[measured[0]] = _more(measures[measured[0]])
        return attrs.evolve(rating, measures=tuple(measures))
    return rating


def _more(measure: Measure) -> Measure:
    return attrs.evolve(measure, quantity=Quantity(measure.quantity.value + 1, measure.quantity.unit), series=None)


def _changed_digit(rate: Rate) -> Rate:
    return lambda group: _nudged(rate(group))


def _order_dependent(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        listed = [(record.usage.kind, record.usage.subject, record.usage.span.start, record.key) for record in _records(group)]
        return rate(group) if listed == sorted(listed) else _nudged(rate(group))

    return faulty


def _mutating(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        rating = rate(group)
        for record in _records(group):
            record.assignment.details["seen"] = "yes"
        return rating

    return faulty


def _forgetting_nothing(rate: Rate) -> Rate:
    calls: list[int] = []

    def faulty(group: BillingGroup) -> Rating:
        calls.append(1)
        return _nudged(rate(group)) if len(calls) % 4 in {2, 3} else rate(group)

    return faulty


def _ambient(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        third = decimal.Decimal(1) / decimal.Decimal(3)  # nobody should ask the ambient context for a digit
        return rate(group) if len(str(third)) > 20 else _nudged(rate(group))

    return faulty


def _nameless(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        rating = rate(group)
        named = {key for charge in rating.charges for key in charge.records}
        named |= {key for measure in rating.measures for key in measure.records}
        return attrs.evolve(
            rating,
            charges=tuple(attrs.evolve(one, records=(), state_read=(), items=()) for one in rating.charges),
            measures=tuple(attrs.evolve(one, records=(), state_read=()) for one in rating.measures),
            unpriced={**rating.unpriced, **dict.fromkeys(named, "priced elsewhere")},
        )

    return faulty


def _failing(rate: Rate) -> Rate:
    def faulty(group: BillingGroup) -> Rating:
        if len(_records(group)) > 1:
            raise ZeroDivisionError("a record nobody thought of")
        return rate(group)

    return faulty


def _all_faults() -> Iterator[Fault]:
    yield Fault("a record is dropped and said to be priced", _dropped)
    yield Fault("a record is forgotten", _forgotten)
    yield Fault("a record is counted twice", _doubled)
    yield Fault("the numbers of a record are zero", _zeroed)
    yield Fault("a digit is another one", _changed_digit)
    yield Fault("the order of the records matters", _order_dependent)
    yield Fault("the input is changed", _mutating)
    yield Fault("the rater remembers earlier calls", _forgetting_nothing)
    yield Fault("the ambient decimal context decides a digit", _ambient)
    yield Fault("charges name no records", _nameless)
    yield Fault("a record makes the rater fail", _failing)


FAULTS: tuple[Fault, ...] = tuple(_all_faults())
"""All faults; the contract must notice each of them in the very rater that it tests."""

TWIN_FAULTS: MappingProxyType[str, Callable[[Rating], Rating]] = MappingProxyType({"a digit of the twin is another one": _nudged})
"""Faults of a columnar twin alone."""


def _dearer(columns: RatedColumns) -> RatedColumns:
    """Return columns in which the last digit of an item and of its line is another one."""
    lines = columns.lines
    if not len(lines):
        return columns
    items, totals = lines.amounts.numbers.copy(), lines.totals.numbers.copy()
    items[0] += 1
    totals[0] += 1
    amounts = attrs.evolve(lines.amounts, numbers=items)
    return attrs.evolve(columns, lines=attrs.evolve(lines, amounts=amounts, totals=attrs.evolve(lines.totals, numbers=totals)))


def _unsummed(columns: RatedColumns) -> RatedColumns:
    """Return columns in which an item is dearer than its line says."""
    lines = columns.lines
    if not len(lines):
        return columns
    items = lines.amounts.numbers.copy()
    items[-1] += 1
    return attrs.evolve(columns, lines=attrs.evolve(lines, amounts=attrs.evolve(lines.amounts, numbers=items)))


def _unnamed(columns: RatedColumns) -> RatedColumns:
    """Return columns that forget the last record: that of a line, or one that a measure names."""
    if columns.measured is not None and columns.measured.any():
        named = columns.measured.copy()
        named[named.nonzero()[0][-1]] = False
        return attrs.evolve(columns, measured=named)
    lines = columns.lines
    if len(lines.rows) < 2:
        return columns
    rows = lines.rows.copy()
    rows[-1] = rows[0]
    return attrs.evolve(columns, lines=attrs.evolve(lines, rows=rows))


COLUMN_FAULTS: MappingProxyType[str, Callable[[RatedColumns], RatedColumns]] = MappingProxyType(
    {"a digit of the columns is another one": _dearer, "items do not sum up": _unsummed, "a row is forgotten": _unnamed}
)
"""Faults of the columns of a columnar twin; those of prices change nothing where a rater only measures."""
