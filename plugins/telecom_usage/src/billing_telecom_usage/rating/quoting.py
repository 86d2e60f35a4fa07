"""The price of a call by its deck and the parameters of its component: the reference, one call at a time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import timezone
from billing_telecom_usage.deck.prefixes import prefixes_of
from billing_telecom_usage.deck.table import DeckRow
from billing_telecom_usage.rating.price import CallPrice, Rates, priced
from billing_telecom_usage.rating.sorting import Task
from billing_telecom_usage.rating.tariff import CallPricing
from billing_telecom_usage.rating.wall_clock import Segment, segments


@attrs.frozen(kw_only=True)
class Quote:
    """What a call comes to before allowances.

    Attributes:
        row: row of the deck that prices it, that of the first period.
        rates: rates of the first period.
        price: price before allowances, rounding, least and highest price.
    """

    row: DeckRow
    rates: Rates
    price: CallPrice


def quoted(task: Task, zone: str, holidays: Mapping[str, Collection[date]]) -> Quote | None:
    """Return what a call comes to, None where the deck has no price for its number in one of its tariff periods.

    Args:
        task: the call.
        zone: zone of the account, used where the component names none.
        holidays: holiday calendars by name.
    """
    params = task.params
    parts: tuple[Segment, ...] = (Segment(0, max(task.seconds, 1), ""),)
    if params.periods:
        parts = segments(
            task.record.usage.start,
            max(task.seconds, 1),
            params.periods,
            zone=timezone(params.zone or zone),
            holidays=holidays.get(params.holidays, frozenset()),
        )
    rows = {period: _row(task, period) for period in {part.period for part in parts}}
    first = rows[parts[0].period]
    if first is None or any(row is None for row in rows.values()):
        return None
    rates = {period: rates_of(row, params) for period, row in rows.items() if row is not None}
    if not task.seconds:
        fee = CallPrice(billed_s=0, spoken=Fraction(0), connect_fee=params.attempt_fee)
        return Quote(row=first, rates=Rates(groups=first.price_groups()), price=fee)
    price = priced(task.seconds, rates, parts, boundary=params.boundary, continuation=task.call.continuation)
    return Quote(row=first, rates=rates[parts[0].period], price=price)


def _row(task: Task, period: str) -> DeckRow | None:
    row = prefixes_of(task.deck, period).row(task.call.b_number)
    is_early = row is not None and row.effective_from is not None and task.local.date() < row.effective_from
    return None if is_early else row


def rates_of(row: DeckRow, params: CallPricing) -> Rates:
    """Return the rates of a row; what the row leaves open is said by the component."""
    return Rates(
        groups=row.price_groups(),
        connect_fee=row.connect_fee,
        included_s=row.included_s,
        nocharge_s=row.nocharge_s,
        minimum_s=row.minimum_s or params.minimum_s,
        minimum_charge=row.minimum_charge if row.minimum_charge is not None else params.minimum_charge,
        maximum_charge=row.maximum_charge if row.maximum_charge is not None else params.maximum_charge,
    )
