"""A billing office for scenarios: a deployment with a clock that the test moves, and the desk's acts in the test's words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs

from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, ReviewSettings, Settings
from billing_framework.run.cycle.approve import ApprovalReport, approve_run
from billing_framework.run.cycle.post import PostingReport, post_run
from billing_framework.run.cycle.start import RunReport, RunRequest, start_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.customers import create
from billing_framework.run.master.periods import month, open_periods
from billing_framework.run.master.plans import load_plan_files
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.run.schema import upgrade_schema
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.storage.billing.tables import document
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.values.clock import MovableClock
from billing_framework.values.money import Money
from tests.scenarios import workshop

BOOK = """
[book]
code = "MAIN"
name = "Machines"
currency = "USD"
zone = "UTC"
[book.seller]
name = "Machines Inc."
[[book.series]]
kind = "invoice"
prefix = "INV-{year}-"
[[book.series]]
kind = "credit_note"
prefix = "CN-{year}-"
[[book.account]]
code = "1200"
name = "Receivable"
type = "asset"
role = "receivable"
control_of = "receivable"
[[book.account]]
code = "1000"
name = "Bank"
type = "asset"
role = "bank"
[[book.account]]
code = "1900"
name = "Suspense"
type = "liability"
role = "suspense"
[[book.account]]
code = "6900"
name = "Write-off"
type = "expense"
role = "write_off"
[[book.account]]
code = "3000"
name = "Opening"
type = "equity"
role = "opening"
[[book.account]]
code = "4000"
name = "Revenue"
type = "income"
[[book.account]]
code = "2200"
name = "Sales tax"
type = "liability"
[book.charges]
"*" = "4000"
[book.taxes]
"*" = "2200"
"""

TAXES = """
schema = 1
[[tax]]
code = "sales"
title = { en = "Sales tax" }
category = "standard"
percent = "10"
valid_from = 2020-01-01
"""

PLAN = """
schema = 1
[plan]
code = "machine"
version = "2026"
valid_from = 2026-01-01
currency = "USD"
correction = "{correction}"
[[component]]
code = "stand"
title = {{ en = "Stand" }}
model = "recurring"
charge_code = "stand"
tax_category = "standard"
price = "30.00"
[[component]]
code = "hours"
title = {{ en = "Machine hours" }}
model = "graduated"
measure = "hours"
unit = "hour"
accumulate = "{accumulate}"
charge_code = "hours"
tax_category = "standard"
tiers = [{{ to = "10", price = "2.00" }}, {{ price = "1.00" }}]
"""


@attrs.define
class Office:
    """A deployment whose clock the test moves.

    Attributes:
        deployment: the deployment.
        clock: its clock.
    """

    deployment: Deployment
    clock: MovableClock

    @classmethod
    def at(cls, database: Database, **settings: Any) -> Office:
        """Open an office that was set up before; its clock shows the first of August 2026."""
        clock = MovableClock(datetime(2026, 8, 1, 9, tzinfo=UTC))
        maker_checker = settings.pop("maker_checker", False)
        plugin: ModuleType = settings.pop("plugin", workshop)
        name = plugin.__name__.rpartition(".")[2]
        deployment = Deployment(
            settings=Settings(
                deployment=DeploymentSettings(
                    name="office", database="sqlite:///x", plugins=(name,), currency="USD", maker_checker=maker_checker
                ),
                **{"review": ReviewSettings(factor=Fraction(0), zero_usage=False, missing_usage=False), **settings},
            ),
            settings_sha256="",
            folder=Path(),
            host=Host.build([(name, plugin)]),
            database=database,
            clock=clock,
            actor="ada",
        )
        return cls(deployment, clock)

    @classmethod
    def of(
        cls,
        database: Database,
        *,
        accumulate: str = "year",
        correction: str = "hold",
        book: str = BOOK,
        plan: str = PLAN,
        **settings: Any,
    ) -> Office:
        """Set up an office with a book, taxes and a plan, without one where it is empty."""
        office = cls.at(database, **settings)
        deployment = office.deployment
        upgrade_schema(deployment)
        assert not load_book_file(deployment, "book.toml", book.encode()).findings
        assert not load_tax_file(deployment, "taxes.toml", TAXES.encode()).findings
        if plan:
            office.load_plan(plan.format(accumulate=accumulate, correction=correction))
        open_periods(deployment, "MAIN", tuple(month(f"2026-{number:02}") for number in range(1, 13)))
        return office

    def moved(self, database: Database) -> Office:
        """Return the same office on another database, with a clock of its own."""
        clock = MovableClock(self.clock.now())
        return Office(attrs.evolve(self.deployment, database=database, clock=clock), clock)

    def load_plan(self, text: str) -> None:
        """Load a price plan."""
        loaded = load_plan_files(self.deployment, [("plan.toml", text.encode())])
        assert not [finding for finding in loaded.findings if finding.stops], loaded.findings

    def as_(self, actor: str) -> Office:
        """Return the same office with somebody else at the desk."""
        return Office(attrs.evolve(self.deployment, actor=actor), self.clock)

    def customer(self, code: str, machine: str, starts_on: str = "2026-01-01", **fields: str) -> None:
        """Create a customer with one machine on the plan."""
        create(self.deployment, PARTIES, {"code": f"P-{code}", "name": f"Customer {code}"})
        account = {"code": code, "party": f"P-{code}", "book": "MAIN", "currency": "USD", "cycle": "monthly:1", **fields}
        create(self.deployment, ACCOUNTS, account)
        create(self.deployment, AGREEMENTS, {"code": f"A-{code}", "account": code, "plan": "machine", "starts_on": starts_on})
        create(self.deployment, ASSIGNMENTS, {"subject": machine, "agreement": f"A-{code}", "starts_on": starts_on})

    def jobs(self, *lines: str, file: str = "jobs.csv") -> IntakeReport:
        """Take in jobs: ``id,machine,instant,hours``."""
        return take_in(self.deployment, io.BytesIO("\n".join(lines).encode()), file_format="jobs", source="floor", name=file)

    def pass_days(self, days: int) -> None:
        """Let time pass."""
        self.clock.advance(timedelta(days=days))

    def start(
        self, period: str, *, as_of: str = "", kind: str = "final", accounts: Sequence[str] = (), **options: Any
    ) -> RunReport:
        """Start the run of a month; documents bear the first of the next month unless said otherwise."""
        dates = month(period)
        request = RunRequest(
            book="MAIN",
            cycle="monthly:1",
            period=dates,
            as_of=date.fromisoformat(as_of) if as_of else dates.end,
            kind=kind,
            accounts=tuple(accounts),
        )
        return start_run(self.deployment, request, **options)

    def approve(self, code: str = "") -> ApprovalReport:
        """Approve a run, which must not be refused."""
        report = approve_run(self.deployment, code)
        assert not report.findings, report.findings
        return report

    def post(self, code: str = "", **options: Any) -> PostingReport:
        """Post a run."""
        return post_run(self.deployment, code, **options)

    def bill(self, period: str) -> PostingReport:
        """Start, approve and post the run of a month."""
        run = self.start(period).run
        assert run is not None
        self.approve(run.code)
        return self.post(run.code)

    def documents(self) -> list[str]:
        """Return every issued document as ``number account gross``, in order of number."""
        columns = document.c
        with self.deployment.database.read() as connection:
            rows = connection.execute(document.select().where(columns.status != "draft").order_by(columns.number)).all()
        return [
            f"{row.number} {row.account} {str(Money(row.gross, 'USD'))[:-4]}" + (" void" if row.status == "void" else "")
            for row in rows
        ]
