"""A cashier's desk for tests: a book with every role, accounts, documents that are owed, and the books' figures as text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import sqlalchemy as sa

from billing_framework.ledger.entry import Entry, Posting
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, Settings
from billing_framework.receivables.open_item import ItemKind, ItemLine, OpenItem
from billing_framework.run.collect.act import Act, carry_out
from billing_framework.run.collect.payment import PaymentRequest, Recorded, record_payment
from billing_framework.run.collect.settle import Terms
from billing_framework.run.collect.view import open_items
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.customers import create
from billing_framework.run.master.periods import month, open_periods
from billing_framework.run.prove.reconcile import reconcile
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.tables import book as book_table
from billing_framework.storage.ledger.tables import entry, gl_account, posting
from billing_framework.storage.master.master_kind import ACCOUNTS, PARTIES
from billing_framework.values.clock import MovableClock
from billing_framework.values.money import Money

ROLES = {
    "1000": ("Bank", "asset", "bank"),
    "1200": ("Receivable", "asset", "receivable"),
    "1900": ("Suspense", "liability", "suspense"),
    "2400": ("Deposits", "liability", "deposits"),
    "2500": ("Trust", "liability", "trust"),
    "1100": ("Trust bank", "asset", "trust_bank"),
    "3000": ("Opening", "equity", "opening"),
    "4000": ("Revenue", "income", ""),
    "4900": ("Fees", "income", ""),
    "6900": ("Write-off", "expense", "write_off"),
}
GUARDED = ("deposits", "trust")


def book_file(code: str, *, bank: str = "1000") -> bytes:
    accounts = [
        f'[[book.account]]\ncode = "{number}"\nname = "{name}"\ntype = "{kind}"\n'
        + (f'role = "{role}"\n' if role and role != "bank" else "")
        + ('role = "bank"\n' if number == bank else "")
        + ('floor = "no_debit"\n' if role in GUARDED else "")
        + ('control_of = "receivable"\n' if role == "receivable" else "")
        for number, (name, kind, role) in {**ROLES, "1001": ("New bank", "asset", "")}.items()
    ]
    return "\n".join([
        f'[book]\ncode = "{code}"\nname = "{code}"\ncurrency = "EUR"\nzone = "UTC"',
        f'[book.seller]\nname = "{code} AG"',
        f'[[book.series]]\nkind = "invoice"\nprefix = "{code}-INV-{{year}}-"',
        f'[[book.series]]\nkind = "credit_note"\nprefix = "{code}-CN-{{year}}-"',
        *accounts,
        '[book.charges]\n"*" = "4000"\n"payment.return_fee" = "4900"',
    ]).encode()  # fmt: skip


def euros(text: str) -> Money:
    return Money.of(text, "EUR")


@attrs.define
class Cashier:
    """A deployment with the acts of the desk in the test's words; its clock shows 20 August 2026."""

    deployment: Deployment
    clock: MovableClock

    @classmethod
    def of(cls, database: Database, *books: str) -> Cashier:
        clock = MovableClock(datetime(2026, 8, 20, 9, tzinfo=UTC))
        settings = Settings(deployment=DeploymentSettings(name="desk", database="sqlite:///x", currency="EUR"))
        deployment = Deployment(
            settings=settings, settings_sha256="", folder=Path.cwd(), host=Host.build([]), database=database, clock=clock,
            actor="ada",
        )  # fmt: skip
        desk = cls(deployment, clock)
        for book in books or ("MAIN",):
            assert not load_book_file(deployment, "book.toml", book_file(book)).findings
            open_periods(deployment, book, tuple(month(f"2026-{number:02}") for number in range(1, 10)))
        create(deployment, PARTIES, {"code": "P-1", "name": "Somebody"})
        return desk

    def account(self, code: str = "A-1", *, book: str = "MAIN", **fields: str) -> str:
        create(self.deployment, ACCOUNTS, {"code": code, "party": "P-1", "book": book, "currency": "EUR", **fields})
        return code

    def invoice(
        self,
        number: str,
        amount: str,
        *,
        account: str = "A-1",
        due: str = "2026-08-01",
        lines: tuple[tuple[str, str], ...] = (),
        corrects: str = "",
    ) -> str:
        """Let an account owe a document, or be owed one where the amount is negative."""
        money = euros(amount)
        item = OpenItem(
            key=f"document/{number}",
            kind=ItemKind.CREDIT_NOTE if money.minor < 0 else ItemKind.DOCUMENT,
            account=account,
            reference=number,
            original=money,
            dated_on=date(2026, 7, 1),
            due_on=date.fromisoformat(due),
            corrects=f"document/{corrects}" if corrects else "",
            lines=tuple(
                ItemLine(number=place, charge_code=code, gross=euros(gross)) for place, (code, gross) in enumerate(lines, 1)
            ),
        )
        owed = Posting(gl_account="1200", money=money, account_key=account, document_key=item.key)
        earned = Posting(gl_account="4000", money=-money, account_key=account, document_key=item.key)
        made = Entry(key=item.key, effective_on=item.dated_on, kind="invoice", source=item.key, postings=(owed, earned))
        with self.deployment.database.begin() as connection:
            book = connection.scalar(sa.select(ACCOUNTS.table.c.book).where(ACCOUNTS.table.c.code == account))
            carry_out(self.deployment, connection, Act(book=str(book), source=item.key, items=(item,), entries=(made,)))
        return number

    def pay(self, amount: str, ref: str = "B-1", *, account: str = "A-1", on: str = "2026-08-20", **fields: object) -> Recorded:
        names = {field.name for field in attrs.fields(Terms)}
        terms = Terms(**{name: value for name, value in fields.items() if name in names})  # type: ignore[arg-type]
        rest = {name: value for name, value in fields.items() if name not in names}
        book = str(rest.pop("book", ""))
        request = PaymentRequest(
            account=account, money=euros(amount), received_on=date.fromisoformat(on), external_ref=ref, terms=terms, **rest  # type: ignore[arg-type]
        )  # fmt: skip
        return record_payment(self.deployment, request, book=book)

    def open(self, account: str = "A-1") -> dict[str, str]:
        """Return what is open, by reference and kind where a reference stands twice."""
        shown: dict[str, str] = {}
        for one in open_items(self.deployment, account).items:
            name = one.reference if one.reference not in shown else f"{one.reference} {one.kind}"
            shown[name] = str(one.open).removesuffix(" EUR")
        return shown

    def journal(self, book: str = "MAIN", *, without: tuple[str, ...] = ("invoice",)) -> list[tuple[str, str, str]]:
        """Return the lines of the journal as kind, account name and amount, in the order of posting."""
        query = (
            sa.select(entry.c.kind, gl_account.c.name, posting.c.amount)
            .join(posting, posting.c.entry_id == entry.c.id)
            .join(gl_account, gl_account.c.id == posting.c.gl_account_id)
            .where(gl_account.c.code != "", entry.c.kind.not_in(without))
            .order_by(entry.c.effective_on, entry.c.idempotency_key, posting.c.line)
        )
        with self.deployment.database.read() as connection:
            rows = connection.execute(
                query.where(gl_account.c.book_id.in_(sa.select(book_table.c.id).where(book_table.c.key == book)))
            )
            return [(row.kind, row.name, str(Money(row.amount, "EUR")).removesuffix(" EUR")) for row in rows]

    def slip(self, debit: str, credit: str, amount: str, *, account: str = "") -> None:
        """Post an entry by hand that no act of the desk would make."""
        made = Entry(
            key=f"slip/{debit}/{credit}",
            effective_on=date(2026, 8, 1),
            kind="slip",
            source="slip",
            postings=(
                Posting(gl_account=debit, money=euros(amount), account_key=account),
                Posting(gl_account=credit, money=-euros(amount), account_key=account),
            ),
        )
        with self.deployment.database.begin() as connection:
            carry_out(self.deployment, connection, Act(book="MAIN", source="slip", entries=(made,)))

    def proven(self) -> None:
        """Assert that sub-ledgers and ledger agree."""
        assert reconcile(self.deployment, deep=True) == []
