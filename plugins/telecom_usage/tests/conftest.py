"""What the tests of the plugin share: calls, decks, plans, and the samples that are not part of the repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest
from billing_telecom_usage import plugin
from billing_telecom_usage.deck.table import DECK, DeckRow
from billing_telecom_usage.kinds import Call, Direction
from billing_telecom_usage.numbers import NumberClass
from billing_telecom_usage.rating.rate import RATER, TWIN, rate

from billing_framework import (
    Account,
    Agreement,
    AgreementUsage,
    AnyUsage,
    Assignment,
    BillingGroup,
    CarriedState,
    DateSpan,
    KeyedUsage,
    PlanVersion,
    RateTable,
    Span,
    Usage,
    exact,
    rate_by_columns,
)
from billing_framework.plugin.host import Host
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.plan_file import PlanRead, params_by_model, read_plan
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.selection import LoadedPlan, select

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]


def call(
    seconds: int,
    number: str = "4930123456",
    at: str = "2026-06-10T12:00:00+00:00",
    *,
    a_number: str = "4989001",
    name: str = "",
    direction: Direction = Direction.OUTGOING,
    kind: NumberClass = NumberClass.INTERNATIONAL,
    continuation: bool = False,
    ringing: int = 0,
) -> AnyUsage:
    """Return a call that was answered where it has seconds."""
    start = datetime.fromisoformat(at).astimezone(UTC)
    body = Call(
        a_number=a_number,
        b_number=number,
        b_class=kind,
        direction=direction,
        answered_at=start + timedelta(seconds=ringing) if seconds else None,
        duration_seconds=seconds + ringing,
        billed_seconds=seconds,
        continuation=continuation,
    )
    return Usage(
        kind="call",
        source="test",
        external_id=name or f"{at}/{number}/{seconds}",
        subject=a_number,
        span=Span(start, start + timedelta(seconds=seconds + ringing)),
        body=body,
    )


def deck(*rows: Mapping[str, Any], code: str = "deck", version: str = "1", valid_from: date = date(2000, 1, 1)) -> RateTable:
    """Return a deck of rows given by their fields; exact numbers as text."""
    exact_fields = ("rate_per_min", "connect_fee", "minimum_charge", "maximum_charge")
    made = []
    for row in rows:
        fields: dict[str, Any] = {
            name: exact(value) if name in exact_fields and value is not None else value for name, value in row.items()
        }
        made.append(DeckRow(**{"destination": f"to {row['prefix']}", **fields}))
    return RateTable(
        code=code, version=version, kind=DECK.name, valid_from=valid_from, currency="EUR", rows=tuple(made), sha256="0" * 64
    )


PLAN = """
schema = 1
[plan]
code = "plan"
version = "{version}"
valid_from = {valid_from}
currency = "EUR"

[[component]]
code = "calls"
title = {{ en = "Calls", de = "Verbindungen" }}
model = "telecom_usage.calls"
charge_code = "telecom.calls"
tax_category = "standard"
deck = "deck"
{body}
"""


@attrs.frozen
class World:
    """A deployment of the plugin, without a database."""

    host: Host

    def read(self, text: str) -> PlanRead:
        """Read a plan file."""
        return read_plan(
            text.encode(), file="plan.toml", params=params_by_model(self.host.charge_models.values(), self.host.raters.values())
        )

    def plan(self, body: str = "", *, version: str = "1", valid_from: str = "2000-01-01") -> PlanVersion:
        """Return a plan with one component of calls."""
        return self.whole_plan(self.plan_text(body, version=version, valid_from=valid_from))

    def plan_text(self, body: str = "", *, version: str = "1", valid_from: str = "2000-01-01") -> str:
        """Return the text of a plan with one component of calls."""
        return PLAN.format(body=body, version=version, valid_from=valid_from)

    def whole_plan(self, text: str) -> PlanVersion:
        """Return the plan that a text says."""
        found = self.read(text)
        assert found.plan is not None, [str(finding) for finding in found.findings]
        return found.plan

    def group(
        self,
        *plans: PlanVersion,
        calls: Sequence[AnyUsage] = (),
        tables: Sequence[RateTable] = (),
        period: str = "2026-06-01/2026-07-01",
        full: str = "",
        following: str = "",
        state: Sequence[CarriedState] = (),
        zone: str = "UTC",
        locale: str = "en_US",
        earlier: str = "",
        holidays: Mapping[str, frozenset[date]] | None = None,
        account: str = "1",
        first_key: int = 1,
        billed_through: Mapping[str, date] | None = None,
        starts_on: date = date(2000, 1, 1),
        ends_on: date | None = None,
    ) -> BillingGroup:
        """Put one agreement with its calls together, as the framework does before rating."""
        dates, whole = _dates(period), _dates(full or period)
        agreement = Agreement(code=f"A{account}", account=account, plan="plan", starts_on=starts_on, ends_on=ends_on)
        loaded = [LoadedPlan(plan=plan, loaded_at=datetime(2000, 1, 1, tzinfo=UTC)) for plan in plans]
        known = datetime(2100, 1, 1, tzinfo=UTC)
        models = self.host.charge_models
        selection = select(agreement, dates, loaded, known, models)
        assert not selection.findings, selection.findings
        ahead = _dates(following) if following else DateSpan(whole.end, whole.end + timedelta(days=whole.days))
        assigned = Assignment(subject="4989001", agreement=agreement.code, starts_on=date(2000, 1, 1))
        keyed = [KeyedUsage(key=key, usage=usage, assignment=assigned) for key, usage in enumerate(calls, start=first_key)]
        keyed.sort(key=lambda one: (one.usage.kind, one.usage.subject, one.usage.start, one.key))
        usage = AgreementUsage(
            agreement=agreement,
            period=dates,
            full_period=whole,
            next_period=ahead,
            tiles=selection.tiles,
            next_tiles=select(agreement, ahead, loaded, known, models).tiles,
            earlier_tiles=select(agreement, _dates(earlier), loaded, known, models).tiles if earlier else (),
            tables=tuple(tables),
            assignments=(assigned,),
            records=tuple(keyed),
            state={one.name: one for one in state},
            billed_through=billed_through or {},
        )
        owner = Account(code=account, party="p", book="b", currency="EUR", locale=locale, zone=zone)
        return BillingGroup(account=owner, period=dates, agreements=(usage,), holidays=holidays or {})

    def offers(self) -> RatingOffers:
        """Return what is offered to rating."""
        return RatingOffers(
            raters=(RATER,),
            models=self.host.charge_models,
            plugin_of={RATER.name: "telecom_usage"},
            settings={"telecom_usage": self.host.settings_of_rater(RATER.name)},
            divisible_kinds=frozenset(),
            carried_kinds=frozenset({"call"}),
        )

    def rate(self, group: BillingGroup) -> RatedGroup:
        """Rate a group by the reference, with everything that the core checks."""
        return rate_group(group, self.offers())

    def rate_both(self, *groups: BillingGroup) -> list[RatedGroup]:
        """Rate groups by the columnar twin, and assert that the reference says the same."""
        own = [attrs.evolve(group, settings=self.host.settings_of_rater(RATER.name)) for group in groups]
        assert list(rate_by_columns(own, TWIN, rate)) == [rate(group) for group in own]
        return [self.rate(group) for group in groups]

    def bill(self, *plans: PlanVersion, **given: Any) -> RatedGroup:
        """Put a group together and rate it both ways."""
        (rated,) = self.rate_both(self.group(*plans, **given))
        return rated


def _dates(text: str) -> DateSpan:
    start, _, end = text.partition("/")
    return DateSpan(date.fromisoformat(start), date.fromisoformat(end))


@pytest.fixture(scope="session")
def world() -> World:
    """A deployment of this plugin alone."""
    return World(host=Host.build([("telecom_usage", plugin)]))


@pytest.fixture(scope="session")
def configured() -> Callable[..., World]:
    """A deployment of this plugin with settings."""
    return lambda **settings: World(host=Host.build([("telecom_usage", plugin)], settings={"telecom_usage": settings}))


@pytest.fixture(scope="session")
def make_call() -> Callable[..., AnyUsage]:
    """Make a call."""
    return call


@pytest.fixture(scope="session")
def make_deck() -> Callable[..., RateTable]:
    """Make a deck."""
    return deck
