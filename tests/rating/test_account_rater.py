"""A rater from a plain function over lists: equal to the ready-made rater, tile by tile, and sound as columns."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework.accounts.account import Account
from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.account_rater import AccountRecords, AccountRule, MeasureScale, account_rater
from billing_framework.rating.gather_columns import columns_of
from billing_framework.rating.group import BillingGroup, KeyedUsage
from billing_framework.rating.measure_rater import measure_rater
from billing_framework.rating.rated_columns import columns_faults
from billing_framework.rating.rating import Rating
from billing_framework.rating.shard_twin import ShardTwin
from billing_framework.usage.record import Usage, UsageKind
from billing_framework.values.errors import ContractBroken, ValueRefused
from billing_framework.values.period import DateSpan, Span
from tests.properties import examples


@attrs.frozen(kw_only=True)
class Stay:
    """A stay.

    Attributes:
        hours: how long.
        place: where.
        guests: how many, where somebody counted them.
    """

    hours: Fraction
    place: str = ""
    guests: int | None = None


STAY = UsageKind(name="stay", title="A stay", body=Stay)
NO_DETAILS = ("agreement", "name", "dates", "quantity", "records")


def summed(records: AccountRecords) -> dict[str, int]:
    return {"hours": sum(records.fields["hours"])}


RULE = AccountRule(kind=STAY, fields={"hours": 3}, measures={"hours": MeasureScale(unit="h", decimals=3)}, rate=summed)
SIMPLE = account_rater("stays", RULE)


def stay(key: int, day: int, thousandths: int, *, own: bool = True, **fields: Any) -> KeyedUsage:
    start = datetime(2026, 6, 1, 12, tzinfo=UTC) + timedelta(days=day)
    usage = Usage(
        kind="stay",
        source="desk",
        external_id=str(key),
        subject="room 1",
        span=Span(start, start + timedelta(hours=1)),
        body=Stay(hours=Fraction(thousandths, 1000), **fields),
    )
    return KeyedUsage(
        key=key, usage=usage, assignment=Assignment(subject="room 1", agreement="A-1" if own else "B", starts_on=date(2020, 1, 1))
    )


@pytest.fixture
def group(plan: Any, usage: Any, account: Account) -> Any:
    def make(records: list[KeyedUsage], cut: int = 0) -> BillingGroup:
        version = plan({"hours": 'model = "per_unit"\nmeasure = "hours"\nprice = "1"\nunit = "h"'})
        june, middle = DateSpan(date(2026, 6, 1), date(2026, 7, 1)), date(2026, 6, 1) + timedelta(days=cut)
        tiles = [(DateSpan(june.start, middle), version), (DateSpan(middle, june.end), version)] if cut else []
        asked = usage(version, tiles=tiles) if tiles else usage(version)
        named = [attrs.evolve(one, assignment=attrs.evolve(one.assignment, agreement=asked.agreement.code)) for one in records]
        ordered = [mine if one.assignment.agreement == "A-1" else one for one, mine in zip(records, named, strict=True)]
        return BillingGroup(account=account, period=june, agreements=(attrs.evolve(asked, records=tuple(ordered)),))

    return make


def plain(rating: Rating) -> list[tuple[Any, ...]]:
    return [tuple(getattr(measure, name) for name in NO_DETAILS) for measure in rating.measures]


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stays=st.lists(st.tuples(st.integers(-3, 32), st.integers(-(10**6), 10**6), st.booleans()), max_size=8),
    cut=st.integers(0, 29),
)
def test_it_says_what_the_ready_made_rater_says(stays: list[tuple[int, int, bool]], cut: int, group: Any) -> None:
    records = [stay(key, day, hours, own=own) for key, (day, hours, own) in enumerate(sorted(stays), start=1)]
    asked = group(records, cut)
    wanted = measure_rater("stay", "hours", "h", "hours").rate(asked)

    assert plain(SIMPLE.rate(asked)) == plain(wanted)
    assert SIMPLE.twin is not None
    assert [plain(one) for one in SIMPLE.twin([asked, group([]), asked])] == [plain(wanted), [], plain(wanted)]
    assert SIMPLE.shard is not None
    columns = columns_of([asked], STAY, ("hours",))
    assert not list(columns_faults(columns, SIMPLE.shard.rate(columns)))


def test_it_sees_texts_numbers_and_what_is_not_there(group: Any) -> None:
    seen: list[AccountRecords] = []

    def rate(records: AccountRecords) -> dict[str, int]:
        seen.append(records)
        return {"guests": sum(one or 0 for one in records.fields["guests"])}

    rule = AccountRule(
        kind=STAY, fields={"guests": 0, "place": 0, "hours": 1}, measures={"guests": MeasureScale(unit="guest")}, rate=rate
    )
    rating = account_rater("guests", rule).rate(group([stay(1, 0, 500, place="Köln", guests=2), stay(2, 3, 1500, place="Rom")]))

    assert [(one.name, one.quantity.value) for one in rating.measures] == [("guests", Fraction(2))]
    (records,) = seen
    assert records.fields == {"guests": [2, None], "place": ["Köln", "Rom"], "hours": [5, 15]}
    assert (records.second, records.day[1] - records.day[0]) == ([12 * 3600] * 2, 3)


def test_more_decimals_than_asked_for_are_refused(group: Any) -> None:
    rule = attrs.evolve(RULE, fields={"hours": 2})
    with pytest.raises(ValueRefused, match="decimals"):
        account_rater("stays", rule).rate(group([stay(1, 0, 501)]))


@pytest.mark.parametrize("answer", [{"hours": 1.5}, {"days": 1}])
def test_another_measure_or_a_float_breaks_the_contract(answer: Any, group: Any) -> None:
    rule = attrs.evolve(RULE, rate=lambda _records: answer)
    with pytest.raises(ContractBroken, match="no whole number"):
        account_rater("stays", rule).rate(group([stay(1, 0, 501)]))


def test_the_name_of_a_kind_is_no_kind() -> None:
    for made in (lambda: attrs.evolve(RULE, kind="stay"), lambda: ShardTwin(kind="stay", fields=(), rate=lambda _: None)):  # type: ignore[arg-type, return-value]
        with pytest.raises(ContractBroken, match="RATE03 the kind of the .* is 'stay', not a UsageKind"):
            made()


def test_carried_and_divisible_kinds_need_a_rater() -> None:
    for kind in (attrs.evolve(STAY, carried=True), attrs.evolve(STAY, divisible=True)):
        with pytest.raises(ContractBroken, match="carried or divisible"):
            account_rater("stays", attrs.evolve(RULE, kind=kind))
