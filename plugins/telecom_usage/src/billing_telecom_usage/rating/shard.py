"""The calls of a shard as columns: which are priced, at what, and what stays with the reference; the twin of `rate`.

Left to the reference are groups with a call that has no price, that crosses more than one edge of tariff periods, whose deck row
has price groups, whose number is none, that came late under an allowance, or whose prices int64 does not hold.
"""

from __future__ import annotations

from datetime import date

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import Component, RatedColumns, UsageColumns, timezone, to_places
from billing_telecom_usage.deck.columns import DeckColumns, deck_columns, pick
from billing_telecom_usage.deck.digits import Digits, Integers, digits_of
from billing_telecom_usage.deck.prefixes import NONE
from billing_telecom_usage.numbers import NumberClass
from billing_telecom_usage.rating.allowance_columns import covered_columns, covers_columns
from billing_telecom_usage.rating.allowances import state_name
from billing_telecom_usage.rating.call_columns import CallColumns, SpokenColumns, settled_columns, spoken_columns
from billing_telecom_usage.rating.priced_calls import PricedCalls
from billing_telecom_usage.rating.shard_lines import lines_of
from billing_telecom_usage.rating.slots import Slots, Tariff, slots_of
from billing_telecom_usage.rating.sorting import INTERNAL, UNANSWERED
from billing_telecom_usage.rating.tariff import Allowance, Length
from billing_telecom_usage.rating.timeline import timeline

_EPOCH_DAY = date(1970, 1, 1).toordinal()
_REASONS = (UNANSWERED, INTERNAL)
_LONGEST_S = 2 * 86_400
_LIMIT = 2**62


@attrs.frozen(kw_only=True, eq=False)
class _Batch:
    """The calls of one tariff.

    Attributes:
        rows: their records.
        tariff: the tariff.
        deck: the deck.
        calls: what prices them.
        price: what they come to before allowances; zero for calls that nobody answered.
        attempts: calls that nobody answered and that bear a fee.
    """

    rows: Integers
    tariff: Tariff
    deck: DeckColumns
    calls: CallColumns
    price: SpokenColumns
    attempts: npt.NDArray[np.bool_]


@attrs.define
class _Shard:
    """A shard being rated.

    Attributes:
        columns: the records.
        agreement: place of the agreement of each record.
        slots: what prices them.
        numbers: the called numbers, by their place among the texts of the field.
        bad: records that the reference must see.
        unpriced: reason of each record without a price.
        order: records in order of agreement, start and key; None where they stand in it.
    """

    columns: UsageColumns
    agreement: Integers
    slots: Slots
    numbers: Digits
    bad: npt.NDArray[np.bool_]
    unpriced: Integers
    order: Integers | None

    def field(self, name: str) -> Integers:
        """Return the numbers of a field."""
        return self.columns.fields[name].numbers

    def answered(self) -> npt.NDArray[np.bool_]:
        """Return whether somebody answered and at least a second was spoken."""
        missing = self.columns.fields["answered_at"].missing
        found: npt.NDArray[np.bool_] = self.field("billed_seconds") > 0
        return found if missing is None else found & ~missing


def rated_calls(columns: UsageColumns) -> RatedColumns:
    """Return what the calls of a shard come to."""
    agreement = columns.agreement_of_rows()
    texts = columns.fields["b_number"].texts
    shard = _Shard(
        columns=columns,
        agreement=agreement,
        slots=slots_of(columns, agreement),
        numbers=digits_of(texts if texts is not None else np.zeros(0, dtype="S1")),
        bad=np.zeros(len(columns), dtype=bool),
        unpriced=np.full(len(columns), RatedColumns.PRICED, dtype=np.int64),
        order=_order(columns, agreement),
    )
    todo = _sorted(shard)
    batches = _batches(shard, todo)
    scale = max((batch.tariff.params.places or 0 for batch in batches), default=0)
    priced = PricedCalls.empty(columns, agreement, shard.slots, scale=scale)
    for batch in batches:
        priced.take(batch.rows, batch.deck, batch.calls, batch.price.billed)
    _cover(shard, priced)
    for batch in batches:
        _settle(shard, priced, batch)
    groups = columns.group_of[agreement]
    left = np.zeros(len(columns.groups), dtype=bool)
    left[groups[shard.bad]] = True
    left[list(columns.mixed)] = True
    stands = todo & ~left[groups]
    kept = np.flatnonzero(stands) if shard.order is None else shard.order[stands[shard.order]]
    shard.unpriced[left[groups]] = RatedColumns.PRICED
    return lines_of(priced, kept, unpriced=shard.unpriced, reasons=_REASONS, left=np.flatnonzero(left))


def _order(columns: UsageColumns, agreement: Integers) -> Integers | None:
    """Return the records in order of agreement, start and key, None where they stand in it (one subject per agreement)."""
    earlier = (columns.start[1:] < columns.start[:-1]) | (
        (columns.start[1:] == columns.start[:-1]) & (columns.keys[1:] < columns.keys[:-1])
    )
    if not (earlier & (agreement[1:] == agreement[:-1])).any():
        return None
    order: Integers = np.lexsort((columns.keys, columns.start, agreement))
    return order


def _sorted(shard: _Shard) -> npt.NDArray[np.bool_]:
    """Return the records that are to be priced; note why others are not, and what the reference must see."""
    classes, slot = shard.columns.fields["b_class"], shard.slots.of_rows
    own, answered = shard.columns.own, shard.answered()
    internal = own & answered & (classes.numbers == classes.code(NumberClass.SHORT.value))
    bearing = np.append(shard.slots.bears_attempts(), np.False_)[slot]  # the last one is of calls without a component
    bearing &= classes.numbers == classes.code(NumberClass.INTERNATIONAL.value)
    unanswered = own & ~answered & ~bearing
    shard.unpriced[internal] = _REASONS.index(INTERNAL)
    shard.unpriced[unanswered] = _REASONS.index(UNANSWERED)
    todo: npt.NDArray[np.bool_] = own & ~internal & ~unanswered
    useless = [one.tariff < 0 for one in shard.slots.slots]
    shard.bad |= todo & np.append(np.array(useless, dtype=bool) | shard.slots.unclear(), [True])[slot]
    shard.bad |= todo & ~shard.numbers.sound[shard.field("b_number")]
    return todo


def _batches(shard: _Shard, todo: npt.NDArray[np.bool_]) -> list[_Batch]:
    tariff_of = np.array([*(slot.tariff for slot in shard.slots.slots), -1], dtype=np.int64)[shard.slots.of_rows]
    found = []
    for number, tariff in enumerate(shard.slots.tariffs):
        rows = np.flatnonzero(todo & ~shard.bad & (tariff_of == number))
        batch = _batch(shard, tariff, rows) if len(rows) else None
        if batch is not None:
            found.append(batch)
        else:
            shard.bad[rows] = True
    return found


def _batch(shard: _Shard, tariff: Tariff, rows: Integers) -> _Batch | None:
    """Return the calls of a tariff with their prices before allowances, None where the columns cannot hold them."""
    params, columns = tariff.params, shard.columns
    days = columns.day[rows]
    first, last = (date.fromordinal(_EPOCH_DAY + int(day)) for day in (days.min(), days.max()))
    line = timeline(params.periods, timezone(tariff.zone), tariff.holidays, first, last)
    deck = deck_columns(tariff.deck, line.names, params.minimum_s, params.minimum_charge, params.maximum_charge)
    if deck is None or params.places is None:
        return None
    length = shard.field("billed_seconds" if params.length is Length.BILLED else "duration_seconds")[rows]
    attempts = ~shard.answered()[rows]
    seconds = np.where(attempts, 0, length)
    part, edge = line.at(columns.start[rows])
    number = shard.field("b_number")[rows]
    places = deck.places(shard.numbers)
    at = places.at(line.period[part], number)
    crossing = np.flatnonzero(edge < seconds)
    then = at
    if len(crossing):
        then = at.copy()
        then[crossing] = places.at(line.period[part[crossing] + 1], number[crossing])
        beyond = line.until(part[crossing] + 2, columns.start[rows[crossing]]) < seconds[crossing]
        shard.bad[rows[crossing[beyond]]] = True
    wrong = at == NONE
    for one in (at, then) if len(crossing) else (at,):
        wrong |= (one == NONE) | (pick(deck.is_plain, one) == 0) | (days < pick(deck.since, one))
    if params.periods:
        wrong |= seconds > _LONGEST_S
    shard.bad[rows[wrong]] = True
    calls = CallColumns(at=at, then=then, seconds=seconds, edge=edge, legs=shard.field("continuation")[rows])
    price = spoken_columns(deck, calls, params.boundary)
    return _Batch(rows=rows, tariff=tariff, deck=deck, calls=calls, price=price, attempts=attempts)


def _cover(shard: _Shard, priced: PricedCalls) -> None:
    """Note what allowances cover of the calls, the calls of one component of plans after those of another."""
    slots = shard.slots.slots
    same: dict[tuple[str, tuple[Allowance, ...]], list[int]] = {}
    for place, slot in enumerate(slots):
        if slot.params.allowances:
            same.setdefault((slot.component.code, slot.params.allowances), []).append(place)
    for places in same.values():
        concerned = np.isin(np.arange(len(slots) + 1), places)[shard.slots.of_rows] & (priced.billed > 0)
        rows = np.flatnonzero(concerned) if shard.order is None else shard.order[concerned[shard.order]]
        if len(rows):
            _cover_component(shard, priced, slots[places[0]].component, rows)


def _cover_component(shard: _Shard, priced: PricedCalls, component: Component, rows: Integers) -> None:
    columns, agreement = shard.columns, shard.agreement[rows]
    allowances = sorted(component.params.allowances, key=lambda one: -one.priority)
    names = [state_name(component, one) for one in allowances]
    by_term = shard.slots.granted(component)
    terms = range(len(shard.slots.terms))
    granted = [
        np.array([by_term.get(term, {}).get(name, 0) for term in terms], dtype=np.int64)[shard.slots.term_of] for name in names
    ]
    covers = [covers_columns(one, shard.numbers) for one in allowances]
    starts = np.array([usage.period.start.toordinal() - _EPOCH_DAY for _, usage in shard.slots.terms], dtype=np.int64)
    begin = starts[shard.slots.term_of]
    odd = columns.day[rows] < begin[agreement]  # late calls use what is left of earlier periods
    odd |= (columns.state_until > begin)[agreement]
    known = [one for one in covers if one is not None]
    if len(known) < len(covers):
        odd[:] = True
    shard.bad[rows[odd]] = True
    number = shard.field("b_number")[rows]
    found = covered_columns(allowances[: len(known)], granted, priced.billed[rows], agreement, [one[number] for one in known])
    priced.cover(rows, found, dict(zip(names, found.left, strict=False)), agreement)


def _settle(shard: _Shard, priced: PricedCalls, batch: _Batch) -> None:
    """Note the rounded prices of the calls of a tariff."""
    params, rows = batch.tariff.params, batch.rows
    free, bears = priced.free[rows], priced.bears[rows]
    units = settled_columns(batch.deck, batch.calls.at, batch.price, free=free, bears=bears, params=params)
    places = params.places or 0
    shift = 10 ** (priced.scale - places)
    attempt = int(to_places(params.attempt_fee, places, params.mode) * 10**places)
    if units is None or max(int(np.abs(units).max()), attempt) * shift * len(shard.columns) >= _LIMIT:
        shard.bad[rows] = True
        return
    priced.amount[rows] = (np.where(batch.attempts, attempt, units) if params.attempt_fee else units) * shift
