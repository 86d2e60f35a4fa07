"""What prices the calls of a shard: plan component and deck by agreement, direction and day, each combination looked up once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import AgreementUsage, BillingGroup, Component, RateTable, Tile, UsageColumns
from billing_telecom_usage.deck.digits import Integers
from billing_telecom_usage.kinds import Direction
from billing_telecom_usage.rating.allowances import buckets_of
from billing_telecom_usage.rating.sorting import component_for
from billing_telecom_usage.rating.tariff import CallPricing

NO_COMPONENT = -1
"""Slot of calls for which no component of a plan is there."""

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_MOST_COMBINATIONS = 4_000_000


@attrs.frozen(kw_only=True, eq=False)
class Tariff:
    """Calls that are priced by one rule.

    Attributes:
        params: parameters of the component.
        deck: the deck.
        zone: zone of the wall clock.
        holidays: holidays of its calendar.
    """

    params: CallPricing
    deck: RateTable
    zone: str
    holidays: frozenset[date]


@attrs.frozen(kw_only=True, eq=False)
class Slot:
    """What prices some calls of the agreements of one term.

    Attributes:
        term: place of the term.
        tile: plan version in force.
        component: component that prices them.
        tariff: place of the tariff, -1 where no version of the deck is in force.
    """

    term: int
    tile: Tile
    component: Component
    tariff: int

    @property
    def params(self) -> CallPricing:
        """The parameters of the component."""
        params: CallPricing = self.component.params
        return params


@attrs.frozen(kw_only=True, eq=False)
class Slots:
    """The slots of a shard.

    Attributes:
        slots: the slots.
        tariffs: the tariffs.
        of_rows: place of the slot of each record, or `NO_COMPONENT`.
        terms: an agreement of each term, with its group.
        term_of: place of the term of each agreement.
    """

    slots: tuple[Slot, ...]
    tariffs: tuple[Tariff, ...]
    of_rows: Integers
    terms: tuple[tuple[BillingGroup, AgreementUsage], ...]
    term_of: Integers
    _fresh: dict[int, Mapping[str, int]] = attrs.field(init=False, factory=dict)

    def fresh(self, term: int) -> Mapping[str, int]:
        """Return what a term grants: seconds by name of the state, without what earlier periods left."""
        if term not in self._fresh:
            _, usage = self.terms[term]
            kept = buckets_of(attrs.evolve(usage, state={})).by_period
            self._fresh[term] = {name: buckets[usage.period.start].left_s for name, buckets in kept.items()}
        return self._fresh[term]

    def granted(self, component: Component) -> dict[int, Mapping[str, int]]:
        """Return the seconds of all allowances, by term and name of their state, of the terms in which a component prices."""
        return {
            slot.term: self.fresh(slot.term)
            for slot in self.slots
            if slot.component.code == component.code and slot.params.allowances == component.params.allowances
        }

    def unclear(self) -> npt.NDArray[np.bool_]:
        """Return for each slot whether plan versions of its term give its component's allowances in different words."""
        known: dict[tuple[int, str], set[object]] = {}
        for slot in self.slots:
            known.setdefault((slot.term, slot.component.code), set()).add(slot.params.allowances)
        return np.array([len(known[slot.term, slot.component.code]) > 1 for slot in self.slots], dtype=bool)

    def bears_attempts(self) -> npt.NDArray[np.bool_]:
        """Return for each slot whether calls that nobody answered bear a fee."""
        return np.array([slot.params.attempt_fee != Fraction(0) for slot in self.slots], dtype=bool)


def slots_of(columns: UsageColumns, agreement: Integers) -> Slots:
    """Return the slots of the records of a shard.

    Args:
        columns: the records.
        agreement: place of the agreement of each record.
    """
    first, term_of = np.unique(columns.terms, return_inverse=True)
    terms = tuple((columns.group(place), columns.usages[place]) for place in first.tolist())
    if not len(columns):
        return Slots(slots=(), tariffs=(), of_rows=np.zeros(0, dtype=np.int64), terms=terms, term_of=term_of)
    directions = columns.fields["direction"]
    names = [Direction(text.decode()) for text in directions.texts.tolist() if text] if directions.texts is not None else []
    day = int(columns.day.min())
    days = int(columns.day.max()) - day + 1
    combined = (term_of[agreement] * len(names) + directions.numbers) * days + (columns.day - day)
    finder = _Finder(terms=terms)
    there, places = _distinct(combined, len(terms) * len(names) * days)
    found = np.array(
        [
            finder.slot(
                one // days // len(names), names[one // days % len(names)], date.fromordinal(_EPOCH_DAY + day + one % days)
            )
            for one in there.tolist()
        ],
        dtype=np.int64,
    )
    return Slots(
        slots=tuple(finder.slots),
        tariffs=tuple(finder.tariffs),
        of_rows=found[places],
        terms=terms,
        term_of=term_of,
    )


def _distinct(numbers: Integers, end: int) -> tuple[Integers, Integers]:
    """Return the different numbers below `end` that are there, and the place of each row's one among them."""
    if end > _MOST_COMBINATIONS:
        found, places = np.unique(numbers, return_inverse=True)
        return found, places
    flags = np.zeros(end, dtype=bool)
    flags[numbers] = True
    return np.flatnonzero(flags), (np.cumsum(flags) - 1)[numbers]


@attrs.define
class _Finder:
    """Finds slots and tariffs, each once."""

    terms: tuple[tuple[BillingGroup, AgreementUsage], ...]
    slots: list[Slot] = attrs.field(factory=list)
    tariffs: list[Tariff] = attrs.field(factory=list)
    places: dict[tuple[object, ...], int] = attrs.field(factory=dict)

    def slot(self, term: int, direction: Direction, on: date) -> int:
        """Return the place of the slot of the calls of a term, direction and day."""
        group, usage = self.terms[term]
        tile = usage.tile_at(on)
        component = component_for(tile, direction) if tile is not None else None
        if tile is None or component is None:
            return NO_COMPONENT
        tariff = self._tariff(group, component.params, usage.table(component.params.deck, on))
        key = ("slot", term, id(tile), id(component), tariff)
        if key not in self.places:
            self.places[key] = len(self.slots)
            self.slots.append(Slot(term=term, tile=tile, component=component, tariff=tariff))
        return self.places[key]

    def _tariff(self, group: BillingGroup, params: CallPricing, deck: RateTable | None) -> int:
        if deck is None:
            return -1
        zone = params.zone or group.account.zone
        holidays = frozenset(group.holidays.get(params.holidays, ()))
        key = ("tariff", id(params), id(deck), zone, holidays)
        if key not in self.places:
            self.places[key] = len(self.tariffs)
            self.tariffs.append(Tariff(params=params, deck=deck, zone=zone, holidays=holidays))
        return self.places[key]


def line_ranks(slots: Slots) -> Iterator[int]:
    """Yield for each slot the rank of its lines: by component, then by first date of the plan version."""
    keys = [(slot.component.code, slot.tile.dates.start) for slot in slots.slots]
    ranks = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return (ranks[key] for key in keys)
