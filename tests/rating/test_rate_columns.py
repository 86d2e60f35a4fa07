"""The columnar twin of a rater: asked once for many groups, believed only where its answer is sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, TypeVar

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.rating.account_rater import AccountRule, MeasureScale, account_rater
from billing_framework.rating.group import BillingGroup
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rate import RatedGroup, rate_group, rate_groups
from billing_framework.rating.rated_columns import RatedColumns
from billing_framework.rating.rating import Rating
from billing_framework.rating.usage_columns import UsageColumns
from billing_framework.usage.record import UsageKind
from billing_framework.values.finding import Finding
from billing_framework.values.money import Amount
from tests.rating.test_rate import CALLS, MODELS, PER_UNIT, Call, call

T = TypeVar("T")
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
    by_rule = account_rater("calls", rule)

    def counted(group: BillingGroup) -> Rating:
        asked.append(group.account.code)
        return by_rule.rate(group)

    found = rate_groups(groups, RatingOffers(raters=(attrs.evolve(by_rule, rate=counted),), models=MODELS))

    assert [[charge.amount for charge in one.charges] for one in found] == [[Amount("4", "USD")], [Amount("3.5", "USD")]]
    assert asked == ["A1"]  # one to compare


@attrs.frozen
class Listener:
    """Keeps what is told of twins."""

    heard: list[str] = attrs.field(factory=list)

    def call(self, _plugin: str, _what: str, function: Callable[[], T]) -> T:
        return function()

    def tell(self, finding: Finding) -> None:
        self.heard.append(finding.what)

    def fell_back(self, rater: str, accounts: int) -> None:
        self.heard.append(f"{rater} {accounts}")


def test_a_twin_is_not_blamed_for_what_the_reference_does_at_a_group_that_is_left(groups: list[BillingGroup]) -> None:
    rule = AccountRule(
        kind=UsageKind(name="call", title="A call", body=Call),
        fields={"minutes": 3},
        measures={"minutes": MeasureScale(unit="min", decimals=3)},
        rate=lambda records: {"minutes": sum(records.fields["minutes"])},
    )
    by_rule = account_rater("calls", rule)
    assert by_rule.shard is not None
    rate_all = by_rule.shard.rate

    def leave_the_second(columns: UsageColumns) -> RatedColumns:
        measured = columns.group_of[columns.agreement_of_rows()] != 1
        return attrs.evolve(rate_all(columns), left=frozenset({1}), measured=measured)

    def fail_at_the_second(group: BillingGroup) -> Rating:
        if group == groups[1]:
            raise LookupError(group.account.code)
        return by_rule.rate(group)

    shard = attrs.evolve(by_rule.shard, rate=leave_the_second)
    rater, watch = attrs.evolve(by_rule, rate=fail_at_the_second, shard=shard), Listener()
    first, second = rate_groups(groups, RatingOffers(raters=(rater,), models=MODELS, watch=watch))
    assert (first.held, [one.code for one in second.findings]) == (False, ["RATE01"])
    assert watch.heard == []


def test_how_a_twin_breaks_the_contract_is_told(groups: list[BillingGroup]) -> None:
    watch = Listener()
    for twin in (forgetful, wrong_type):
        rate_groups(groups[:1], attrs.evolve(offers_with(twin), watch=watch))
    who = f"columnar twin of rater {CALLS.name!r}"
    assert [what for what in watch.heard if what.startswith(who)] == [
        f"{who} accounts for records nowhere (plugin core); the reference rates instead",
        f"{who} returned str instead of a Rating (plugin core); the reference rates instead",
    ]


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


@attrs.frozen
class Graces:
    """Settings of a plugin, with a part that can be written into."""

    by_site: dict[str, int]


def writing_at(victim: str, groups: Sequence[BillingGroup], *, fails: bool) -> list[RatedGroup]:
    """Return accounts rated by a rater that is free of charge where its settings say so, and says so itself at one of them."""
    settings = Graces({"default": 3})

    def rate(group: BillingGroup) -> Rating:
        if group.account.code == victim:
            group.settings.by_site["default"] = 0
            object.__setattr__(group.settings, "by_site", dict(group.settings.by_site))
            if fails:
                raise LookupError(victim)
        return CALLS.rate(group) if group.settings.by_site["default"] else Rating()

    rater = attrs.evolve(CALLS, rate=rate)
    offers = RatingOffers(raters=(rater,), models=MODELS, plugin_of={CALLS.name: "acme"}, settings={"acme": settings})
    rated = list(rate_groups(groups, offers))
    assert settings == Graces({"default": 3})
    return rated


def several(groups: Sequence[BillingGroup]) -> list[BillingGroup]:
    return [
        attrs.evolve(group, account=attrs.evolve(group.account, code=code))
        for group, code in zip([*groups, *groups], ["A1", "A2", "A3", "A4"], strict=True)
    ]


@pytest.mark.parametrize("fails", [False, True])
def test_who_writes_into_settings_holds_that_account_and_no_other_is_billed_by_them(
    groups: list[BillingGroup], *, fails: bool
) -> None:
    some = several(groups)
    rated, right = writing_at("A2", some, fails=fails), by_reference(some)
    (finding,) = [finding for one in rated for finding in one.findings if finding.stops]
    assert finding.code == "RATE03"
    assert (finding.what, finding.subject) == (f"rater {CALLS.name!r} changed its settings (plugin acme)", "A2")
    assert [rated[place] for place in (0, 2, 3)] == [right[place] for place in (0, 2, 3)]


def test_a_twin_that_writes_into_settings_is_passed_over(groups: list[BillingGroup]) -> None:
    def twin(shard: Sequence[BillingGroup]) -> Sequence[Rating]:
        shard[0].settings.by_site.clear()
        return [Rating() for _ in shard]

    settings = Graces({"default": 3})
    offers = offers_with(twin)
    offers = attrs.evolve(offers, plugin_of={CALLS.name: "acme"}, settings={"acme": settings})
    assert list(rate_groups(groups, offers)) == by_reference(groups)
    assert settings == Graces({"default": 3})
