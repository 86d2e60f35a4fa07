"""The contract of rating, checked on whatever a rater or charge model returns: plugins return, the core checks again."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, timedelta
from fractions import Fraction
from itertools import chain
from typing import Any

from billing_framework.rating.charge import Charge, ChargeItem, Origin, Step
from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage
from billing_framework.rating.pricing import Priced
from billing_framework.rating.rating import Measure, Rating
from billing_framework.rating.state import CarriedState
from billing_framework.rating.stored_records import StoredRecords, Stretch, keys_of, places_in
from billing_framework.values.clock import timezone
from billing_framework.values.code_name import is_storable
from billing_framework.values.finding import Finding
from billing_framework.values.instant import microseconds_of
from billing_framework.values.money import Amount
from billing_framework.values.number import exact_text, is_storable_number
from billing_framework.values.period import DateSpan, Span
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity

_MOST_NAMED = 5
_LONGEST_ADVANCE_DAYS = 366


def rating_faults(rating: object, group: BillingGroup) -> Iterator[str]:
    """Yield in what way a rater's result breaks the contract, in words that follow "the rater ..."."""
    if not isinstance(rating, Rating):
        yield f"returned {type(rating).__name__} instead of a Rating"
        return
    agreements = {usage.agreement.code: usage for usage in group.agreements}
    given = {key for usage in group.agreements for key in keys_of(usage.records)}
    seen: set[tuple[str, str, DateSpan, str]] = set()
    for measure in rating.measures:
        fault = _measure_fault(measure, agreements, given)
        if fault:
            yield fault
            continue
        key = (measure.agreement, measure.name, measure.dates, measure.source)
        if key in seen:
            yield f"returned measure {measure.name!r} of {measure.dates} twice; name its source"
        seen.add(key)
    dates = {code: _rated_dates(usage) for code, usage in agreements.items()}
    for charge in rating.charges:
        code = getattr(charge, "agreement", "")
        fault = charge_fault(charge, agreements.get(code), group.account.currency, dates.get(code, group.period))
        if fault:
            yield fault
        elif not set(charge.records) <= given:
            yield f"charged records that it was not given for component {charge.component!r}"
    yield from _other_faults(rating, given)


def loose_parts(agreements: Sequence[AgreementUsage]) -> list[object]:
    """Return what a plugin could change in what it is given, as all else is frozen: the mappings, as they stand now."""
    parts: list[object] = []
    for usage in agreements:
        terms, state, billed = usage.agreement.terms, usage.state, usage.billed_through
        parts += (dict(terms) if terms else (), dict(billed) if billed else ())
        # Nearly all of them are empty, and this is asked for every account.
        parts += [(name, one, dict(one.values) if _is(one, CarriedState) else ()) for name, one in state.items()] if state else ()
        parts += [dict(one.details) if one.details else () for one in usage.assignments]
    return parts


def _other_faults(rating: Rating, given: AbstractSet[int]) -> Iterator[str]:
    for state in rating.state:
        fault = state_fault(state)
        if fault:
            yield fault
    if not _is(rating.unpriced, Mapping) or not all(map(_is_reason, rating.unpriced.values())):
        yield "gave no reason for a record without a price"
    elif not given >= rating.unpriced.keys():
        yield "gave reasons for records that it was not given"
    if not _is(rating.deferred, Mapping) or not all(map(_is_reason, rating.deferred.values())):
        yield "gave no reason for a record that it leaves for a later bill"
    else:
        yield from _deferred_faults(rating, given)
    if not all(isinstance(finding, Finding) for finding in rating.findings):
        yield "returned a finding of another type"


def _is_reason(text: object) -> bool:
    return isinstance(text, str) and bool(text) and is_storable(text)


def _deferred_faults(rating: Rating, given: AbstractSet[int]) -> Iterator[str]:
    deferred = set(rating.deferred)
    if not deferred:
        return
    if not given >= deferred:
        yield "left records for a later bill that it was not given"
    billed = {key for measure in rating.measures if _is(measure, Measure) for key in measure.records}
    billed.update(key for charge in rating.charges if _is(charge, Charge) for key in charge.records)
    if deferred & (billed | set(rating.unpriced)):
        yield "left records for a later bill that it also bills"


def _rated_dates(usage: AgreementUsage) -> DateSpan:
    """Return the dates within which a rater may charge: the period, and what carried records reach back to."""
    first = min((tile.dates.start for tile in usage.earlier_tiles), default=usage.period.start)
    return DateSpan(min(first, usage.period.start), usage.period.end)


def _measure_fault(measure: object, agreements: Mapping[str, AgreementUsage], given: Collection[int]) -> str:
    if not isinstance(measure, Measure):
        return f"returned {type(measure).__name__} as a measure"
    usage = agreements.get(measure.agreement)
    if usage is None:
        return f"measured agreement {measure.agreement!r}, which is not in the billing group"
    if not _is_quantity(measure.quantity):
        return f"returned a quantity that is not exact, or too long a number, for measure {measure.name!r}"
    if measure.dates not in [tile.dates for tile in usage.tiles]:
        return f"measured {measure.name!r} for {measure.dates}, which is no tile of the period"
    if not set(measure.records) <= set(given):
        return f"measured {measure.name!r} on records that it was not given"
    return ""


def priced_fault(priced: object, usage: AgreementUsage, component: str, currency: str, dates: DateSpan) -> str:
    """Return in what way a charge model's result breaks the contract, or an empty text."""
    if not isinstance(priced, Priced):
        return f"returned {type(priced).__name__} instead of Priced"
    for charge in priced.charges:
        fault = charge_fault(charge, usage, currency, dates)
        if fault:
            return fault
        if charge.component != component:
            return f"returned a charge of component {charge.component!r}"
    faults = [state_fault(state) for state in priced.state]
    if not all(isinstance(finding, Finding) for finding in priced.findings):
        return "returned a finding of another type"
    return next((fault for fault in faults if fault), "")


def charge_fault(charge: object, usage: AgreementUsage | None, currency: str, dates: DateSpan) -> str:
    """Return in what way a charge breaks the contract, or an empty text.

    Args:
        charge: what a plugin returned.
        usage: the agreement that it belongs to, None where there is no such agreement.
        currency: currency that it must have.
        dates: dates within which its service must lie.
    """
    if not isinstance(charge, Charge):
        return f"returned {type(charge).__name__} as a charge"
    name = f"component {charge.component!r}"
    if usage is None or charge.agreement != usage.agreement.code:
        return f"charged agreement {charge.agreement!r} for {name}, which it was not asked for"
    if type(charge.amount) is not Amount or not _is_number(charge.amount.value):
        return f"returned an amount that is not exact, or too long a number, for {name}"
    if charge.amount.currency != currency:
        return f"charged {charge.amount.currency} for {name}, the account has {currency}"
    if not _is(charge.service, DateSpan) or charge.service.start < dates.start or charge.service.end > dates.end:
        return f"charged {charge.service} for {name}, outside {dates}"
    return items_fault(charge, name) if _is_sound(charge) else f"returned a charge with fields of wrong types for {name}"


def items_fault(charge: Charge, name: str) -> str:
    """Return in what way the items of a charge do not make it up, or an empty text."""
    if not charge.items:
        return ""
    # Charges of many items are the most that is checked of a run, so all items are looked at together.
    if not _all_are(charge.items, ChargeItem) or not _all_are(amounts := [item.amount for item in charge.items], Amount):
        return f"returned an item of another type for {name}"
    if not {item.record for item in charge.items} <= set(charge.records):
        return f"listed records that the charge of {name} does not rest on"
    if not _are_sound(charge.items):
        return f"listed an item with fields of wrong types for {name}"
    if {amount.currency for amount in amounts} != {charge.amount.currency}:
        return f"listed items in another currency for {name}"
    values = [amount.value for amount in amounts]
    if not all(map(_is_number, values)):
        return f"listed items of amounts that are not exact, or too long numbers, for {name}"
    # Over one denominator, because adding fractions one by one takes ten times as long.
    ratios = [(value.numerator, value.denominator) for value in values]
    below = math.lcm(*{under for _, under in ratios})
    above, under = sum([above * (below // under) for above, under in ratios]), below
    amount = charge.amount.value
    if above * amount.denominator == amount.numerator * under:
        return ""
    return f"listed items that sum to {exact_text(Fraction(above, under))}, not {charge.amount}, for {name}"


def _all_are(values: Iterable[object], cls: type) -> bool:
    """Tell whether all values are of a type or of one that is derived from it."""
    kinds = set(map(type, values))
    return kinds <= {cls} or all(issubclass(kind, cls) for kind in kinds)


def _is(value: object, cls: type) -> bool:
    """Tell the type of a value whose declared type a plugin need not have kept."""
    return isinstance(value, cls)


def _is_sound(charge: Charge) -> bool:
    if not _all_are(charge.steps, Step) or not _is(charge.details, Mapping):
        return False
    told = [text for step in charge.steps for text in (step.label, step.formula, step.result)]
    texts = (charge.code, charge.description, charge.source, charge.tax_category, charge.plan)
    return (
        _are_texts([*texts, *told, *charge.details, *charge.details.values()])
        and (charge.quantity is None or _is_quantity(charge.quantity))
        and (charge.unit_price is None or _is_price(charge.unit_price, charge.amount.currency))
        and _is(charge.origin, Origin)
        and set(map(type, charge.records)) <= {int}
    )


def _are_sound(items: Sequence[ChargeItem]) -> bool:
    quantities = [item.quantity for item in items if item.quantity is not None]
    return (
        {type(item.on) for item in items} == {date}
        and all(map(_is_quantity, quantities))
        and _are_texts([text for item in items for text in (item.time, item.text, *chain.from_iterable(item.details))])
    )


def _are_texts(values: Collection[Any]) -> bool:
    """Tell whether all values are texts that every database stores."""
    return set(map(type, values)) <= {str} and is_storable("".join(values))


def _is_number(value: object) -> bool:
    """Tell whether a value is an exact number whose text can be stored and read back."""
    return type(value) is Fraction and is_storable_number(value)


def _is_quantity(value: object) -> bool:
    return type(value) is Quantity and _is_number(value.value) and type(value.unit) is str


def _is_price(value: object, currency: str) -> bool:
    return type(value) is UnitPrice and _is_number(value.value) and value.currency == currency


def state_fault(state: object) -> str:
    """Return in what way a carried state breaks the contract, or an empty text."""
    if not isinstance(state, CarriedState) or not isinstance(state.period, DateSpan):
        return f"returned {type(state).__name__} as carried state"
    if not all(map(_is_number, state.values.values())):
        return f"returned numbers that are not exact, or too long, as state {state.name!r}"
    return ""


def due_records(group: BillingGroup, divisible: Collection[str], carried: Collection[str] = ()) -> dict[int, str]:
    """Return the key and kind of each record of the period, which must be accounted for.

    Records in the reach before and after the period are not among them: only those guided to the agreement that start in its
    period, divisible ones that share an instant with it, and carried ones that no document has billed, however old.

    Args:
        group: the account with its agreements and records.
        divisible: names of the kinds whose records may be cut at the edge of a period.
        carried: names of the kinds whose records are each billed once, whenever they started.
    """
    zone = timezone(group.account.zone)
    due: dict[int, str] = {}
    for usage in group.agreements:
        code, period = usage.agreement.code, usage.period.instants(zone)
        if isinstance(usage.records, StoredRecords):
            for stretch in usage.records.stretches:
                if stretch.assignment.agreement == code:
                    due.update(dict.fromkeys(_due_keys(stretch, period, divisible, carried), stretch.kind))
            continue
        start, end = period.start, period.end
        for record in usage.records:
            if record.assignment.agreement != code:
                continue
            span, kind = record.usage.span, record.usage.kind
            starts = span.start < end and (start <= span.start or kind in carried)
            if starts or (kind in divisible and span.overlaps(period)):
                due[record.key] = kind
    return due


def _due_keys(stretch: Stretch, period: Span, divisible: Collection[str], carried: Collection[str]) -> list[int]:
    kind, columns = stretch.kind, stretch.columns
    if kind in carried:
        before = microseconds_of(period.end)
        return list(columns.keys[stretch.low : bisect_left(columns.starts, before, stretch.low, stretch.high)])
    spans = places_in(columns, stretch.low, stretch.high, period, overlapping=kind in divisible)
    return [key for low, high in spans for key in columns.keys[low:high]]


def lost_records(rating: Rating, due: Mapping[int, str], carried: Collection[str] = ()) -> tuple[int, ...]:
    """Return the keys of the records that are due and that a rating names nowhere; only carried ones may be left for later.

    Args:
        rating: the rating.
        due: key of each record that is due to its kind.
        carried: names of the kinds whose records are each billed once.
    """
    lost = set(due)
    for measure in rating.measures:
        lost.difference_update(measure.records)
    for charge in rating.charges:
        lost.difference_update(charge.records)
    lost.difference_update(rating.unpriced)
    return tuple([key for key in due if key in lost and not (key in rating.deferred and due[key] in carried)]) if lost else ()


def named(records: Sequence[KeyedUsage]) -> str:
    """Return the external ids of the first few records, and how many more there are."""
    ids = [record.usage.external_id for record in records]
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return ", ".join(ids[:_MOST_NAMED]) + more


def charged_dates(usage: AgreementUsage, component: str) -> DateSpan:
    """Return the dates within which a charge model may charge.

    They reach from what was left before the period to a year after the next one (terms in advance).
    """
    billed_through = usage.billed_through.get(component, usage.period.start)
    horizon = usage.next_period.end + timedelta(days=_LONGEST_ADVANCE_DAYS)
    return DateSpan(min(usage.period.start, billed_through), max(horizon, billed_through))
