"""The example firm as a deployment that a test drives: the files of `examples/legal`, without the command line."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import attrs
import pytest

from billing_framework import DateSpan, Money
from billing_framework.rating.rate_table_file import RateTableHeader
from billing_framework.run.collect.deposit import CashRequest, take_deposit
from billing_framework.run.collect.draw import DrawRequest, apply_deposit
from billing_framework.run.collect.held import HeldMoney, Moved
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.post import post_run
from billing_framework.run.cycle.start import RunRequest, start_run
from billing_framework.run.deployment import Deployment, open_deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.customers import create, import_file
from billing_framework.run.master.periods import months, open_periods
from billing_framework.run.master.plans import load_plan_files
from billing_framework.run.master.rate_tables import load_rate_table_file
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import list_documents, show_document
from billing_framework.run.review.edits import edit_draft
from billing_framework.run.review.wanted_edits import RecordChange, RecordDeferral, Wanted
from billing_framework.run.schema import upgrade_schema
from billing_framework.run.usage.intake import take_in
from billing_framework.storage.billing.run_rows import RunAccount
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.master.share_rows import SHARES
from billing_framework.storage.receivable.rows import load_standings
from billing_framework.values.clock import MovableClock

EXAMPLE = Path(__file__).parents[4] / "examples" / "legal"
TABLES = {
    "timekeepers": ("timekeepers.csv", "legal_timekeeping.timekeeper"),
    "firm-rates": ("rates.csv", "legal_timekeeping.rate"),
    "office-costs": ("copies.csv", "legal_timekeeping.expense_rate"),
}


@attrs.frozen(kw_only=True)
class Firm:
    """The open deployment of the firm, and what its people do."""

    deployment: Deployment
    clock: MovableClock

    def take_in(self, name: str, file_format: str) -> None:
        """Take in a file of the example; a finding fails the test."""
        report = take_in(self.deployment, EXAMPLE / "data" / name, file_format)
        assert not report.findings, report.findings

    def draft(self, month: int) -> str:
        """Draft the bills of a month of 2026; the code of the run."""
        period = DateSpan(date(2026, month, 1), date(2026, month + 1, 1))
        report = start_run(self.deployment, RunRequest(book="HALE", cycle="monthly:1", period=period, as_of=period.end))
        assert report.run is not None
        assert not report.counts.get("held"), report.counts
        return report.run.code

    def edit(self, run: str, account: str, wanted: Wanted) -> RunAccount:
        """Edit a draft."""
        return edit_draft(self.deployment, run, account, wanted, reason="review")

    def change(self, run: str, account: str, record: str, **values: str) -> None:
        """Change an entry in a draft."""
        self.edit(run, account, RecordChange(record=record, values=values))

    def post(self, run: str) -> None:
        """Approve and post a run."""
        findings = approve_run(self.deployment, run).findings
        assert not [finding for finding in findings if finding.stops], findings
        post_run(self.deployment, run)

    def numbers(self) -> dict[tuple[str, str], str]:
        """Account and first date of the period to the number of the invoice."""
        with self.deployment.database.read() as connection:
            listed = [one.number for one in list_documents(connection)]
        shown = {number: self.content(number) for number in listed}
        return {(content.account, content.period.start.isoformat()): number for number, content in shown.items()}

    def content(self, number: str) -> Any:
        """Return what an invoice says."""
        return show_document(self.deployment, number).document.content

    def problems(self, number: str) -> list[str]:
        """Return the lines of an invoice that are not explained by replay."""
        explained = {line.number: explain_line(self.deployment, f"{number}/{line.number}") for line in self.content(number).lines}
        return [f"{place}: {one.findings}" for place, one in explained.items() if one.findings or one.computed != one.line.net]

    def load_plan(self, name: str, text: str) -> None:
        """Load a price plan; a finding fails the test."""
        findings = load_plan_files(self.deployment, [(name, text.encode())]).findings
        assert not findings, findings

    def open_matter(self, code: str, account: str, plan: str, matter: str) -> None:
        """Open a matter for a client."""
        create(self.deployment, AGREEMENTS, {"code": code, "account": account, "plan": plan, "starts_on": "2026-06-01"})
        create(self.deployment, ASSIGNMENTS, {"subject": matter, "agreement": code, "starts_on": "2026-06-01"})

    def open(self, account: str) -> Money:
        """What an account owes."""
        with self.deployment.database.read() as connection:
            return Money.total((one.open for one in load_standings(connection, accounts=[account])), "USD")

    def take(self, account: str, matter: str, amount: str, *, clears_on: date | None = None) -> Moved:
        """Take client money in trust."""
        held = HeldMoney(account=account, purpose="trust", subject=matter)
        money = Money.of(amount, "USD")
        reference = f"IOLTA-{account}-{matter}-{amount}"
        return take_deposit(self.deployment, CashRequest(held=held, money=money, reference=reference, clears_on=clears_on))

    def transfer(self, account: str, matter: str, document: str, amount: str = "") -> Moved:
        """Transfer client money against an issued invoice."""
        held = HeldMoney(account=account, purpose="trust", subject=matter)
        wanted = Money.of(amount, "USD") if amount else None
        return apply_deposit(self.deployment, DrawRequest(held=held, document=document, amount=wanted))


@contextlib.contextmanager
def open_firm(folder: Path) -> Iterator[Firm]:
    """Open the firm in a folder, with its book, people, prices, clients and matters."""
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    clock = MovableClock(datetime(2026, 8, 10, 15, tzinfo=UTC))
    with open_deployment(folder / "billing.toml", actor="tester", clock=clock, environment={}) as deployment:
        upgrade_schema(deployment)
        findings = list(load_book_file(deployment, "book.toml", (folder / "book.toml").read_bytes()).findings)
        findings += load_tax_file(deployment, "taxes.toml", (folder / "taxes.toml").read_bytes()).findings
        for code, (file, kind) in TABLES.items():
            header = RateTableHeader(code=code, version="2026", kind=kind, valid_from=date(2025, 1, 1))
            content = (folder / "tables" / file).read_bytes()
            findings += load_rate_table_file(deployment, content, file=file, header=header).findings
        plans = [(file.name, file.read_bytes()) for file in sorted((folder / "plans").glob("*.toml"))]
        findings += load_plan_files(deployment, plans).findings
        open_periods(deployment, "HALE", months("2026-01", "2026-12"))
        findings += import_file(deployment, PARTIES, (folder / "parties.csv").read_bytes(), file="parties.csv").findings
        findings += import_file(deployment, ACCOUNTS, (folder / "accounts.csv").read_bytes(), file="accounts.csv").findings
        findings += import_file(deployment, AGREEMENTS, (folder / "agreements.csv").read_bytes(), file="agreements.csv").findings
        findings += import_file(
            deployment, ASSIGNMENTS, (folder / "assignments.csv").read_bytes(), file="assignments.csv"
        ).findings
        findings += import_file(deployment, SHARES, (folder / "shares.csv").read_bytes(), file="shares.csv").findings
        assert not findings, findings
        yield Firm(deployment=deployment, clock=clock)


@pytest.fixture
def firm(tmp_path: Path) -> Iterator[Firm]:
    """The firm, on a database of its own."""
    with open_firm(tmp_path / "firm") as opened:
        yield opened


@pytest.fixture(scope="module")
def billed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firm]:
    """The firm after two months, with the edits of a review."""
    with open_firm(tmp_path_factory.mktemp("billed") / "firm") as opened:
        opened.take_in("time_2026-06.csv", "legal_time_csv")
        opened.take_in("expenses_2026-06.csv", "legal_expense_csv")
        june = opened.draft(6)
        opened.change(june, "A-100", "T-0603", hours="2.8", narrative="Draft motion, first version")
        opened.change(june, "A-100", "T-0601", adjustment="-50.00")
        opened.change(june, "A-100", "T-0607", status="no_charge")
        opened.edit(june, "A-100", RecordDeferral(record="T-0608"))
        opened.post(june)
        opened.take_in("entries_2026-07.json", "legal_json")
        opened.post(opened.draft(7))
        yield opened
