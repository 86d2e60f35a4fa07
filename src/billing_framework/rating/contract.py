"""The contract of rating, checked on whatever a rater or charge model returns: plugins return, the core checks again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import timedelta

from billing_framework.rating.charge import Charge
from billing_framework.rating.charge_contract import Chargeable, charge_fault, plans_of
from billing_framework.rating.declared_types import are_reasons, finding_fault
from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage
from billing_framework.rating.measure_contract import measure_fault
from billing_framework.rating.pricing import Priced
from billing_framework.rating.rating import Measure, Rating
from billing_framework.rating.state import CarriedState
from billing_framework.rating.state_contract import states_fault
from billing_framework.rating.stored_records import StoredRecords, Stretch, keys_of, places_in
from billing_framework.values.clock import timezone
from billing_framework.values.instant import microseconds_of
from billing_framework.values.period import DateSpan, Span
from billing_framework.values.spelling import first_of

_MOST_NAMED = 5
_LONGEST_ADVANCE_DAYS = 366


def rating_faults(rating: object, group: BillingGroup) -> Iterator[str]:
    """Yield in what way a rater's result breaks the contract, in words that follow "the rater ..."."""
    if type(rating) is not Rating:
        yield f"returned {type(rating).__name__} instead of a Rating"
        return
    if type(rating.measures) is not tuple or type(rating.charges) is not tuple:
        yield "returned measures or charges that are no tuple"
        return
    agreements = {usage.agreement.code: usage for usage in group.agreements}
    given = {key for usage in group.agreements for key in keys_of(usage.records)}
    seen: set[tuple[str, str, DateSpan, str]] = set()
    for measure in rating.measures:
        fault = measure_fault(measure, agreements, given)
        if fault:
            yield fault
            continue
        key = (measure.agreement, measure.name, measure.dates, measure.source)
        if key in seen:
            yield f"returned measure {measure.name!r} of {measure.dates} twice; name its source"
        seen.add(key)
    allowed = {code: _chargeable(usage, group) for code, usage in agreements.items()} if rating.charges else {}
    for charge in rating.charges:
        fault = charge_fault(charge, allowed.get(getattr(charge, "agreement", "")))
        if fault:
            yield fault
        elif not given.issuperset(charge.records):
            yield f"charged records that it was not given for component {charge.component!r}"
    yield from _other_faults(rating, agreements, given)


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


def _other_faults(rating: Rating, agreements: Mapping[str, AgreementUsage], given: AbstractSet[int]) -> Iterator[str]:
    fault = states_fault(rating.state, agreements)
    if fault:
        yield fault
    if not are_reasons(rating.unpriced):
        yield "gave no reason for a record without a price"
    elif not given >= rating.unpriced.keys():
        yield "gave reasons for records that it was not given"
    if not are_reasons(rating.deferred):
        yield "gave no reason for a record that it leaves for a later bill"
    else:
        yield from _deferred_faults(rating, given)
    fault = finding_fault(rating.findings)
    if fault:
        yield fault


def _is(value: object, cls: type) -> bool:
    """Tell the type of a value whose declared type a plugin need not have kept."""
    return isinstance(value, cls)


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


def _chargeable(usage: AgreementUsage, group: BillingGroup) -> Chargeable:
    """Return what a rater may charge: the dates of the period, and what carried records reach back to."""
    first = min((tile.dates.start for tile in usage.earlier_tiles), default=usage.period.start)
    dates = DateSpan(min(first, usage.period.start), usage.period.end)
    code, currency = usage.agreement.code, group.account.currency
    return Chargeable(agreement=code, currency=currency, dates=dates, plans=plans_of(usage))


def priced_fault(priced: object, usage: AgreementUsage, component: str, currency: str, dates: DateSpan) -> str:
    """Return in what way a charge model's result breaks the contract, or an empty text."""
    if type(priced) is not Priced:
        return f"returned {type(priced).__name__} instead of Priced"
    if type(priced.charges) is not tuple:
        return "returned charges that are no tuple"
    code = usage.agreement.code
    allowed = Chargeable(agreement=code, currency=currency, dates=dates, plans=plans_of(usage))
    for charge in priced.charges:
        fault = charge_fault(charge, allowed)
        if fault:
            return fault
        if charge.component != component:
            return f"returned a charge of component {charge.component!r}"
    return states_fault(priced.state, {code: usage}) or finding_fault(priced.findings)


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
    return first_of([record.usage.external_id for record in records], _MOST_NAMED)


def charged_dates(usage: AgreementUsage, component: str) -> DateSpan:
    """Return the dates within which a charge model may charge.

    They reach from what was left before the period to a year after the next one (terms in advance).
    """
    billed_through = usage.billed_through.get(component, usage.period.start)
    horizon = usage.next_period.end + timedelta(days=_LONGEST_ADVANCE_DAYS)
    return DateSpan(min(usage.period.start, billed_through), max(horizon, billed_through))
