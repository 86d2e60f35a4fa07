"""What the tests of the plugin share: billing one patient in memory, and the samples that are not part of the repository."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
import pyx12.params
import pyx12.x12n_document
from billing_healthcare import plugin
from billing_healthcare.kinds import Encounter, ServiceLine
from billing_healthcare.pricing.rate import RATER
from billing_healthcare.tables.kinds import rate_table_kinds

from billing_framework import (
    Account,
    Agreement,
    AgreementUsage,
    AnyUsage,
    Assignment,
    BillingGroup,
    DateSpan,
    KeyedUsage,
    PlanVersion,
    RateTable,
    Tile,
    Usage,
    timezone,
)
from billing_framework.plugin.host import Host
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.plan_file import params_by_model, parse_plan
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.rate_table_file import RateTableHeader, RateTableRead, read_rate_table

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]
PERIOD = DateSpan(date(2026, 11, 1), date(2026, 12, 1))
PLAN = """schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2000-01-01
currency = "USD"
[[component]]
code = "care"
title = {{ en = "Care" }}
model = "healthcare.contract"
charge_code = "care.services"
tax_category = "exempt"
{terms}
"""


@attrs.frozen(kw_only=True)
class World:
    """A deployment of this plugin alone, and how a patient is billed in it."""

    host: Host = attrs.field(repr=False)

    def plan(self, terms: str) -> PlanVersion:
        """Read a plan with one contract."""
        return self.read_plan_text(PLAN.format(terms=terms))

    def read_plan_text(self, text: str) -> PlanVersion:
        """Read the text of a plan."""
        params = params_by_model(self.host.charge_models.values(), self.host.raters.values())
        return parse_plan(text.encode(), file="plan.toml", params=params)

    def read_table(self, kind: str, content: str | bytes, *, code: str = "") -> RateTableRead:
        """Read a rate table without refusing it."""
        kinds = {one.name: one for one in rate_table_kinds()}
        name = f"healthcare.{kind}"
        header = RateTableHeader(code=code or kind.replace("_", "-"), version="1", kind=name, valid_from=date(2000, 1, 1))
        data = content if isinstance(content, bytes) else content.encode()
        return read_rate_table(data, file="table.csv", header=header, kind=kinds[name])

    def table(self, kind: str, content: str | bytes, *, code: str = "") -> RateTable:
        """Read a rate table; any finding fails the test."""
        read = self.read_table(kind, content, code=code)
        assert read.table is not None, read.findings
        return read.table

    def bill(
        self, terms: str, lines: Sequence[ServiceLine], *, tables: Sequence[RateTable] = (), place: str = "11", **encounter: Any
    ) -> RatedGroup:
        """Bill the lines of one patient; each encounter that they name gets a record."""
        heads = [
            Encounter(encounter=name, place=place, last="CANARY", **encounter)
            for name in dict.fromkeys(line.encounter for line in lines)
        ]
        return self.rate(
            terms, [*(usage("encounter", head) for head in heads), *(usage("service_line", line) for line in lines)], tables
        )

    def rate(self, terms: str, records: Sequence[AnyUsage], tables: Sequence[RateTable] = ()) -> RatedGroup:
        """Rate records with everything that the core checks."""
        agreement = Agreement(code="A", account="1", plan="plan", starts_on=date(2000, 1, 1))
        assignment = Assignment(subject="P-1", agreement="A", starts_on=date(2000, 1, 1))
        keyed = [KeyedUsage(key=key, usage=one, assignment=assignment) for key, one in enumerate(records, start=1)]
        keyed.sort(key=lambda one: (one.usage.kind, one.usage.subject, one.usage.start, one.key))
        plan = self.plan(terms)
        given = AgreementUsage(
            agreement=agreement,
            period=PERIOD,
            full_period=PERIOD,
            next_period=DateSpan(PERIOD.end, PERIOD.end + timedelta(days=31)),
            tiles=(Tile(dates=PERIOD, plan=plan),),
            earlier_tiles=(Tile(dates=DateSpan(date(2020, 1, 1), PERIOD.start), plan=plan),),
            assignments=(assignment,),
            records=tuple(keyed),
            tables=tuple(tables),
        )
        account = Account(code="1", party="p", book="b", currency="USD")
        offers = RatingOffers(
            raters=(RATER,),
            models=self.host.charge_models,
            plugin_of={RATER.name: "healthcare"},
            settings={"healthcare": self.host.settings_of_rater(RATER.name)},
            divisible_kinds=frozenset(),
            carried_kinds=frozenset(kind.name for kind in self.host.kinds.values() if kind.carried),
        )
        return rate_group(BillingGroup(account=account, period=PERIOD, agreements=(given,)), offers)


def usage(kind: str, body: Any) -> AnyUsage:
    """A record of the patient."""
    day = body.served_on if isinstance(body, ServiceLine) else date(2026, 11, 2)
    number = f"/{body.number}" if isinstance(body, ServiceLine) else ""
    return Usage(
        kind=kind,
        source="test",
        external_id=f"{body.encounter}{number}",
        subject="P-1",
        span=DateSpan(day, day + timedelta(days=1)).instants(timezone("UTC")),
        body=body,
    )


def line(code: str, charge: str | None = "100000", *, number: int = 1, on: str = "2026-11-02", **more: Any) -> ServiceLine:
    """A service line; the charge is high unless given, so that the contract's amount is seen."""
    more = {name: Fraction(value) if name == "units" else value for name, value in more.items()}
    encounter = more.pop("encounter", "E1")
    return ServiceLine(
        encounter=encounter,
        number=number,
        code=code,
        charge=None if charge is None else Fraction(charge),
        served_on=date.fromisoformat(on),
        **more,
    )


def expected(rated: RatedGroup) -> list[str]:
    """What the contract allows, line by line as printed; an empty text where a person must decide."""
    return [charge.details.get("Expected", "") for charge in rated.charges]


@pytest.fixture(scope="session")
def world() -> World:
    """The plugin with its default settings."""
    return World(host=Host.build([("healthcare", plugin)]))


@pytest.fixture(name="line")
def line_fixture() -> Callable[..., ServiceLine]:
    """Make a service line."""
    return line


@pytest.fixture(name="expected")
def expected_fixture() -> Callable[[RatedGroup], list[str]]:
    """Tell what is expected line by line."""
    return expected


@pytest.fixture
def configured() -> Callable[..., Mapping[str, Any]]:
    """Build a host with settings."""

    def build(**settings: Any) -> Any:
        return Host.build([("healthcare", plugin)], settings={"healthcare": settings})

    return build


@pytest.fixture(name="usage")
def usage_fixture() -> Callable[..., AnyUsage]:
    """Make a record of the patient."""
    return usage


@pytest.fixture
def judge(tmp_path: Path) -> Callable[[bytes], list[str]]:
    """Return what the independent validator pyx12 finds in a file; nothing for a good one."""

    def validate(data: bytes) -> list[str]:
        path = tmp_path / "judged.x12"
        path.write_bytes(data)
        heard = _Heard()
        logger = logging.getLogger("pyx12")
        logger.addHandler(heard)
        try:
            is_good = pyx12.x12n_document.x12n_document(pyx12.params.params(), str(path), None, None, fd_json=io.StringIO())
        finally:
            logger.removeHandler(heard)
        return [] if is_good else heard.told or ["refused"]

    return validate


class _Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())
