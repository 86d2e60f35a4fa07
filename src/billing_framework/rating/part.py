"""How much of a price some dates of an agreement bear: days, months, quarters, years or billing periods, prorated."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

from billing_framework.rating.group import AgreementUsage
from billing_framework.rating.price_plan import PlanVersion, Proration
from billing_framework.rating.pricing import Pricing
from billing_framework.rating.proration import factor
from billing_framework.rating.term import Alignment, Interval, anchor_of, cycle_anchor, terms_over
from billing_framework.values.period import DateSpan


def part(
    usage: AgreementUsage,
    plan: PlanVersion,
    dates: DateSpan,
    interval: Interval,
    *,
    alignment: Alignment = Alignment.CYCLE,
    proration: Proration | None = None,
    service: DateSpan | None = None,
) -> Fraction:
    """Return how many units of `interval` the `dates` bear: 19/30 of a month, 3 months, 31 days.

    Args:
        usage: the agreement with its periods.
        plan: version whose proration counts where the component names none.
        dates: dates to be priced.
        interval: what the price is for.
        alignment: where months, quarters and years begin.
        proration: the component's own policy, or None.
        service: dates of which `dates` are a part; by default the agreement's life.
    """
    policy = proration or plan.proration
    billed = service or life(usage)
    if interval is Interval.DAY:
        return Fraction(dates.days)
    if interval is Interval.PERIOD:
        if dates.end <= usage.full_period.start:  # left over from before, and measured by the period that is known
            return Fraction(dates.days, usage.full_period.days)
        unit = usage.next_period if dates.start >= usage.next_period.start else usage.full_period
        return factor(dates, unit, policy, service=billed, fixed_days=plan.fixed_days)
    if alignment is Alignment.CYCLE:
        months = terms_over(dates, 1, cycle_anchor(usage.full_period))
        parts = (factor(dates, month, policy, service=billed, fixed_days=plan.fixed_days) for month in months)
        return sum(parts, Fraction(0)) / interval.months
    terms = terms_over(dates, interval.months, anchor_of(alignment, usage.agreement.starts_on))
    return sum(
        (factor(dates, term, policy, service=billed, months=interval.months, fixed_days=plan.fixed_days) for term in terms),
        Fraction(0),
    )


def life(usage: AgreementUsage) -> DateSpan:
    """Return all dates on which the agreement runs."""
    return DateSpan(usage.agreement.starts_on, usage.agreement.ends_on or date.max)


def component_dates(pricing: Pricing) -> DateSpan:
    """Return the dates on which the agreement's plan has the component: its life, less the tiles without the component."""
    usage = pricing.usage
    whole = life(usage)
    code = pricing.component.code
    tiles = [tile.dates for tile in usage.tiles if any(component.code == code for component in tile.plan.components)]
    if not tiles:
        return whole
    start = whole.start if tiles[0].start == usage.period.start else tiles[0].start
    end = whole.end if tiles[-1].end == usage.period.end else tiles[-1].end
    return DateSpan(min(start, tiles[0].start), max(end, tiles[-1].end))


def share_of_period(pricing: Pricing) -> Fraction:
    """Return the tile's share of the billed dates, by days: what a figure per bill comes to on one of several tiles."""
    return Fraction(pricing.tile.dates.days, pricing.usage.period.days)
