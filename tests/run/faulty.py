"""A plugin that is right for every account but one, at which it does whatever a test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from types import ModuleType
from typing import Any

import attrs

from billing_framework import (
    Amount,
    BillingGroup,
    Charge,
    ChargeModel,
    DraftDocument,
    Finding,
    Measure,
    Note,
    Priced,
    Pricing,
    Rater,
    Rating,
    ReviewBatch,
    ReviewCheck,
    hookimpl,
)
from billing_framework.rating.measure_rater import measure_rater
from tests.scenarios import workshop

VICTIM = "C1"
"""The account at which the plugin is faulty."""

Fault = Callable[..., Any]

PLAN = """
schema = 1
[plan]
code = "machine"
version = "2026"
valid_from = 2026-01-01
currency = "USD"
[[component]]
code = "stand"
title = { en = "Stand" }
model = "faulty.flat"
charge_code = "stand"
tax_category = "standard"
price = "30.00"
[[component]]
code = "hours"
title = { en = "Machine hours" }
model = "graduated"
measure = "hours"
unit = "hour"
charge_code = "hours"
tax_category = "standard"
tiers = [{ to = "10", price = "2.00" }, { price = "1.00" }]
"""


@attrs.frozen(kw_only=True)
class Flat:
    """Parameters of the model.

    Attributes:
        price: price of a month.
    """

    price: Fraction


def is_victim(group: BillingGroup) -> bool:
    """Return whether a group is the one at which the plugin is faulty."""
    return group.account.code == VICTIM


def flat(pricing: Pricing) -> Priced:
    """Return one charge of the price."""
    component, usage = pricing.component, pricing.usage
    amount = Amount(component.params.price, pricing.tile.plan.currency)
    charge = Charge(
        agreement=usage.agreement.code,
        component=component.code,
        code=component.charge_code,
        description="Stand",
        service=usage.period,
        amount=amount,
        tax_category=component.tax_category,
        plan=pricing.tile.plan.name,
    )
    return Priced(charges=(charge,))


def faulty_plugin(
    *,
    rating: Fault | None = None,
    twin: Fault | None = None,
    pricing: Fault | None = None,
    check: Fault | None = None,
    noting: Fault | None = None,
) -> ModuleType:
    """Return a plugin called ``faulty``.

    Args:
        rating: given the group of the victim and its right rating, returns what the rater returns.
        twin: given all groups and their right ratings, returns what the columnar twin returns.
        pricing: given the victim's pricing and its right result, returns what the charge model returns.
        check: given the draft of the victim, returns what the review check returns.
        noting: given the draft of the victim, returns the notes on it.
    """
    right = measure_rater("job", "hours", "hour", "hours").rate

    def rate(group: BillingGroup) -> Rating:
        done = right(group)
        return rating(group, done) if rating and is_victim(group) else done

    def rate_columns(groups: Sequence[BillingGroup]) -> Sequence[Rating]:
        assert twin is not None
        ratings: Sequence[Rating] = twin(groups, [right(group) for group in groups])
        return ratings

    def price(given: Pricing) -> Priced:
        done = flat(given)
        return pricing(given, done) if pricing and given.usage.agreement.account == VICTIM else done

    def look(batch: ReviewBatch) -> Iterable[Finding]:
        for reviewed in batch.documents:
            if check and reviewed.document.account == VICTIM:
                yield from check(reviewed.document)

    @hookimpl
    def billing_raters() -> list[Rater]:
        return [Rater(name="faulty", kinds=("job",), rate=rate, rate_columns=rate_columns if twin else None)]

    @hookimpl
    def billing_charge_models() -> list[ChargeModel]:
        return [ChargeModel(name="faulty.flat", title="Flat", params=Flat, price=price)]

    @hookimpl
    def billing_review_checks() -> list[ReviewCheck]:
        return [ReviewCheck(name="faulty.look", title="Looks", check=look)]

    made = ModuleType("faulty")
    made.__dict__.update(
        billing_usage_kinds=workshop.billing_usage_kinds,
        billing_readers=workshop.billing_readers,
        billing_raters=billing_raters,
        billing_charge_models=billing_charge_models,
        billing_review_checks=billing_review_checks,
        billing_documents_drafted=_noting_hook(noting),
    )
    return made


def _noting_hook(noting: Fault | None) -> Fault:
    @hookimpl
    def billing_documents_drafted(documents: Sequence[DraftDocument]) -> list[Note]:
        notes = [Note("information", "Seen", draft.key) for draft in documents]
        for draft in documents:
            if noting and draft.account == VICTIM:
                notes += noting(draft)
        return notes

    return billing_documents_drafted


def without_records(done: Rating) -> tuple[Measure, ...]:
    """Return the measures of a rating on records that nobody delivered."""
    return tuple(attrs.evolve(one, records=(4711,)) for one in done.measures)
