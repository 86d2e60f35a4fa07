"""A throw-away office: a whole deployment that lives as long as a test, kept in memory where the machine allows it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path

import attrs

from billing_framework.plugin.check import personal_kinds
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import load_settings
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.post import PostingReport, post_run
from billing_framework.run.cycle.start import RunReport, RunRequest, start_run
from billing_framework.run.deployment import Deployment, open_deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.customers import create
from billing_framework.run.master.periods import months, open_periods
from billing_framework.run.master.plans import load_plan_files
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.run.personal.keys import new_key
from billing_framework.run.prove.explain import Explanation, explain_line
from billing_framework.run.prove.invoices import ListedDocument, ShownDocument, list_documents, show_document
from billing_framework.run.prove.trial_balance import prove
from billing_framework.run.review.review import RunReview, review_run
from billing_framework.run.schema import upgrade_schema
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.master.tax_rows import load_tax_rates
from billing_framework.values.clock import MovableClock
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan

BOOK = "MAIN"
_MEMORY = Path("/dev/shm")  # noqa: S108  a folder in memory on Linux; elsewhere the usual place of temporary files
_UNTAXED = """schema = 1
[[tax]]
code = "untaxed-{category}"
title = {{ en = "Tax" }}
category = "{category}"
kind = "zero"
percent = "0"
valid_from = 1970-01-01
"""
_BOOK_FILE = Path(__file__).with_name("office.toml")


@attrs.frozen(kw_only=True)
class Office:
    """A deployment of its own with a book, open periods and a clock that only the test moves.

    Every act is the one of the command line: the same functions, guards and proofs, on a real database.

    Attributes:
        deployment: the open deployment.
        clock: its clock.
        folder: its folder, with ``billing.toml``; it is gone when the office closes.
    """

    deployment: Deployment
    clock: MovableClock
    folder: Path

    @classmethod
    @contextlib.contextmanager
    def open(
        cls,
        plugins: Sequence[str],
        *,
        currency: str = "EUR",
        zone: str = "UTC",
        locale: str = "en_US",
        settings: str = "",
        now: datetime = datetime(2026, 8, 1, 9, tzinfo=UTC),
        environment: Mapping[str, str] | None = None,
        database: str = "",
    ) -> Iterator[Office]:
        """Open an office, and throw it away at the end of the block.

        Args:
            plugins: names of installed plugins.
            currency: ISO 4217 code of the book.
            zone: IANA zone of the book.
            locale: language of documents.
            settings: further text of ``billing.toml``, such as the settings of the plugins; a key for personal data is made
                where a plugin needs one and none is named.
            now: what the clock shows first.
            environment: environment variables that secrets are read from; those of the process by default.
            database: URL of another database, which must be empty; an SQLite database in memory by default.
        """
        folder = Path(tempfile.mkdtemp(prefix="billing-office-", dir=_MEMORY if os.access(_MEMORY, os.W_OK) else None))
        try:
            listed = ", ".join(f'"{name}"' for name in plugins)
            file = folder / "billing.toml"
            url = database or "sqlite:///office.sqlite3"
            head = f'[deployment]\nname = "office"\ndatabase = "{url}"\nplugins = [{listed}]\n'
            text = f'{head}currency = "{currency}"\nzone = "{zone}"\nlocale = "{locale}"\n{settings}'
            file.write_text(text, encoding="utf-8")
            if "[personal_data]" not in settings and personal_kinds(Host.from_file(load_settings(file))):
                (folder / "personal.key").write_text(new_key(), encoding="utf-8")
                file.write_text(f'{text}\n[personal_data]\nkey = {{ file = "personal.key" }}\n', encoding="utf-8")
            clock = MovableClock(now)
            with open_deployment(file, actor="tester", clock=clock, environment=environment) as deployment:
                office = cls(deployment=deployment, clock=clock, folder=folder)
                office._set_up(currency, zone)
                yield office
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _set_up(self, currency: str, zone: str) -> None:
        upgrade_schema(self.deployment)
        text = _BOOK_FILE.read_text(encoding="utf-8").format(currency=currency, zone=zone)
        _refuse(load_book_file(self.deployment, _BOOK_FILE.name, text.encode()).findings)
        year = self.clock.now().year
        open_periods(self.deployment, BOOK, months(f"{year - 1}-01", f"{year + 1}-12"))

    def load_plan(self, text: str, *, file: str = "plan.toml") -> None:
        """Load a price plan; its tax categories have a rate of nothing where no rate is loaded for them.

        Raises:
            Refused: ``TEST01`` with all that is wrong with it.
        """
        _refuse(load_plan_files(self.deployment, [(file, text.encode())]).findings)
        with self.deployment.database.read() as connection:
            known = {rate.category for rate in load_tax_rates(connection)}
        wanted = {component.get("tax_category", "") for component in tomllib.loads(text).get("component", ())}
        for category in sorted(wanted - known - {""}):
            self.load_taxes(_UNTAXED.format(category=category), file=f"untaxed-{category}.toml")

    def load_taxes(self, text: str, *, file: str = "taxes.toml") -> None:
        """Load tax rates.

        Raises:
            Refused: ``TEST01`` with all that is wrong with them.
        """
        _refuse(load_tax_file(self.deployment, file, text.encode()).findings)

    def customer(
        self,
        code: str,
        *,
        plan: str,
        subjects: Sequence[str] = (),
        starts_on: date = date(2000, 1, 1),
        terms: Mapping[str, str] | None = None,
        details: Mapping[str, str] | None = None,
        **account: str,
    ) -> None:
        """Create a party, an account, an agreement ``CODE`` on a plan, and assign identifiers to it.

        Args:
            code: code of all four.
            plan: code of the price plan.
            subjects: identifiers that usage records carry.
            starts_on: first date of the agreement and of the assignments.
            terms: terms of the agreement.
            details: facts about every identifier.
            account: further fields of the account, such as ``cycle``.
        """
        settings = self.deployment.settings.deployment
        create(self.deployment, PARTIES, {"code": code, "name": f"Customer {code}"})
        fields = {"currency": settings.currency, "zone": settings.zone, "locale": settings.locale, "cycle": "monthly:1"} | account
        create(self.deployment, ACCOUNTS, {"code": code, "party": code, "book": BOOK} | fields)
        start = starts_on.isoformat()
        agreement = {"code": code, "account": code, "plan": plan, "starts_on": start}
        create(self.deployment, AGREEMENTS, agreement | {f"terms.{name}": value for name, value in (terms or {}).items()})
        facts = {f"details.{name}": value for name, value in (details or {}).items()}
        for subject in subjects:
            create(self.deployment, ASSIGNMENTS, {"subject": subject, "agreement": code, "starts_on": start} | facts)

    def take_in(self, data: bytes, file_format: str, *, name: str = "file", **options: str) -> IntakeReport:
        """Take in a file of usage."""
        return take_in(self.deployment, BytesIO(data), file_format, name=name, options=options)

    def draft(self, period: DateSpan, *, kind: str = "final", cycle: str = "monthly:1") -> RunReport:
        """Start the run of a period; its documents bear the day after it."""
        request = RunRequest(book=BOOK, cycle=cycle, period=period, as_of=period.end, kind=kind)
        return start_run(self.deployment, request)

    def review(self, run: str) -> RunReview:
        """Return what an officer sees before a run is approved."""
        return review_run(self.deployment, run)

    def bill(self, period: DateSpan, *, cycle: str = "monthly:1") -> PostingReport:
        """Start, approve and post the run of a period.

        Raises:
            Refused: ``TEST01`` where the approval is refused, with the findings.
        """
        run = self.draft(period, cycle=cycle).run
        if run is None:
            raise Refused("TEST01", f"there is nothing to bill for {period}", remedy="Create customers with a plan first")
        return self.post(run.code)

    def post(self, run: str) -> PostingReport:
        """Approve and post a run that was drafted.

        Raises:
            Refused: ``TEST01`` where the approval is refused, with the findings.
        """
        _refuse(approve_run(self.deployment, run).findings)
        return post_run(self.deployment, run)

    def documents(self) -> list[ListedDocument]:
        """Return the issued documents."""
        with self.deployment.database.read() as connection:
            return list(list_documents(connection))

    def document(self, number: str) -> ShownDocument:
        """Return one issued document."""
        return show_document(self.deployment, number)

    def explain(self, line: str) -> Explanation:
        """Return the explanation of a line, such as ``INV-2026-000001/2``."""
        return explain_line(self.deployment, line)

    def problems(self) -> tuple[Finding, ...]:
        """Return what the proof of the whole ledger finds; empty where it is sound."""
        return prove(self.deployment, BOOK).findings


def _refuse(findings: Sequence[Finding]) -> None:
    stopping = [finding for finding in findings if finding.stops]
    if stopping:
        raise Refused("TEST01", "; ".join(f"{one.code} {one.what}" for one in stopping), remedy=stopping[0].remedy)
