"""Pricing one agreement: the components of each tile's plan in their order, derived ones on the charges before them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence

import attrs

from billing_framework.rating.charge import Charge
from billing_framework.rating.contract import charged_dates, loose_parts, priced_fault
from billing_framework.rating.group import AgreementUsage, BillingGroup, Tile
from billing_framework.rating.offers import PricedAlike, RatingOffers
from billing_framework.rating.price_plan import Component
from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
from billing_framework.rating.rating import Measure, Rating
from billing_framework.rating.state import CarriedState
from billing_framework.values.finding import Finding, Severity

STAND_IN = "\ue0ff"
"""A name that nobody has, of a character for private use, under which is priced what shall not depend on names."""

MOST_ALIKE = 1_000
"""How many prices are kept at a time for agreements that are alike; accounts of one batch share few plans and dates."""


@attrs.frozen(kw_only=True)
class AgreementPriced:
    """What pricing one agreement came to.

    Attributes:
        charges: charges of its raters and components, by place in the plan and date.
        state: new carried state of its components.
        findings: problems.
        unpriced: record key to the reason why it carries no price.
    """

    charges: tuple[Charge, ...]
    state: tuple[CarriedState, ...]
    findings: tuple[Finding, ...]
    unpriced: Mapping[int, str]


def price_agreement(
    group: BillingGroup, usage: AgreementUsage, ratings: Sequence[Rating], offers: RatingOffers
) -> AgreementPriced:
    """Return the charges of one agreement.

    Args:
        group: the billing group, for account and holidays.
        usage: the agreement.
        ratings: what the raters returned for the group.
        offers: charge models.
    """
    code = usage.agreement.code
    pricing = _Pricing(
        group=group,
        usage=usage,
        offers=offers,
        measures=tuple(one for rating in ratings for one in rating.measures if one.agreement == code),
    )
    for rating in ratings:
        for charge in rating.charges:
            if charge.agreement == code:
                pricing.charges.append((_tile_number(usage, charge), charge))
    if pricing.is_priceable():
        for number, tile in enumerate(usage.tiles):
            for component in tile.plan.components:
                pricing.price(number, tile, component)
        pricing.findings.extend(pricing.unpriced_measures())
    return AgreementPriced(
        charges=_in_plan_order(usage, (charge for _, charge in pricing.charges)),
        state=tuple(pricing.state.values()),
        findings=tuple(pricing.findings),
        unpriced=pricing.unpriced,
    )


@attrs.define(kw_only=True)
class _Pricing:
    """One agreement being priced."""

    group: BillingGroup
    usage: AgreementUsage
    offers: RatingOffers
    measures: tuple[Measure, ...]
    charges: list[tuple[int, Charge]] = attrs.field(factory=list)
    state: dict[str, CarriedState] = attrs.field(factory=dict)
    findings: list[Finding] = attrs.field(factory=list)
    unpriced: dict[int, str] = attrs.field(factory=dict)
    asked: set[str] = attrs.field(factory=set)

    def is_priceable(self) -> bool:
        """Note what stands against pricing at all: tiles that do not add up, plans in another currency, unknown models."""
        code, currency = self.usage.agreement.code, self.group.account.currency
        is_over = not self.usage.tiles and self.usage.earlier_tiles  # only what it has carried on is left to bill
        ends = [self.usage.period.start, *(tile.dates.end for tile in self.usage.tiles)]
        starts = [*(tile.dates.start for tile in self.usage.tiles), self.usage.period.end]
        if ends != starts and not is_over:
            what = f"the plan versions of the agreement do not cover {self.usage.period}"
            self.findings.append(Finding(code="PLAN13", what=what, remedy="Load a version for the missing dates", subject=code))
        for plan in {tile.plan.name: tile.plan for tile in (*self.usage.earlier_tiles, *self.usage.tiles)}.values():
            if plan.currency != currency:
                what = f"plan {plan.name} is in {plan.currency}, the account in {currency}"
                remedy = f"Choose a plan in {currency}"
                self.findings.append(Finding(code="PLAN15", what=what, remedy=remedy, subject=code, value=plan.currency))
        return not self.findings

    def price(self, number: int, tile: Tile, component: Component) -> None:
        """Price one component on one tile; a model that looks at the whole bill is asked on the last tile that has it."""
        if component.model in self.offers.asked_of_raters():
            return
        model = self.offers.models.get(component.model)
        if model is None:
            what = f"component {component.code!r} names the unknown charge model {component.model!r}"
            remedy = "Enable the plugin that offers it"
            self.findings.append(Finding(code="PLAN05", what=what, remedy=remedy, subject=self.usage.agreement.code))
            return
        if model.once and any(_has(later, component.code) for later in self.usage.tiles[number + 1 :]):
            return
        if self.offers.alike is not None and model.alike and not component.measure:
            self.price_alike(number, tile, component, model, self.offers.alike)
        else:
            self.price_alone(number, tile, component, model)

    def price_alike(
        self, number: int, tile: Tile, component: Component, model: ChargeModel, priced: dict[Hashable, PricedAlike]
    ) -> None:
        """Price a component as for an agreement of the same terms; the first of these proves it, under another name."""
        usage, agreement = self.usage, self.usage.agreement
        decides = (
            (component.code, number, id(usage.tiles), id(usage.next_tiles)),
            (usage.period, usage.full_period, usage.next_period, agreement.starts_on, agreement.ends_on),
            (*sorted(agreement.terms.items()), *sorted(usage.billed_through.items())),
            (self.group.account.locale, self.group.account.currency),
        )
        known = priced.get(decides)
        if known is None or known.tiles[0] is not usage.tiles or known.tiles[1] is not usage.next_tiles:
            known = PricedAlike(tiles=(usage.tiles, usage.next_tiles), charges=self._nameless(number, tile, component, model))
            if len(priced) >= MOST_ALIKE:  # where few are alike, what was kept is of little use
                priced.clear()
            priced[decides] = known
        if known.charges is None:
            self.price_alone(number, tile, component, model)
        else:
            self.charges.extend((number, attrs.evolve(charge, agreement=agreement.code)) for charge in known.charges)

    def _nameless(self, number: int, tile: Tile, component: Component, model: ChargeModel) -> tuple[Charge, ...] | None:
        """Return the charges of an agreement that has no name, None where a name or anything else makes a difference."""
        code = self.usage.agreement.code
        own, other = self._apart(code), self._apart(STAND_IN)
        for one in (own, other):
            one.price_alone(number, tile, component, model)
        charges = tuple(charge for _, charge in own.charges)
        same = charges == tuple(attrs.evolve(charge, agreement=code) for _, charge in other.charges)
        return charges if same and not any((own.findings, own.state, other.findings, other.state)) else None

    def _apart(self, code: str) -> _Pricing:
        """Return the pricing of nothing else than one component, for an agreement and account of another name."""
        return _Pricing(
            group=attrs.evolve(self.group, account=attrs.evolve(self.group.account, code=code, party=code)),
            usage=attrs.evolve(self.usage, agreement=attrs.evolve(self.usage.agreement, code=code, account=code), records=()),
            offers=self.offers,
            measures=(),
        )

    def price_alone(self, number: int, tile: Tile, component: Component, model: ChargeModel) -> None:
        """Price a component by asking its model."""
        pricing = self._pricing(number, tile, component, model)
        self.asked.update(measure.name for measure in pricing.measures)
        who = f"charge model {model.name!r} of component {component.code!r}"
        priced = self._asked(model, pricing, who)
        if priced is None:
            return
        self.charges.extend((number, charge) for charge in priced.charges)
        self.findings.extend(priced.findings)
        for state in priced.state:
            self.state[state.name] = state
        self._note_free(pricing, priced.charges)

    def _asked(self, model: ChargeModel, pricing: Pricing, who: str) -> Priced | None:
        """Return what the model prices, None with a finding where it fails or breaks the contract."""
        subject, code = self.usage.agreement.code, pricing.component.code
        is_own = self.offers.plugin(model.name) == "core"
        before = [] if is_own else loose_parts([self.usage])
        priced, failed = self.offers.attempt(lambda: model.price(pricing), model.name, who, subject)
        if not is_own and loose_parts([self.usage]) != before:
            failed = self.offers.broken(model.name, f"{who} changed what it was given", subject)
        if failed is None:
            currency, dates = pricing.tile.plan.currency, charged_dates(self.usage, code)
            # A result of wrong types may also fail while it is looked at, so the check is under the same guard as the call.
            fault, failed = self.offers.attempt(
                lambda: priced_fault(priced, self.usage, code, currency, dates), model.name, who, subject
            )
            if fault:
                failed = self.offers.broken(model.name, f"{who} {fault}", subject)
        if failed is not None:
            self.findings.append(failed)
            return None
        return priced

    def _pricing(self, number: int, tile: Tile, component: Component, model: ChargeModel) -> Pricing:
        measures = tuple(
            measure
            for measure in self.measures
            if component.measure and measure.name == component.measure and (model.once or measure.dates == tile.dates)
        )
        return Pricing(
            account=self.group.account,
            usage=attrs.evolve(self.usage, state={**self.usage.state, **self.state}) if self.state else self.usage,
            tile=tile,
            component=component,
            measures=measures,
            charges=tuple(charge for at, charge in self.charges if model.once or at == number),
            holidays=self.group.holidays,
        )

    def _note_free(self, pricing: Pricing, charges: Iterable[Charge]) -> None:
        charged = set[int]().union(*[charge.records for charge in charges])
        for measure in pricing.measures:
            if not charged.issuperset(measure.records):
                for key in measure.records:
                    if key not in charged:
                        self.unpriced.setdefault(key, f"component {pricing.component.code} charges nothing for it")

    def unpriced_measures(self) -> Iterator[Finding]:
        """Yield a finding for each measure that no component names; one that stops where no measure at all is priced."""
        free = sorted({measure.name for measure in self.measures} - self.asked)
        for measure in self.measures:
            if measure.name in free:
                for key in measure.records:
                    self.unpriced.setdefault(key, f"no component prices measure {measure.name}")
        subject = self.usage.agreement.code
        if free and not self.asked:
            what = f"no component of the plan prices any of the measures {', '.join(free)}"
            remedy = "Correct the measures that the plan's components name"
            yield Finding(code="RATE05", what=what, remedy=remedy, subject=subject)
        for name in free if self.asked else ():
            what = f"no component of the plan prices the measure {name!r}"
            yield Finding(code="RATE06", severity=Severity.INFORMATION, what=what, subject=subject, value=name)


def _has(tile: Tile, code: str) -> bool:
    return any(component.code == code for component in tile.plan.components)


def _tile_number(usage: AgreementUsage, charge: Charge) -> int:
    return next((number for number, tile in enumerate(usage.tiles) if charge.service.start in tile.dates), 0)


def _in_plan_order(usage: AgreementUsage, charges: Iterable[Charge]) -> tuple[Charge, ...]:
    """Return the charges by place of their component in the last plan that has it, then by date; else in the order of pricing."""
    places: dict[str, int] = {}
    for tile in (*usage.earlier_tiles, *usage.tiles):
        for place, component in enumerate(tile.plan.components):
            places[component.code] = place
    return tuple(sorted(charges, key=lambda charge: (places.get(charge.component, len(places)), charge.service.start)))
