"""What tests of rating are built from: a plan file's components, measures, one agreement, and the group that holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any, Protocol

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.rating.charge_models import core_models
from billing_framework.rating.group import AgreementUsage, BillingGroup, Tile
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.plan_file import params_by_model, parse_plan
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.pricing import ChargeModel
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Measure, Rating
from billing_framework.rating.state import CarriedState
from billing_framework.values.period import DateSpan
from billing_framework.values.quantity import Quantity

JUNE = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))

HEAD = """schema = 1
[plan]
code = "test"
version = "{version}"
valid_from = 2020-01-01
currency = "{currency}"
{plan_keys}
"""
COMPONENT = """
[[component]]
title = {{ en = "{code}", de = "{code}" }}
charge_code = "{code}"
tax_category = "standard"
code = "{code}"
{keys}
"""


class MakePlan(Protocol):
    def __call__(
        self, components: Mapping[str, str], *, version: str = "1", currency: str = "USD", plan_keys: str = ""
    ) -> PlanVersion: ...


class MakeUsage(Protocol):
    def __call__(
        self,
        plan: PlanVersion,
        *,
        period: DateSpan = JUNE,
        full_period: DateSpan | None = None,
        next_period: DateSpan | None = None,
        tiles: Sequence[tuple[DateSpan, PlanVersion]] = (),
        next_plan: PlanVersion | None = None,
        starts_on: date = date(2000, 1, 1),
        ends_on: date | None = None,
        terms: Mapping[str, str] | None = None,
        state: Sequence[CarriedState] = (),
        billed_through: Mapping[str, date] | None = None,
    ) -> AgreementUsage: ...


class Rate(Protocol):
    def __call__(
        self, usage: AgreementUsage, measures: Sequence[Measure] = (), *, account: Account | None = None
    ) -> RatedGroup: ...


@pytest.fixture(scope="session")
def models() -> dict[str, ChargeModel]:
    return {model.name: model for model in core_models()}


@pytest.fixture(scope="session")
def account() -> Account:
    return Account(code="A1", party="P1", book="B1", currency="USD")


@pytest.fixture(scope="session")
def plan() -> MakePlan:
    """Return the plan of components, each given by the keys of its model as a plan file writes them."""

    def make(components: Mapping[str, str], *, version: str = "1", currency: str = "USD", plan_keys: str = "") -> PlanVersion:
        text = HEAD.format(version=version, currency=currency, plan_keys=plan_keys)
        text += "".join(COMPONENT.format(code=code, keys=keys) for code, keys in components.items())
        return parse_plan(text.encode(), file="test.toml", params=params_by_model(core_models()))

    return make


@pytest.fixture(scope="session")
def usage() -> MakeUsage:
    """Return one agreement in one billing period, June 2026 unless said otherwise."""

    def make(
        plan: PlanVersion,
        *,
        period: DateSpan = JUNE,
        full_period: DateSpan | None = None,
        next_period: DateSpan | None = None,
        tiles: Sequence[tuple[DateSpan, PlanVersion]] = (),
        next_plan: PlanVersion | None = None,
        starts_on: date = date(2000, 1, 1),
        ends_on: date | None = None,
        terms: Mapping[str, str] | None = None,
        state: Sequence[CarriedState] = (),
        billed_through: Mapping[str, date] | None = None,
    ) -> AgreementUsage:
        full = full_period or period
        following = next_period or DateSpan(full.end, full.end + timedelta(days=31))
        return AgreementUsage(
            agreement=Agreement(
                code="G1", account="A1", plan="test", starts_on=starts_on, ends_on=ends_on, terms=dict(terms or {})
            ),
            period=period,
            full_period=full,
            next_period=following,
            tiles=tuple(Tile(dates=dates, plan=version) for dates, version in tiles or [(period, plan)]),
            next_tiles=(Tile(dates=following, plan=next_plan),) if next_plan else (),
            state={one.name: one for one in state},
            billed_through=dict(billed_through or {}),
        )

    return make


@pytest.fixture(scope="session")
def measured() -> Callable[..., Measure]:
    """Return a measure of the agreement: a quantity on the dates of a tile."""

    def make(name: str, value: str | int, unit: str, dates: DateSpan = JUNE, **fields: Any) -> Measure:
        measure = Measure(agreement="G1", name=name, quantity=Quantity(Fraction(value), unit), dates=dates)
        return attrs.evolve(measure, **fields)

    return make


@pytest.fixture(scope="session")
def rate(models: dict[str, ChargeModel], account: Account) -> Rate:
    """Return the rated group of one agreement whose rater delivers the given measures."""
    default = account

    def run(usage: AgreementUsage, measures: Sequence[Measure] = (), *, account: Account | None = None) -> RatedGroup:
        rater = Rater(name="given", kinds=("given",), rate=lambda _group: Rating(measures=tuple(measures)))
        group = BillingGroup(account=account or default, period=usage.full_period, agreements=(usage,))
        return rate_group(group, RatingOffers(raters=(rater,), models=models))

    return run
