"""Charge models with tiers: graduated (each unit at its tier's price), volume (all at one price), stepped (one price in all)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import attrs

from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.accumulation import Count, Reset, accumulated, accumulation_breaks
from billing_framework.rating.charge import Charge, Step
from billing_framework.rating.component_charge import component_charge, usage_charge
from billing_framework.rating.figure import figure
from billing_framework.rating.price_plan import Component
from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
from billing_framework.rating.quantity_rule import PLAIN, Basis, Billed, QuantityRule, billed_quantities
from billing_framework.rating.state import CarriedState
from billing_framework.rating.tiers import PLAIN_WIDTHS, Bound, Tier, Widths, portions, thresholds, tier_findings, tier_of
from billing_framework.rating.wording import titled
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.number import exact_text
from billing_framework.values.period import DateSpan
from billing_framework.values.quantity import Quantity


@attrs.frozen(kw_only=True)
class Graduated:
    """Each tier's units at that tier's price.

    Attributes:
        tiers: the tiers by ascending threshold. A unit at a threshold belongs to the lower tier.
        unit: unit of the quantity and the thresholds.
        widths: what the thresholds are given for.
        accumulate: how long the tiers go on counting: each bill anew, or over a quarter or year.
        reset: where that quarter or year begins.
        quantity: how the measured quantity becomes the billed one.
        per_source: True where each source has tiers of its own.
    """

    tiers: tuple[Tier, ...]
    unit: str
    widths: Widths = PLAIN_WIDTHS
    accumulate: Count = Count.BILL
    reset: Reset = Reset.CALENDAR
    quantity: QuantityRule = PLAIN
    per_source: bool = False


@attrs.frozen(kw_only=True)
class Volume:
    """All units by the tier that the whole quantity reaches.

    Attributes:
        tiers: the tiers by ascending threshold; stepped prices give `flat` only.
        unit: unit of the quantity and the thresholds.
        bound: whether a quantity equal to a threshold still belongs to the lower tier.
        widths: what the thresholds are given for.
        flat_at_zero: True where the first tier's flat price is due without any use.
        quantity: how the measured quantity becomes the billed one.
        per_source: True where each source has tiers of its own.
    """

    tiers: tuple[Tier, ...]
    unit: str
    bound: Bound = Bound.INCLUSIVE
    widths: Widths = PLAIN_WIDTHS
    flat_at_zero: bool = False
    quantity: QuantityRule = PLAIN
    per_source: bool = False


@attrs.frozen(kw_only=True)
class _TierLine:
    """One tier as one charge prices it.

    Attributes:
        number: 0-based position of the tier.
        quantity: the part of the quantity that the tier prices.
        ends: upper thresholds of all tiers.
        flat_times: how many times the flat price is due: 1, 0, or -1 for a credit.
    """

    number: int
    quantity: Quantity
    ends: tuple[Fraction | None, ...]
    flat_times: int

    def step(self, billed: Quantity) -> Step:
        low = (self.ends[self.number - 1] if self.number else None) or Fraction(0)
        high = self.ends[self.number]
        reach = f"above {exact_text(low)}" + (f" to {exact_text(high)}" if high is not None else "")
        return Step(label=f"tier {self.number + 1}", formula=f"{billed}, {reach} {billed.unit}", result=str(self.quantity))


def price_graduated(pricing: Pricing) -> Priced:
    """Charge a line for each tier that the quantity reaches, and carry the count on where tiers go on counting."""
    params: Graduated = pricing.component.params
    charges: list[Charge] = []
    state: list[CarriedState] = []
    for billed in billed_quantities(pricing, params.unit, params.quantity, per_source=params.per_source):
        count = accumulated(pricing, params.accumulate, params.reset, billed)
        ends = thresholds(pricing, params.tiers, params.widths, whole_term=params.accumulate is not Count.BILL)
        parts = portions(billed.quantity.value, ends, before=count.before)
        reached = [number for number, part in enumerate(parts) if part] or [tier_of(count.before, ends, Bound.INCLUSIVE)]
        for number in reached:
            line = _TierLine(
                number=number,
                quantity=Quantity(parts[number], params.unit),
                ends=ends,
                flat_times=_entered(number, count.before, billed.quantity.value, ends),
            )
            charge = _tier_charge(pricing, billed, params.tiers, line, state_read=count.read)
            charges.append(charge if number == reached[0] else attrs.evolve(charge, details={}))
        state.extend(count.after)
    return Priced(charges=tuple(charges), state=tuple(state))


def _entered(number: int, before: Fraction, quantity: Fraction, ends: tuple[Fraction | None, ...]) -> int:
    """Return 1 where the quantity reaches up into the tier for the first time, -1 where a negative one mirrors that, else 0."""
    start = (ends[number - 1] if number else None) or Fraction(0)
    after = before + quantity
    if abs(before) > start or abs(after) <= start:
        return 0
    return 1 if after > 0 else -1


def _tier_charge(
    pricing: Pricing, billed: Billed, tiers: tuple[Tier, ...], line: _TierLine, *, state_read: tuple[str, ...] = ()
) -> Charge:
    tier, terms, locale = tiers[line.number], pricing.usage.agreement.terms, pricing.account.locale
    title = pricing.component.title(locale)
    return usage_charge(
        pricing,
        billed,
        quantity=line.quantity,
        price=figure(tier.price, terms),
        flat=figure(tier.flat, terms) * line.flat_times,
        source=f"tier{line.number + 1}",
        description=titled(title, locale, "tier", number=line.number + 1) if len(tiers) > 1 else title,
        steps=(line.step(billed.quantity),),
        state_read=state_read,
    )


def price_volume(pricing: Pricing) -> Priced:
    """Charge one line at the price of the tier reached, plus its flat price."""
    params: Volume = pricing.component.params
    return Priced(charges=tuple(_tier_charge(pricing, billed, params.tiers, line) for billed, line in _reached(pricing, params)))


def price_stepped(pricing: Pricing) -> Priced:
    """Charge one line with the price of the step reached; the quantity decides the step and is not multiplied."""
    params: Volume = pricing.component.params
    title, locale = pricing.component.title(pricing.account.locale), pricing.account.locale
    charges = []
    for billed, line in _reached(pricing, params):
        flat = figure(params.tiers[line.number].flat, pricing.usage.agreement.terms) * line.flat_times
        charges.append(
            component_charge(
                pricing,
                amount=flat,
                description=titled(title, locale, "tier", number=line.number + 1) if len(params.tiers) > 1 else title,
                source=".".join(part for part in (billed.source, f"tier{line.number + 1}") if part),
                steps=(*billed.steps, line.step(billed.quantity)),
                details=billed.details,
                records=billed.records,
                estimated=billed.estimated,
            )
        )
    return Priced(charges=tuple(charges))


def _reached(pricing: Pricing, params: Volume) -> list[tuple[Billed, _TierLine]]:
    ends = thresholds(pricing, params.tiers, params.widths)
    lines = []
    for billed in billed_quantities(pricing, params.unit, params.quantity, per_source=params.per_source):
        size = billed.quantity.value
        times = (size > 0) - (size < 0) or int(params.flat_at_zero)
        number = tier_of(size, ends, params.bound)
        lines.append((billed, _TierLine(number=number, quantity=billed.quantity, ends=ends, flat_times=times)))
    return lines


def check_tiers(component: Component) -> tuple[Finding, ...]:
    """Return what is wrong with the tiers of a component, beyond their types."""
    params: Graduated | Volume = component.params
    return tier_findings(component, params.tiers)


def check_graduated(component: Component) -> tuple[Finding, ...]:
    """Return what is wrong with graduated tiers: those of `check_tiers`, and widths per day or month of tiers that accumulate."""
    params: Graduated = component.params
    findings = check_tiers(component)
    if params.accumulate is Count.BILL or params.widths.basis is Basis.PERIOD:
        return findings
    what = f"tiers that count over a {params.accumulate.value} have thresholds for all of it, not per {params.widths.basis.value}"
    remedy = "Give the thresholds for the whole term and leave the basis out"
    field = f"{component.code}.widths"
    finding = Finding(code="PLAN07", severity=Severity.BLOCKING, what=what, remedy=remedy, field=field, subject=component.code)
    return (*findings, finding)


def _breaks(component: Component, agreement: Agreement, dates: DateSpan) -> tuple[date, ...]:
    params: Graduated = component.params
    return accumulation_breaks(params.accumulate, params.reset, agreement, dates)


GRADUATED = ChargeModel(
    name="graduated",
    title="Each unit at the price of the tier that it falls into",
    params=Graduated,
    price=price_graduated,
    check=check_graduated,
    breaks=_breaks,
)
VOLUME = ChargeModel(
    name="volume",
    title="All units at the price of the tier that the whole quantity reaches",
    params=Volume,
    price=price_volume,
    check=check_tiers,
)
STEPPED = ChargeModel(
    name="stepped",
    title="One price for the step that the quantity reaches",
    params=Volume,
    price=price_stepped,
    check=check_tiers,
)
