"""Takes over what was open in another system: each item with its old number and dates, against the opening account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.csv_file import Row, read_master_file
from billing_framework.accounts.fields import Field, code, currency, day, text_line
from billing_framework.accounts.form import Form
from billing_framework.receivables.entries import opening_entry
from billing_framework.receivables.open_item import OpenItem
from billing_framework.receivables.opening import opening_item
from billing_framework.run.collect.act import Act, book_mapping, carry_out
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.master.account_rows import load_accounts
from billing_framework.storage.receivable.rows import load_items
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class OpeningLine:
    """One line of a file of opening items.

    Attributes:
        account: code of the account.
        reference: number of the document or credit in the old system.
        amount: what is still open of it, as text; negative where the customer is owed.
        currency: ISO 4217 code.
        dated_on: date of the old document.
        due_on: its due date, from which it ages; the date of the document where empty.
    """

    account: str
    reference: str
    amount: str
    currency: str
    dated_on: date
    due_on: date | None = None

    @property
    def item(self) -> OpenItem:
        """The open item."""
        return opening_item(
            account=self.account,
            reference=self.reference,
            original=Money.of(self.amount, self.currency),
            dated_on=self.dated_on,
            due_on=self.due_on or self.dated_on,
        )


def _build(values: Mapping[str, Any]) -> OpeningLine:
    return OpeningLine(**values)


def _write(line: OpeningLine) -> dict[str, str]:
    return {name: str(value) for name, value in attrs.asdict(line).items() if value}


def _rules(line: OpeningLine) -> tuple[Finding, ...]:
    try:
        money = Money.of(line.amount, line.currency)
    except ValueRefused as refused:
        return (_finding(refused.code, refused.what, refused.remedy, "amount", line.amount),)
    if not money:
        return (_finding("AR11", "nothing is open of it", "Leave out what is settled", "amount", line.amount),)
    if line.due_on is not None and line.due_on < line.dated_on:
        return (_finding("AR53", "it would be due before its date", "Check both dates", "due_on", line.due_on.isoformat()),)
    return ()


def _finding(number: str, what: str, remedy: str, field: str, value: str) -> Finding:
    return Finding(code=number, severity=Severity.BLOCKING, what=what, remedy=remedy, field=field, value=value)


OPENING_FILE = Form[OpeningLine](
    kind="opening item",
    fields=(
        Field(name="account", read=code, help="code of the account", required=True),
        Field(name="reference", read=text_line, help="number in the old system", required=True),
        Field(name="amount", read=text_line, help="what is open, negative where the customer is owed", required=True),
        Field(name="currency", read=currency, help="ISO 4217 code", required=True),
        Field(name="dated_on", read=day, help="date of the document", required=True),
        Field(name="due_on", read=day, help="due date; the date of the document where empty"),
    ),
    build=_build,
    write=_write,
    rules=_rules,
    key=lambda line: f"{line.account}/{line.reference}",
)


@attrs.frozen(kw_only=True)
class OpeningReport:
    """What a take-over did, or would do.

    Attributes:
        file: name of the file.
        lines: number of its lines.
        opened: new items.
        existing: items that had been taken over before with the same content.
        money: sum of the new items, one per currency.
        written: True where it was written; False for a check, and where findings stop it.
        findings: what is wrong.
    """

    file: str
    lines: int
    opened: int = 0
    existing: int = 0
    money: tuple[Money, ...] = ()
    written: bool = False
    findings: tuple[Finding, ...] = ()


def open_balances(
    deployment: Deployment,
    content: bytes,
    *,
    file: str,
    on: date,
    delimiter: str = ",",
    check_only: bool = False,
    reason: str = "",
) -> OpeningReport:
    """Take in a CSV file of what was open at the take-over: the whole file, or nothing; the same again changes nothing.

    Args:
        deployment: the open deployment.
        content: bytes of the file.
        file: its name, for messages and the audit.
        on: date of the take-over, in an open period of every book concerned.
        delimiter: what separates cells.
        check_only: True to only say what would happen.
        reason: why, for the audit; by default the name of the file.

    Raises:
        InputRefused: ``ACCOUNT11``: it cannot be such a file at all.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period.
    """
    read = read_master_file(content, OPENING_FILE, file=file, delimiter=delimiter)
    with deployment.database.read() if check_only else deployment.database.begin() as connection:
        accounts = load_accounts(connection, {row.value.account for row in read.rows})
        stored = {item.key: item for item in load_items(connection, keys=[row.value.item.key for row in read.rows])}
        findings = [*read.findings, *_state_findings(read.rows, accounts, stored, file)]
        new = [row.value.item for row in read.rows if row.value.item.key not in stored]
        report = OpeningReport(
            file=file,
            lines=read.lines,
            opened=len(new),
            existing=len(read.rows) - len(new),
            money=_sums(new),
            findings=tuple(findings),
        )
        if check_only or findings:
            return report
        if new:
            carry_out(deployment, connection, *_acts(connection, new, accounts, on, reason or f"take-over of {file}"))
    return attrs.evolve(report, written=True)


def _state_findings(
    rows: Sequence[Row[OpeningLine]], accounts: Mapping[str, Account], stored: Mapping[str, OpenItem], file: str
) -> list[Finding]:
    findings = []
    for row in rows:
        line, account = row.value, accounts.get(row.value.account)
        found = stored.get(line.item.key)
        if account is None:
            wrong = _finding("ACCOUNT09", "there is no such account", "Create it first", "account", line.account)
        elif account.currency != line.currency:
            wrong = _finding("AR41", f"the account is kept in {account.currency}", "Check it", "currency", line.currency)
        elif found is not None and found != line.item:
            wrong = _finding(
                "AR53",
                "the item was taken over with other content",
                "Correct it by a credit or charge",
                "reference",
                line.reference,
            )
        else:
            continue
        findings.append(attrs.evolve(wrong, file=file, line=row.line, subject=line.account))
    return findings


def _sums(items: Sequence[OpenItem]) -> tuple[Money, ...]:
    currencies = sorted({item.original.currency for item in items})
    return tuple(Money.total((item.original for item in items if item.original.currency == name), name) for name in currencies)


def _acts(connection: Connection, items: Sequence[OpenItem], accounts: Mapping[str, Account], on: date, reason: str) -> list[Act]:
    by_book: dict[str, list[OpenItem]] = {}
    for item in items:
        by_book.setdefault(accounts[item.account].book, []).append(item)
    acts = []
    for book, own in sorted(by_book.items()):
        mapping = book_mapping(connection, book)
        facts = {"items": len(own), "money": [str(money) for money in _sums(own)], "on": on.isoformat()}
        event = AuditEvent(action="payment opening", object_kind="book", object_key=book, after=facts, reason=reason)
        entries = tuple(opening_entry(item, mapping, on=on) for item in own)
        acts.append(Act(book=book, source=f"opening/{book}/{on}", items=tuple(own), entries=entries, events=(event,)))
    return acts
