"""What the tests of the plugin share: a world with this plugin alone, small rate tables, and how a bill is put together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from billing_legal_timekeeping import plugin
from billing_legal_timekeeping.kinds import Cost, Expense, Status, TimeEntry
from billing_legal_timekeeping.rating.rate import RATER

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
)
from billing_framework.plugin.host import Host
from billing_framework.rating.group import Tile
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.plan_check import check_plan
from billing_framework.rating.plan_file import params_by_model, parse_plan
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.rate_table_file import RateTableHeader, RateTableRead, read_rate_table

HERE = Path(__file__).parent

PEOPLE = """code,surname,first_name,classification,groups,starts_on,ends_on
RH,Hale,Ruth,PARTNR,Employment Litigation,2020-01-01,
TO,Ortiz,Tomas,ASSOC,,2020-01-01,
PL,Lind,Pia,PARALG,,2020-01-01,
"""
RATES = """timekeeper,value,starts_on,ends_on
RH,600,2020-01-01,
TO,350,2020-01-01,
PL,180,2020-01-01,
"""
HEADER = """schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2000-01-01
currency = "{currency}"
"""
FEES = """
[[component]]
code = "fees"
title = {{ en = "Fees", de = "Honorar" }}
model = "legal_timekeeping.time"
charge_code = "legal.fees"
tax_category = "standard"
timekeepers = "people"
rates = "rates"
{more}
"""
COSTS = """
[[component]]
code = "costs"
title = {{ en = "Costs" }}
model = "legal_timekeeping.expenses"
charge_code = "legal.costs"
tax_category = "standard"
{more}
"""


@pytest.fixture(scope="session")
def fees() -> Callable[..., str]:
    """A component of fees."""
    return lambda more="": FEES.format(more=more)


@pytest.fixture(scope="session")
def costs() -> Callable[..., str]:
    """A component of costs."""
    return lambda more="": COSTS.format(more=more)


@pytest.fixture(scope="session")
def arrangement() -> Callable[..., str]:
    """A component of an arrangement."""
    return lambda model, body, code="": (
        f"""
[[component]]
code = "{code or model}"
title = {{ en = "{model.replace("_", " ").capitalize()}" }}
model = "legal_timekeeping.{model}"
charge_code = "legal.{model}"
tax_category = "standard"
{body}
"""
    )


@attrs.frozen(kw_only=True)
class World:
    """A deployment of this plugin alone, and how a bill is put together in it."""

    host: Host = attrs.field(repr=False)

    def plan(self, components: str, currency: str = "USD") -> PlanVersion:
        """Load a plan from the text of its components; a fault of the file or its check fails the test."""
        params = params_by_model(self.host.charge_models.values(), self.host.raters.values())
        plan = parse_plan((HEADER.format(currency=currency) + components).encode(), file="plan.toml", params=params)
        findings = check_plan(plan, models=self.host.charge_models, measures=set(), file="plan.toml")
        assert not findings, findings
        return plan

    def read_table(self, code: str, kind: str, text: str, currency: str = "") -> RateTableRead:
        """Read a rate table without refusing it."""
        name = f"legal_timekeeping.{kind}"
        header = RateTableHeader(code=code, version="1", kind=name, valid_from=date(2000, 1, 1), currency=currency)
        return read_rate_table(text.encode(), file=f"{code}.csv", header=header, kind=self.host.rate_tables[name])

    def table(self, code: str, kind: str, text: str, currency: str = "") -> RateTable:
        """Load a rate table; a fault of the file fails the test."""
        found = self.read_table(code, kind, text, currency)
        assert found.table is not None, found.findings
        return found.table

    def tables(self, rates: str = RATES, people: str = PEOPLE, **more: tuple[str, str]) -> tuple[RateTable, ...]:
        """The tables of people and prices, and others by their code: kind and text."""
        own = (self.table("people", "timekeeper", people), self.table("rates", "rate", rates))
        return (*own, *(self.table(code, kind, text) for code, (kind, text) in more.items()))

    def group(
        self,
        components: str,
        records: Sequence[AnyUsage] = (),
        *,
        tables: tuple[RateTable, ...] | None = None,
        period: str = "2026-06-01/2026-07-01",
        terms: Mapping[str, str] | None = None,
        state: Sequence[CarriedState] = (),
        currency: str = "USD",
        zone: str = "UTC",
        locale: str = "en_US",
        starts_on: date = date(2026, 6, 1),
    ) -> BillingGroup:
        """Put one matter with its entries together, as the framework does before rating."""
        start, _, end = period.partition("/")
        dates = DateSpan(date.fromisoformat(start), date.fromisoformat(end))
        plan = self.plan(components, currency)
        agreement = Agreement(code="A", account="1", plan="plan", starts_on=starts_on, terms=terms or {})
        assignment = Assignment(subject="0001", agreement="A", starts_on=date(2000, 1, 1))
        keyed = [KeyedUsage(key=key, usage=usage, assignment=assignment) for key, usage in enumerate(records, start=1)]
        keyed.sort(key=lambda one: (one.usage.kind, one.usage.subject, one.usage.start, one.key))
        earlier = DateSpan(date(2000, 1, 1), dates.start)
        usage = AgreementUsage(
            agreement=agreement,
            period=dates,
            full_period=dates,
            next_period=DateSpan(dates.end, dates.end + timedelta(days=dates.days)),
            tiles=(Tile(dates=dates, plan=plan),),
            earlier_tiles=(Tile(dates=earlier, plan=plan),),
            tables=self.tables() if tables is None else tables,
            assignments=(assignment,),
            records=tuple(keyed),
            state={one.name: one for one in state},
        )
        account = Account(code="1", party="p", book="b", currency=currency, locale=locale, zone=zone)
        return BillingGroup(account=account, period=dates, agreements=(usage,))

    def rate(self, group: BillingGroup) -> RatedGroup:
        """Rate a group with everything that the core checks."""
        offers = RatingOffers(
            raters=(RATER,),
            models=self.host.charge_models,
            plugin_of={RATER.name: "legal_timekeeping"},
            carried_kinds=frozenset(kind.name for kind in self.host.kinds.values() if kind.carried),
        )
        return rate_group(group, offers)

    def bill(self, components: str, records: Sequence[AnyUsage] = (), **given: Any) -> RatedGroup:
        """Put a matter together and rate it; a finding that stops fails the test."""
        rated = self.rate(self.group(components, records, **given))
        assert not rated.held, rated.findings
        return rated

    def amounts(self, rated: RatedGroup) -> list[Fraction]:
        """What each line comes to."""
        return [charge.amount.value for charge in rated.charges]


@pytest.fixture(scope="session")
def world() -> World:
    """A deployment of this plugin alone."""
    return World(host=Host.build([("legal_timekeeping", plugin)]))


@pytest.fixture(scope="session")
def entry() -> Callable[..., AnyUsage]:
    """Make a time entry."""
    numbers = iter(range(1, 1_000_000))

    def make(
        hours: str | None = None, *, minutes: int = 0, on: str = "2026-06-10", timekeeper: str = "RH", name: str = "", **body: Any
    ) -> AnyUsage:
        if isinstance(body.get("status"), str):
            body["status"] = Status(body["status"])
        for key in ("rate", "adjustment"):
            if isinstance(body.get(key), str):
                body[key] = exact(body[key])
        return Usage(
            kind="time_entry",
            source="test",
            external_id=name or f"T{next(numbers):06}",
            subject="0001",
            span=Span.at(datetime.fromisoformat(on).replace(hour=12, tzinfo=UTC)),
            body=TimeEntry(
                timekeeper=timekeeper,
                hours=None if hours is None else exact(hours),
                worked_seconds=minutes * 60 if hours is None else None,
                **body,
            ),
        )

    return make


@pytest.fixture(scope="session")
def expense() -> Callable[..., AnyUsage]:
    """Make an expense."""
    numbers = iter(range(1, 1_000_000))

    def make(code: str, amount: str | None = None, *, on: str = "2026-06-10", **body: Any) -> AnyUsage:
        for key in ("quantity", "unit_cost", "adjustment"):
            if isinstance(body.get(key), str):
                body[key] = exact(body[key])
        body["cost"] = Cost(body.get("cost", "hard"))
        if isinstance(body.get("status"), str):
            body["status"] = Status(body["status"])
        return Usage(
            kind="expense",
            source="test",
            external_id=f"E{next(numbers):06}",
            subject="0001",
            span=Span.at(datetime.fromisoformat(on).replace(hour=12, tzinfo=UTC)),
            body=Expense(code=code, amount=None if amount is None else exact(amount), **body),
        )

    return make
