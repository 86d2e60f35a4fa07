"""What the tests of the plugin share: its own files, and the third-party samples that are not part of the repository."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest
from billing_utility_metering import plugin
from billing_utility_metering.kinds import Flow, IntervalDay, ReadQuality, RegisterRead
from billing_utility_metering.rating.rate import RATER

from billing_framework import (
    Account,
    Agreement,
    AgreementUsage,
    AnyUsage,
    Assignment,
    BillingGroup,
    CarriedState,
    DateSpan,
    Finding,
    KeyedUsage,
    Money,
    PlanVersion,
    Span,
    Usage,
    exact,
    timezone,
)
from billing_framework.plugin.host import Host
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.payable import payable_lines
from billing_framework.rating.plan_check import check_plan
from billing_framework.rating.plan_file import PlanRead, params_by_model, parse_plan, read_plan
from billing_framework.rating.rate import RatedGroup, rate_group, rate_groups
from billing_framework.rating.selection import LoadedPlan, select

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]


@pytest.fixture
def data() -> Path:
    """The folder of files made for these tests."""
    return HERE / "data"


HEADER = """schema = 1
[plan]
code = "plan"
version = "{version}"
valid_from = {valid_from}
currency = "{currency}"
"""


@attrs.frozen(kw_only=True)
class World:
    """A deployment of this plugin alone, and how a bill is put together in it."""

    host: Host = attrs.field(repr=False)

    def plan(self, components: str, *, version: str = "1", valid_from: str = "2000-01-01", currency: str = "USD") -> PlanVersion:
        """Load a plan from the text of its components; a fault of the file or its check fails the test."""
        text = HEADER.format(version=version, valid_from=valid_from, currency=currency) + components
        plan = parse_plan(text.encode(), file="plan.toml", params=self.params())
        findings = self.problems(plan)
        assert not findings, findings
        return plan

    def params(self) -> dict[str, type]:
        """Parameter class of every charge model."""
        return params_by_model(self.host.charge_models.values(), self.host.raters.values())

    def read_plan(self, components: str) -> PlanRead:
        """Read a plan without refusing it."""
        text = HEADER.format(version="1", valid_from="2000-01-01", currency="USD") + components
        return read_plan(text.encode(), file="plan.toml", params=self.params())

    def problems(self, plan: PlanVersion) -> tuple[Finding, ...]:
        """What the check of a plan finds."""
        measures = {name for rater in self.host.raters.values() for name in rater.measures}
        return check_plan(plan, models=self.host.charge_models, measures=measures, file="plan.toml")

    def group(
        self,
        *plans: PlanVersion,
        records: Sequence[AnyUsage] = (),
        period: str = "2026-06-01/2026-07-01",
        full: str = "",
        assignments: Sequence[Assignment] = (Assignment(subject="P", agreement="A", starts_on=date(2000, 1, 1)),),
        state: Sequence[CarriedState] = (),
        terms: Mapping[str, str] | None = None,
        zone: str = "UTC",
        locale: str = "en_US",
        holidays: Mapping[str, frozenset[date]] | None = None,
    ) -> BillingGroup:
        """Put one agreement with its records together, as the framework does before rating."""
        dates, whole = _dates(period), _dates(full or period)
        agreement = Agreement(code="A", account="1", plan="plan", starts_on=date(2000, 1, 1), terms=terms or {})
        loaded = [LoadedPlan(plan=plan, loaded_at=datetime(2000, 1, 1, tzinfo=UTC)) for plan in plans]
        selection = select(agreement, dates, loaded, datetime(2100, 1, 1, tzinfo=UTC), self.host.charge_models)
        assert not selection.findings, selection.findings
        keyed = [
            KeyedUsage(key=number, usage=usage, assignment=_guided(usage, assignments, timezone(zone)))
            for number, usage in enumerate(records, start=1)
        ]
        keyed.sort(key=lambda one: (one.usage.kind, one.usage.subject, one.usage.start, one.key))
        usage = AgreementUsage(
            agreement=agreement,
            period=dates,
            full_period=whole,
            next_period=DateSpan(whole.end, whole.end + timedelta(days=whole.days)),
            tiles=selection.tiles,
            assignments=tuple(one for one in assignments if one.agreement == "A"),
            records=tuple(keyed),
            state={one.name: one for one in state},
        )
        account = Account(code="1", party="p", book="b", currency=plans[0].currency, locale=locale, zone=zone)
        return BillingGroup(account=account, period=dates, agreements=(usage,), holidays=holidays or {})

    def rate(self, group: BillingGroup) -> RatedGroup:
        """Rate a group with everything that the core checks, and assert that the columnar twin comes to the same charges."""
        offers = RatingOffers(
            raters=(RATER,),
            models=self.host.charge_models,
            plugin_of={RATER.name: "utility_metering"},
            settings={"utility_metering": self.host.settings_of_rater(RATER.name)},
            divisible_kinds=frozenset(kind.name for kind in self.host.kinds.values() if kind.divisible),
        )
        rated = rate_group(group, offers)
        assert rate_groups([group], offers) == (rated,)
        return rated

    def bill(self, *plans: PlanVersion, **given: Any) -> RatedGroup:
        """Put a group together and rate it."""
        return self.rate(self.group(*plans, **given))

    def net(self, rated: RatedGroup, *plans: PlanVersion) -> Money:
        """The net total, rounded as the plan says."""
        return Money.total(payable_lines(rated.charges, {plan.name: plan for plan in plans}), plans[0].currency)


def _dates(text: str) -> DateSpan:
    start, _, end = text.partition("/")
    return DateSpan(date.fromisoformat(start), date.fromisoformat(end))


def _guided(usage: AnyUsage, assignments: Sequence[Assignment], zone: ZoneInfo) -> Assignment:
    day = usage.start.astimezone(zone).date()
    own = [one for one in assignments if one.subject == usage.subject]
    lasting = [one for one in own if one.starts_on <= day and (one.ends_on is None or day < one.ends_on)]
    return (lasting or own or [Assignment(subject=usage.subject, agreement="", starts_on=date.min)])[0]


@pytest.fixture(scope="session")
def world() -> World:
    """A deployment of this plugin alone."""
    return World(host=Host.build([("utility_metering", plugin)]))


@pytest.fixture(scope="session")
def configured() -> Callable[..., World]:
    """A deployment of this plugin with settings."""
    return lambda **settings: World(host=Host.build([("utility_metering", plugin)], settings={"utility_metering": settings}))


@pytest.fixture(scope="session")
def read_at() -> Callable[..., AnyUsage]:
    """Make a register read."""

    def make(
        on: str,
        value: str,
        *,
        point: str = "P",
        meter: str = "M1",
        register: str = "1",
        unit: str = "kWh",
        quality: str = "actual",
        flow: str = "delivered",
    ) -> AnyUsage:
        instant = datetime.fromisoformat(on).replace(hour=9, tzinfo=UTC)
        return Usage(
            kind="register_read",
            source="test",
            external_id=f"{point}/{meter}/{register}/{on}",
            subject=point,
            span=Span.at(instant),
            body=RegisterRead(
                register=register,
                meter=meter,
                value=exact(value),
                unit=unit,
                quality=ReadQuality(quality),
                flow=Flow(flow),
            ),
        )

    return make


@pytest.fixture(scope="session")
def interval_days() -> Callable[..., list[AnyUsage]]:
    """Make interval days of a channel in local time: every value by a function of its local start."""

    def make(
        period: str,
        value: Callable[[datetime], int],
        *,
        point: str = "P",
        channel: str = "E1",
        zone: str = "UTC",
        minutes: int = 60,
        unit: str = "kWh",
        scale: int = 0,
        flow: str = "delivered",
        quality: str = "A",
    ) -> list[AnyUsage]:
        found = []
        for day in _dates(period).dates():
            span = DateSpan(day, day + timedelta(days=1)).instants(timezone(zone))
            starts = [span.start + timedelta(minutes=minutes * number) for number in range(span.seconds // 60 // minutes)]
            values = tuple(value(start.astimezone(timezone(zone))) for start in starts)
            body = IntervalDay(
                channel=channel,
                unit=unit,
                flow=Flow(flow),
                interval_seconds=60 * minutes,
                scale=scale,
                values=values,
                qualities=f"{quality}*{len(values)}",
            )
            name = f"{point}/{channel}/{day}"
            found.append(
                Usage(kind="interval_day", source="test", external_id=name, subject=point, slot=name, span=span, body=body)
            )
        return found

    return make
