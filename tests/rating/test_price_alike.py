"""Agreements that are alike: priced once where several are rated together, each for itself where one is, and kept in bounds."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.rating import agreement_pricing
from billing_framework.rating.group import BillingGroup
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.pricing import ChargeModel, Priced, Pricing
from billing_framework.rating.rate import rate_group, rate_groups

BASE = 'model = "recurring"\nprice = "30"\nquantity = { term = "lamps" }'


def counting(models: dict[str, ChargeModel], asked: list[str]) -> RatingOffers:
    """Return the core's models, and note for whom the recurring one is asked."""
    recurring = models["recurring"]

    def price(pricing: Pricing) -> Priced:
        asked.append(pricing.account.code)
        return recurring.price(pricing)

    return RatingOffers(models=models | {"recurring": attrs.evolve(recurring, price=price)})


def groups_of(account: Account, plan: Any, usage: Any, lamps: list[str]) -> list[BillingGroup]:
    """Return accounts on the tiles of one plan, which differ in the number of their lamps."""
    shared = usage(plan({"base": BASE}))
    groups = []
    for place, count in enumerate(lamps):
        code = f"A{place}"
        agreement = attrs.evolve(shared.agreement, code=f"G{place}", account=code, terms={"lamps": count})
        one = attrs.evolve(shared, agreement=agreement)
        groups.append(BillingGroup(account=attrs.evolve(account, code=code), period=one.full_period, agreements=(one,)))
    return groups


def test_agreements_that_are_alike_are_priced_once(models: Any, account: Account, plan: Any, usage: Any) -> None:
    groups = groups_of(account, plan, usage, ["3", "2", "3", "3"])
    asked: list[str] = []
    offers = counting(models, asked)
    assert list(rate_groups(groups, offers)) == [rate_group(one, RatingOffers(models=models)) for one in groups]
    assert len(asked) == 4  # two kinds of agreements, each under its own name and under another
    assert offers.alike is None


def test_one_agreement_is_priced_once_and_under_its_own_name(models: Any, account: Account, plan: Any, usage: Any) -> None:
    (group,) = groups_of(account, plan, usage, ["3"])
    asked: list[str] = []
    assert rate_groups([group], counting(models, asked)) == (rate_group(group, counting(models, asked)),)
    assert asked == ["A0", "A0"]


def test_only_so_many_prices_are_kept(
    models: Any, account: Account, plan: Any, usage: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agreement_pricing, "MOST_ALIKE", 2)
    groups = groups_of(account, plan, usage, ["1", "2", "3", "4", "5", "3"])
    offers = RatingOffers(models=models).for_several()
    rated = [rate_group(one, offers) for one in groups]
    assert rated == [rate_group(one, RatingOffers(models=models)) for one in groups]
    assert offers.alike is not None
    assert 0 < len(offers.alike) <= 2
