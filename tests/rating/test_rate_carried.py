"""Rating carried records: old ones are due like any other, may be left for later with a reason, and are never lost."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import attrs
import pytest

from billing_framework.accounts.account import Account
from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.charge import Charge
from billing_framework.rating.charge_models import core_models
from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage, Tile
from billing_framework.rating.measure_rater import measure_rater
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Rating
from billing_framework.usage.record import Usage
from billing_framework.values.money import Amount
from billing_framework.values.period import DateSpan, Span
from tests.rating.conftest import JUNE

MAY = DateSpan(date(2026, 5, 1), date(2026, 6, 1))
PER_UNIT = 'model = "per_unit"\nmeasure = "trips"\nunit = "trip"\nprice = "2.00"'
STAND = 'model = "recurring"\nprice = "30.00"'
TRIPS = measure_rater("trip", "", "trip", "trips", carried=True)


@attrs.frozen(kw_only=True)
class Trip:
    """A trip."""


def trip(key: int, day: str) -> KeyedUsage:
    start = datetime.fromisoformat(day).replace(hour=8, tzinfo=UTC)
    usage: Usage[Trip] = Usage(kind="trip", source="s", external_id=f"t{key}", subject="ann", span=Span.at(start), body=Trip())
    return KeyedUsage(key=key, usage=usage, assignment=Assignment(subject="ann", agreement="G1", starts_on=date(2000, 1, 1)))


def charge(key: int, first: date, last: date, *, records: tuple[int, ...] = ()) -> Charge:
    return Charge(
        agreement="G1",
        component="trips",
        code="trips",
        description="Trip",
        service=DateSpan.inclusive(first, last),
        source=str(key),
        amount=Amount(1, "USD"),
        tax_category="standard",
        plan="test@1",
        records=records or (key,),
    )


def rated(usage: AgreementUsage, account: Account, rater: Rater, *, carried: bool = True) -> RatedGroup:
    group = BillingGroup(account=account, period=usage.full_period, agreements=(usage,))
    kinds = frozenset({"trip"}) if carried else frozenset()
    models = {model.name: model for model in core_models()}
    return rate_group(group, RatingOffers(raters=(rater,), models=models, carried_kinds=kinds))


def answering(rating: Rating) -> Rater:
    return Rater(name="trips", kinds=("trip",), rate=lambda _: rating)


@pytest.fixture
def asked(plan: Any, usage: Any) -> AgreementUsage:
    """June with a trip of May and one of June."""
    made = plan({"trips": PER_UNIT, "stand": STAND})
    tiles = (Tile(dates=MAY, plan=made),)
    records = (trip(1, "2026-05-07"), trip(2, "2026-06-07"))
    found: AgreementUsage = attrs.evolve(usage(made), earlier_tiles=tiles, records=records)
    return found


def codes(group: RatedGroup) -> list[str]:
    return [finding.code for finding in group.findings]


def test_a_record_of_an_earlier_month_is_due_and_not_lost(asked: AgreementUsage, account: Account) -> None:
    group = rated(asked, account, answering(Rating(charges=(charge(2, JUNE.start, JUNE.last),))))
    assert codes(group) == ["RATE02"]
    assert (group.control.records, group.control.priced, group.control.lost) == (2, 1, 1)
    not_carried = rated(asked, account, answering(Rating(charges=(charge(2, JUNE.start, JUNE.last),))), carried=False)
    assert (codes(not_carried), not_carried.control.records, not_carried.billed) == ([], 1, ())


def test_it_may_be_charged_on_its_own_date_and_not_before(asked: AgreementUsage, account: Account) -> None:
    both = (charge(1, date(2026, 5, 7), date(2026, 5, 7)), charge(2, JUNE.start, JUNE.last))
    group = rated(asked, account, answering(Rating(charges=both)))
    assert (codes(group), group.billed, group.control.priced) == ([], (1, 2), 2)
    early = rated(asked, account, answering(Rating(charges=(charge(1, date(2026, 4, 30), date(2026, 5, 7)), both[1]))))
    assert codes(early) == ["RATE03"]


def test_what_is_deferred_is_counted_apart_and_not_billed(asked: AgreementUsage, account: Account) -> None:
    rating = Rating(charges=(charge(2, JUNE.start, JUNE.last),), deferred={1: "no rate"})
    group = rated(asked, account, answering(rating))
    assert (codes(group), group.billed, group.deferred) == ([], (2,), {1: "no rate"})
    assert (group.control.records, group.control.priced, group.control.deferred) == (2, 1, {"no rate": 1})


@pytest.mark.parametrize(
    "deferred",
    [{2: "billed as well"}, {1: ""}, {9: "not given"}, {1: "free"}],
)
def test_a_deferral_that_breaks_the_contract_holds_the_account(
    asked: AgreementUsage, account: Account, deferred: dict[int, str]
) -> None:
    free = {1: "free"} if deferred == {1: "free"} else {}
    rating = Rating(charges=(charge(2, JUNE.start, JUNE.last),), unpriced=free, deferred=deferred)
    assert codes(rated(asked, account, answering(rating))) == ["RATE03"]


def test_only_carried_records_can_wait(asked: AgreementUsage, account: Account) -> None:
    group = rated(asked, account, answering(Rating(deferred={2: "no rate"})), carried=False)
    assert codes(group) == ["RATE02"]


def test_the_ready_made_rater_counts_old_records_with_the_first_tile(asked: AgreementUsage, account: Account) -> None:
    group = rated(asked, account, TRIPS)
    assert codes(group) == []
    assert [(charge.code, str(charge.amount), charge.records) for charge in group.charges] == [
        ("trips", "4 USD", (1, 2)),
        ("stand", "30 USD", ()),
    ]
    assert group.billed == (1, 2)


def test_an_agreement_that_is_over_bills_its_old_records_alone(asked: AgreementUsage, account: Account) -> None:
    over = attrs.evolve(asked, tiles=(), period=DateSpan(MAY.last, MAY.end), records=asked.records[:1])
    group = rated(over, account, answering(Rating(charges=(charge(1, date(2026, 5, 7), date(2026, 5, 7)),))))
    assert (codes(group), [charge.code for charge in group.charges], group.billed) == ([], ["trips"], (1,))
    waiting = rated(over, account, TRIPS)
    assert (codes(waiting), waiting.control.deferred) == ([], {"no plan version is in force any more": 1})


def test_the_tile_of_a_date_is_found_before_the_period_too(asked: AgreementUsage) -> None:
    assert asked.tile_at(date(2026, 6, 30)) == asked.tiles[0]
    assert asked.tile_at(date(2026, 5, 1)) == asked.earlier_tiles[0]
    assert asked.tile_at(date(2026, 4, 30)) is None
