"""A billing office of a benchmark: a folder with a deployment, its books and prices loaded, its customers taken in.

A workload is a folder below ``deployments`` with ``billing.toml``, ``book.toml``, ``plan.toml`` and ``taxes.toml``, and a module
of the same name that makes customers, rate tables and usage files from a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs

from billing_framework.rating.rate_table_file import RateTableHeader
from billing_framework.run.deployment import Deployment, open_deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.customers import import_file
from billing_framework.run.master.periods import month, open_periods
from billing_framework.run.master.plans import load_plan_files
from billing_framework.run.master.rate_tables import load_rate_table_file
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.run.schema import upgrade_schema
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES, MasterKind
from billing_framework.values.clock import FixedClock
from billing_framework.values.period import DateSpan

SEED = 20_260_901
PERIOD = DateSpan(date(2026, 9, 1), date(2026, 10, 1))
AS_OF = date(2026, 10, 5)
CYCLE = "monthly:1"
BOOK = "BENCH"
_DEPLOYMENTS = Path(__file__).parent / "deployments"
NOW = datetime(2026, 10, 5, 6, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class Usage:
    """How a usage file is taken in: its format, its source, and how many raw records it holds."""

    format: str
    source: str
    records: int


@attrs.frozen(kw_only=True)
class Customers:
    """Who is billed, one account, agreement and subject per place: what the lines of the master files differ in.

    Attributes:
        count: number of accounts.
        currency: their currency.
        country: country and tax jurisdiction.
        zone: IANA zone of their service dates.
        plan: code of their price plan.
        subject: identifier of the field of a place, None where there is none.
    """

    count: int
    currency: str
    country: str
    zone: str
    plan: str
    subject: Callable[[int], str] | None = None

    def files(self) -> dict[str, bytes]:
        """Return the master files by their names, each a CSV."""
        places = range(self.count)
        files = {
            "parties.csv": _csv(
                "code,name,street,city,postcode,region,country,email,tax_id",
                (f"P-{n:07d},Customer {n},{n} Long Road,Scale,1000,,{self.country},," for n in places),
            ),
            "accounts.csv": _csv(
                "code,party,book,currency,locale,zone,cycle,due_days,parent,payer,tax_jurisdiction",
                (f"A-{n:07d},P-{n:07d},{BOOK},{self.currency},en,{self.zone},{CYCLE},14,,self,{self.country}" for n in places),
            ),
            "agreements.csv": _csv(
                "code,account,plan,starts_on,ends_on", (f"G-{n:07d},A-{n:07d},{self.plan},2026-01-01," for n in places)
            ),
        }
        if self.subject is not None:
            subject = self.subject
            lines = (f"{subject(n)},G-{n:07d},2026-01-01," for n in places)
            files["assignments.csv"] = _csv("subject,agreement,starts_on,ends_on", lines)
        return files


@attrs.frozen(kw_only=True)
class Workload:
    """One workload at one size.

    Attributes:
        name: ``telecom``, ``metering`` or ``flat``; also the folder of its deployment.
        size: raw records; intervals for metering, subscriptions for flat.
        customers: who is billed.
        unit: what `size` counts.
        usage: how its usage file is taken in, None where there is none.
        write_usage: writes a usage file to a path: all of it, or so many records from a first one on.
        rate_table: header and content of its rate table.
        plan_file: file of its price plan.
    """

    name: str
    size: int
    unit: str
    customers: Customers
    usage: Usage | None = None
    write_usage: Callable[..., None] | None = None
    rate_table: tuple[RateTableHeader, bytes] | None = None
    plan_file: str = "plan.toml"


def _csv(header: str, lines: Iterable[str]) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


def settle(workload: Workload, folder: Path, url: str) -> Path:
    """Write the settings of a workload for a database into `folder` and return their path.

    Args:
        workload: the workload.
        folder: made where it is not there.
        url: the database.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = _DEPLOYMENTS / workload.name
    settings = folder / "billing.toml"
    settings.write_text((source / "billing.toml").read_text().replace("@DATABASE@", url))
    return settings


def opened(settings: Path) -> Deployment:
    """Return the open deployment, whose clock stands after the period's end."""
    return open_deployment(settings, actor="bench", clock=FixedClock(NOW), environment={})


def found(workload: Workload, settings: Path) -> None:
    """Make the schema and load books, prices, taxes and customers, all by the roads that an officer takes.

    Raises:
        AssertionError: something of it was refused; the text says what.
    """
    source = _DEPLOYMENTS / workload.name
    with opened(settings) as deployment:
        upgrade_schema(deployment)
        book = load_book_file(deployment, "book.toml", (source / "book.toml").read_bytes())
        _refuse(book.findings)
        if workload.rate_table is not None:
            header, content = workload.rate_table
            _refuse(load_rate_table_file(deployment, content, file="deck.csv", header=header).findings)
        _refuse(load_plan_files(deployment, [(workload.plan_file, (source / workload.plan_file).read_bytes())]).findings)
        _refuse(load_tax_file(deployment, "taxes.toml", (source / "taxes.toml").read_bytes()).findings)
        open_periods(deployment, BOOK, tuple(month(f"2026-{number:02d}") for number in range(1, 13)))
        files = workload.customers.files()
        kinds: tuple[MasterKind[Any], ...] = (PARTIES, ACCOUNTS, AGREEMENTS, ASSIGNMENTS)
        for kind, name in zip(kinds, files, strict=False):  # without subjects there is no file of assignments
            _refuse(import_file(deployment, kind, files[name], file=name).findings)


def _refuse(findings: Iterable[object]) -> None:
    refused = [str(finding) for finding in findings if getattr(finding, "stops", True)]
    if refused:
        raise AssertionError(refused[:5])
