"""Selection: which plan version prices which date, by service date and by what was known at an instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import attrs

from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.group import Tile
from billing_framework.rating.in_force import in_force
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.pricing import ChargeModel
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class LoadedPlan:
    """A plan version and the instant at which it was loaded: from then on it is known.

    Attributes:
        plan: the version.
        loaded_at: aware UTC instant.
    """

    plan: PlanVersion
    loaded_at: datetime


@attrs.frozen(kw_only=True)
class Selection:
    """Which versions price a span of dates.

    Attributes:
        tiles: the dates with their version, in order; they add up to the span where there are no findings.
        findings: dates that no version, or more than one, prices.
    """

    tiles: tuple[Tile, ...]
    findings: tuple[Finding, ...] = ()


def select(
    agreement: Agreement,
    dates: DateSpan,
    plans: Sequence[LoadedPlan],
    known_at: datetime,
    models: Mapping[str, ChargeModel],
) -> Selection:
    """Return the tiles of `dates` under the agreement's plan.

    An open end means "until a later version begins". A version that supersedes another wins over it for all dates of its own,
    from the instant on at which it is known; what was known before is priced as it was.

    Args:
        agreement: the agreement; its plan is looked for in `plans`.
        dates: dates to price.
        plans: loaded versions of this and perhaps other plans.
        known_at: what was loaded later does not count: the run's instant, or an earlier one to repeat an earlier pricing.
        models: charge models by name, which may ask for cuts inside a version.
    """
    known = sorted(
        (one.plan for one in plans if one.plan.code == agreement.plan and one.loaded_at <= known_at),
        key=lambda plan: (plan.valid_from, plan.version),
    )
    if not known:
        finding = Finding(
            code="PLAN16",
            what=f"the price plan {agreement.plan!r} is not loaded",
            remedy="Load it, or correct the agreement's plan",
            subject=agreement.code,
            value=agreement.plan,
        )
        return Selection(tiles=(), findings=(finding,))
    edges = (edge for plan in known for edge in (plan.valid_from, plan.valid_to) if edge is not None)
    spans = [(span, in_force(known, span.start)) for span in dates.tiles(edges)]
    tiles: list[Tile] = []
    findings: list[Finding] = []
    for span, winners in _joined(spans):
        if len(winners) == 1:
            tiles.extend(_cut(span, winners[0], agreement, models))
        else:
            findings.append(_unclear(span, winners, agreement))
    return Selection(tiles=tuple(tiles), findings=tuple(findings))


_Priced = tuple[DateSpan, list[PlanVersion]]


def _joined(spans: Sequence[_Priced]) -> list[_Priced]:
    """Join neighbours of the same versions: they were cut at the edge of a version that does not price them."""
    joined: list[_Priced] = []
    for span, winners in spans:
        if joined and [plan.name for plan in joined[-1][1]] == [plan.name for plan in winners]:
            joined[-1] = (DateSpan(joined[-1][0].start, span.end), winners)
        else:
            joined.append((span, winners))
    return joined


def _cut(span: DateSpan, plan: PlanVersion, agreement: Agreement, models: Mapping[str, ChargeModel]) -> list[Tile]:
    breaks: set[date] = set()
    for component in plan.components:
        model = models.get(component.model)
        if model is not None and model.breaks is not None:
            breaks.update(model.breaks(component, agreement, span))
    return [Tile(dates=part, plan=plan) for part in span.tiles(breaks)]


def _unclear(span: DateSpan, winners: Sequence[PlanVersion], agreement: Agreement) -> Finding:
    if not winners:
        return Finding(
            code="PLAN13",
            what=f"no version of the price plan {agreement.plan!r} covers {span}",
            remedy="Load a version that is valid on these dates",
            subject=agreement.code,
            value=str(span),
        )
    names = ", ".join(plan.version for plan in winners)
    return Finding(
        code="PLAN14",
        what=f"several versions of the price plan {agreement.plan!r} cover {span}: {names}",
        remedy="Load a version that supersedes one of them and says why",
        subject=agreement.code,
        value=str(span),
    )
