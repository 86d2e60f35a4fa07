"""The workshop with a charge model that says that it prices like agreements alike, and looks at names."""

from __future__ import annotations

import attrs

from billing_framework import ChargeModel, Priced, Pricing, hookimpl
from billing_framework.rating.models_calendar import Recurring, price_recurring
from tests.scenarios.workshop import billing_raters, billing_readers, billing_usage_kinds

__all__ = ["billing_charge_models", "billing_raters", "billing_readers", "billing_usage_kinds"]


def price_by_name(pricing: Pricing) -> Priced:
    """Price as a recurring component does, and print the first letter of the account's code."""
    charges = price_recurring(pricing).charges
    named = (attrs.evolve(one, description=f"{one.description} {pricing.account.code[:1]}") for one in charges)
    return Priced(charges=tuple(named))


@hookimpl
def billing_charge_models() -> list[ChargeModel]:
    return [ChargeModel(name="naming.named", title="By name", params=Recurring, price=price_by_name, alike=True)]
