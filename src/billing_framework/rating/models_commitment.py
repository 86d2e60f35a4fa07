"""The charge model of a commitment: a minimum over a quarter or year, settled by a line at the end of the term (true-up)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import attrs

from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.accumulation import Count, Reset, accumulation_breaks
from billing_framework.rating.base_charges import chosen, formula, payable_total
from billing_framework.rating.charge import Charge, Origin, Step
from billing_framework.rating.component_charge import component_charge
from billing_framework.rating.figure import Figure, figure
from billing_framework.rating.part import life
from billing_framework.rating.price_plan import Component, Proration
from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
from billing_framework.rating.proration import factor
from billing_framework.rating.state import CarriedState
from billing_framework.rating.term import anchor_of, terms_over
from billing_framework.rating.wording import titled
from billing_framework.values.errors import ValueRefused
from billing_framework.values.number import exact_text
from billing_framework.values.period import DateSpan


def _longer_than_a_bill(_params: object, _field: object, value: Count) -> None:
    if value is Count.BILL:
        raise ValueRefused(
            "PLAN12", "a commitment runs over a quarter or a year", remedy="Use the model minimum for a single bill"
        )


@attrs.frozen(kw_only=True)
class Commitment:
    """An amount that is to be spent over a term, or charged at its end.

    Attributes:
        amount: committed amount of a whole term.
        of: codes of the components that count; empty for all earlier ones, monthly minimums among them.
        excluding: codes of components that do not count.
        term: how long the commitment runs.
        reset: where the terms begin.
        proration: policy for a term that the agreement fills only in part; None takes the plan's.
    """

    amount: Figure
    of: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()
    term: Count = attrs.field(default=Count.YEAR, validator=_longer_than_a_bill)
    reset: Reset = Reset.ANNIVERSARY
    proration: Proration | None = None


def price_commitment(pricing: Pricing) -> Priced:
    """Carry on what was spent in the term; where the term or the agreement ends in this period, charge what is lacking.

    A charge counts in the term in which its service begins. The state ``committed.<component>`` holds the spending of the
    running term.
    """
    params: Commitment = pricing.component.params
    usage = pricing.usage
    name = f"committed.{pricing.component.code}"
    state = usage.state.get(name)
    base = chosen(pricing.charges, params.of, params.excluding)
    anchor = anchor_of(params.reset.alignment, usage.agreement.starts_on)
    charges: list[Charge] = []
    spent = Fraction(0)
    for term in terms_over(usage.period, params.term.months, anchor):
        before = state.values["spent"] if state is not None and state.period.last in term else Fraction(0)
        counted = tuple(charge for charge in base if _counts(charge, term, usage.period))
        spent = before + payable_total(counted, usage)
        if term.end <= usage.period.end or usage.agreement.ends_on == usage.period.end:
            charges.extend(_true_up(pricing, term, before, counted, name))
    after = CarriedState(scope=usage.agreement.code, name=name, period=usage.period, values={"spent": spent})
    return Priced(charges=tuple(charges), state=(after,))


def _counts(charge: Charge, term: DateSpan, period: DateSpan) -> bool:
    """True where the charge is of this term; what serves before or after the billed dates counts in the nearest of its terms."""
    return min(max(charge.service.start, period.start), period.last) in term


def _true_up(pricing: Pricing, term: DateSpan, before: Fraction, counted: tuple[Charge, ...], name: str) -> list[Charge]:
    params: Commitment = pricing.component.params
    usage, plan, locale = pricing.usage, pricing.tile.plan, pricing.account.locale
    served = life(usage).intersection(term) or term
    share = factor(served, term, params.proration or plan.proration, months=params.term.months, fixed_days=plan.fixed_days)
    committed = figure(params.amount, usage.agreement.terms) * share
    spent = before + payable_total(counted, usage)
    if committed <= spent:
        return []
    lacking = committed - spent
    steps = (
        Step(label="committed", formula=f"{exact_text(share)} of the term {term}", result=exact_text(committed)),
        Step(label="spent", formula=f"{exact_text(before)} on earlier bills + {formula(counted)}", result=exact_text(spent)),
        Step(label="difference", formula=f"{exact_text(committed)} - {exact_text(spent)}", result=exact_text(lacking)),
    )
    charge = component_charge(
        pricing,
        amount=lacking,
        description=titled(pricing.component.title(locale), locale, "commitment"),
        service=term.intersection(usage.period) or usage.period,
        source="true-up",
        origin=Origin.DERIVED,
        steps=steps,
        state_read=(name,),
    )
    return [charge]


def _breaks(component: Component, agreement: Agreement, dates: DateSpan) -> tuple[date, ...]:
    params: Commitment = component.params
    return accumulation_breaks(params.term, params.reset, agreement, dates)


COMMITMENT = ChargeModel(
    name="commitment",
    title="An amount to be spent over a quarter or year, or charged at its end",
    params=Commitment,
    price=price_commitment,
    once=True,
    breaks=_breaks,
)
