"""The charge model ``utility_metering.seasonal_tiers``: graduated tiers that differ by season.

The billing period is cut where another season begins. What was used in each part comes from intervals where there are some, else
from the reads by days; the thresholds are shared by days too (Rocky Mountain Power's season change is the acceptance vector).
"""

from __future__ import annotations

from datetime import date

import attrs

from billing_framework import (
    Agreement,
    ChargeModel,
    Component,
    DateSpan,
    Finding,
    Graduated,
    Priced,
    Pricing,
    QuantityRule,
    Severity,
    Tier,
    ValueRefused,
    Widths,
    price_graduated,
    tier_findings,
)
from billing_utility_metering.pricing.day_types import Season, is_month_day, season_breaks, season_problems


@attrs.frozen(kw_only=True)
class SeasonTiers:
    """A season and its tiers.

    Attributes:
        name: unique in the component; part of the charge's key.
        first: first day as month and day: ``06-01``.
        last: last day, included; earlier than `first` where the season spans the new year.
        tiers: the tiers by ascending threshold.
    """

    name: str
    first: str = attrs.field(validator=is_month_day)
    last: str = attrs.field(validator=is_month_day)
    tiers: tuple[Tier, ...]

    @property
    def season(self) -> Season:
        """The dates of the season."""
        return Season(name=self.name, first=self.first, last=self.last)


@attrs.frozen(kw_only=True)
class SeasonalTiers:
    """Each unit at the price of its tier in its season.

    Attributes:
        unit: unit of the prices and thresholds.
        seasons: the seasons with their tiers; together they cover the year.
        widths: what the thresholds are given for: the bill, a month, a day.
        quantity: how the measured quantity becomes the billed one.
    """

    unit: str
    seasons: tuple[SeasonTiers, ...]
    widths: Widths = attrs.field(factory=Widths)
    quantity: QuantityRule = attrs.field(factory=QuantityRule)


def price_seasonal_tiers(pricing: Pricing) -> Priced:
    """Charge a line for each tier reached, by the tiers of the season that the tile lies in.

    Raises:
        ValueRefused: ``UTIL32`` where the tile's first date lies in no season.
    """
    params: SeasonalTiers = pricing.component.params
    start = pricing.tile.dates.start
    season = next((one for one in params.seasons if start in one.season), None)
    if season is None:
        raise ValueRefused("UTIL32", f"{start} lies in no season", remedy="Let the plan's seasons cover the year")
    graduated = Graduated(tiers=season.tiers, unit=params.unit, widths=params.widths, quantity=params.quantity)
    return price_graduated(attrs.evolve(pricing, component=attrs.evolve(pricing.component, params=graduated)))


def check_seasonal_tiers(component: Component) -> tuple[Finding, ...]:
    """Return gaps and overlaps of the seasons, and what is wrong with the tiers."""
    params: SeasonalTiers = component.params
    seasons = [one.season for one in params.seasons]
    problems = list(season_problems(seasons)) or ([] if seasons else [("there are no seasons", "Give at least one season")])
    found = [
        Finding(
            code="UTIL32",
            severity=Severity.BLOCKING,
            what=what,
            remedy=remedy,
            field=f"{component.code}.seasons",
            subject=component.code,
        )
        for what, remedy in problems
    ]
    for one in params.seasons:
        found.extend(tier_findings(component, one.tiers))
    return tuple(found)


def _season_breaks(component: Component, _agreement: Agreement, dates: DateSpan) -> tuple[date, ...]:
    params: SeasonalTiers = component.params
    return season_breaks(tuple(one.season for one in params.seasons), dates)


SEASONAL_TIERS = ChargeModel(
    name="utility_metering.seasonal_tiers",
    title="Graduated tiers that differ by season",
    params=SeasonalTiers,
    price=price_seasonal_tiers,
    check=check_seasonal_tiers,
    breaks=_season_breaks,
)
