"""Accumulation: tiers that go on counting over a quarter or year, by a state that each bill leaves for the next."""

from __future__ import annotations

import enum
from datetime import date
from fractions import Fraction

import attrs

from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.pricing import Pricing
from billing_framework.rating.quantity_rule import Billed
from billing_framework.rating.state import CarriedState
from billing_framework.rating.term import Alignment, anchor_of, breaks_in, terms_over
from billing_framework.values.period import DateSpan


class Count(enum.Enum):
    """How long a count goes on: each ``BILL`` begins anew, or it is carried over a ``QUARTER`` or ``YEAR``."""

    BILL = "bill"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        """Number of months; 0 for a bill."""
        return {Count.BILL: 0, Count.QUARTER: 3, Count.YEAR: 12}[self]


class Reset(enum.Enum):
    """Where the quarter or year begins: with the ``CALENDAR``, or on the ``ANNIVERSARY`` of the agreement's first day."""

    CALENDAR = "calendar"
    ANNIVERSARY = "anniversary"

    @property
    def alignment(self) -> Alignment:
        """The alignment of the same name."""
        return Alignment(self.value)


@attrs.frozen
class Accumulated:
    """A count as one bill finds and leaves it.

    Attributes:
        before: what was counted in the running term before these dates.
        after: the state for the next bill; none where nothing is carried.
        read: names of the state that `before` came from.
    """

    before: Fraction
    after: tuple[CarriedState, ...]
    read: tuple[str, ...]


def accumulated(pricing: Pricing, count: Count, reset: Reset, billed: Billed) -> Accumulated:
    """Return the count before and after the quantity of the tile.

    The state ``accumulated.<component>`` (and the source, where each source counts alone) holds the quantity so far. It counts
    only if the period that it was written for ends in the running term: a new year begins at zero without anybody resetting it.
    """
    if count is Count.BILL:
        return Accumulated(Fraction(0), (), ())
    name = ".".join(part for part in ("accumulated", pricing.component.code, billed.source) if part)
    dates = pricing.tile.dates
    state = pricing.usage.state.get(name)
    term = terms_over(dates, count.months, anchor_of(reset.alignment, pricing.usage.agreement.starts_on))[0]
    before = state.values["quantity"] if state is not None and state.period.last in term else Fraction(0)
    after = CarriedState(
        scope=pricing.usage.agreement.code,
        name=name,
        period=DateSpan(pricing.usage.period.start, dates.end),
        values={"quantity": before + billed.quantity.value},
    )
    return Accumulated(before, (after,), (name,))


def accumulation_breaks(count: Count, reset: Reset, agreement: Agreement, dates: DateSpan) -> tuple[date, ...]:
    """Return the dates inside `dates` on which the count begins anew, so that periods are cut there."""
    return breaks_in(dates, count.months, anchor_of(reset.alignment, agreement.starts_on)) if count.months else ()
