"""The columnar twin of a rater: asked once for many groups, believed only where its answer is sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.rating.account_rater import AccountRule, MeasureScale, account_rater
from billing_framework.rating.group import BillingGroup
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rate import RatedGroup, rate_group, rate_groups
from billing_framework.rating.rating import Rating
from billing_framework.usage.record import UsageKind
from billing_framework.values.money import Amount
from tests.rating.test_rate import CALLS, MODELS, PER_UNIT, Call, call

Twin = Callable[[Sequence[BillingGroup]], Sequence[Rating]]


def offers_with(twin: Twin | None, asked: list[str] | None = None) -> RatingOffers:
    def counted(group: BillingGroup) -> Rating:
        if asked is not None:
            asked.append(group.account.code)
        return CALLS.rate(group)

    rater = attrs.evolve(CALLS, rate=counted, rate_columns=twin)
    return RatingOffers(raters=(rater,), models=MODELS)


@pytest.fixture
def groups(plan: Any, usage: Any, account: Account) -> list[BillingGroup]:
    asked = usage(plan({"calls": PER_UNIT}))
    batches = ((call(1, 3), call(2, 4, "5")), (call(3, 9, "7"),))
    return [
        BillingGroup(account=account, period=asked.full_period, agreements=(attrs.evolve(asked, records=records),))
        for records in batches
    ]


def by_reference(groups: Sequence[BillingGroup]) -> list[RatedGroup]:
    return [rate_group(one, offers_with(None)) for one in groups]


def test_a_sound_twin_is_asked_once_and_the_reference_for_one_of_many(groups: list[BillingGroup]) -> None:
    asked: list[str] = []
    seen: list[int] = []

    def twin(shard: Sequence[BillingGroup]) -> Sequence[Rating]:
        seen.append(len(shard))
        return [CALLS.rate(group) for group in shard]

    assert list(rate_groups(groups, offers_with(twin, asked))) == by_reference(groups)
    assert (seen, asked) == ([2], ["A1"])


def test_a_twin_of_columns_is_asked_without_anything_beside_it(groups: list[BillingGroup]) -> None:
    asked: list[str] = []
    rule = AccountRule(
        kind=UsageKind(name="call", title="A call", body=Call),
        fields={"minutes": 3},
        measures={"minutes": MeasureScale(unit="min", decimals=3)},
        rate=lambda records: {"minutes": sum(records.fields["minutes"])},
    )
    (rater,) = offers_with(None, asked).raters
    with_shard = attrs.evolve(rater, shard=account_rater("calls", rule).shard)
    found = rate_groups(groups, RatingOffers(raters=(with_shard,), models=MODELS))

    assert [[charge.amount for charge in one.charges] for one in found] == [[Amount("4", "USD")], [Amount("3.5", "USD")]]
    assert asked == []


def failing(_: Sequence[BillingGroup]) -> Sequence[Rating]:
    raise OverflowError("too large for a column")


def short(shard: Sequence[BillingGroup]) -> Sequence[Rating]:
    return [CALLS.rate(group) for group in shard[1:]]


def forgetful(shard: Sequence[BillingGroup]) -> Sequence[Rating]:
    return [Rating(), *(CALLS.rate(group) for group in shard[1:])]


def cheaper(shard: Sequence[BillingGroup]) -> Sequence[Rating]:
    """Rate every group by half of what it used, which breaks no contract."""
    ratings = [CALLS.rate(group) for group in shard]
    return [
        attrs.evolve(one, measures=tuple(attrs.evolve(each, quantity=each.quantity * Fraction(1, 2)) for each in one.measures))
        for one in ratings
    ]


def wrong_type(shard: Sequence[BillingGroup]) -> Sequence[Rating]:
    return ["rating" for _ in shard]  # type: ignore[misc]


@pytest.mark.parametrize("twin", [failing, short, forgetful, cheaper, wrong_type])
def test_a_faulty_twin_costs_time_and_no_money(twin: Twin, groups: list[BillingGroup]) -> None:
    assert list(rate_groups(groups, offers_with(twin))) == by_reference(groups)


def test_only_the_groups_that_the_twin_got_wrong_are_rated_again(groups: list[BillingGroup]) -> None:
    asked: list[str] = []
    assert list(rate_groups(groups, offers_with(forgetful, asked))) == by_reference(groups)
    assert asked == ["A1"] * 2  # one for the first, and one to compare the second
