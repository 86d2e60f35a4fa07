"""Takes in a file of payments: the whole file or nothing; what finds no account goes to suspense, and nothing is dropped."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.csv_file import read_master_file
from billing_framework.accounts.fields import Field, code, currency, day, text_line
from billing_framework.accounts.form import Form
from billing_framework.invoicing.payment_reference import is_rf_reference, rf_reference
from billing_framework.receivables.allocation import Instruction
from billing_framework.run.collect.act import carry_out, locked_positions
from billing_framework.run.collect.payment import PaymentRequest, Recorded, take_payments
from billing_framework.run.collect.settle import Terms
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.receivable.payments import add_file, file_id, file_is_known
from billing_framework.storage.receivable.references import debits_spelling
from billing_framework.storage.receivable.rows import load_items
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money

_RF = re.compile(r"RF[0-9]{2}(?: ?[0-9A-Z]){1,21}", re.ASCII)
_RF_HEAD = len("RF00")
_WORDS = re.compile(r"[0-9A-Za-z][0-9A-Za-z./_-]*", re.ASCII)


@attrs.frozen(kw_only=True)
class PaymentLine:
    """One line of a file of payments, as it is written.

    Attributes:
        reference: identifier at the bank.
        amount: exact amount as text.
        currency: ISO 4217 code.
        received_on: booking date.
        account: code of the account, or empty.
        document: number of the document that the payer named, or empty.
        method: how it came.
        remittance: what the payer wrote.
    """

    reference: str
    amount: str
    currency: str
    received_on: date
    account: str = ""
    document: str = ""
    method: str = "bank_transfer"
    remittance: str = attrs.field(default="", repr=False)

    @property
    def money(self) -> Money:
        """The amount as money."""
        return Money.of(self.amount, self.currency)


def _write(line: PaymentLine) -> dict[str, str]:
    return {name: str(value) for name, value in attrs.asdict(line).items() if value}


def _rules(line: PaymentLine) -> tuple[Finding, ...]:
    try:
        positive = line.money.minor > 0
    except ValueRefused as refused:
        return (_wrong_amount(line, refused.code, refused.what, refused.remedy),)
    if positive:
        return ()
    remedy = "Leave out what went out; record it with billing payment reverse or refund"
    return (_wrong_amount(line, "AR20", "a payment that came in is above zero", remedy),)


def _wrong_amount(line: PaymentLine, number: str, what: str, remedy: str) -> Finding:
    return Finding(code=number, severity=Severity.BLOCKING, what=what, remedy=remedy, field="amount", value=line.amount)


def _build(values: Mapping[str, Any]) -> PaymentLine:
    return PaymentLine(**values)


PAYMENT_FILE = Form[PaymentLine](
    kind="payment",
    fields=(
        Field(name="reference", read=text_line, help="identifier of the payment at the bank", required=True),
        Field(name="amount", read=text_line, help="amount above zero, such as 12.50", required=True),
        Field(name="currency", read=currency, help="ISO 4217 code", required=True),
        Field(name="received_on", read=day, help="booking date, such as 2026-07-31", required=True),
        Field(name="account", read=text_line, help="code of the account; suspense where empty or unknown"),
        Field(name="document", read=text_line, help="number of the document that is paid"),
        Field(name="method", read=code, help="bank_transfer, direct_debit, card, cash or check"),
        Field(name="remittance", read=text_line, help="what the payer wrote"),
    ),
    build=_build,
    write=_write,
    rules=_rules,
    key=lambda line: line.reference,
)


@attrs.frozen(kw_only=True)
class Count:
    """How many payments, and what they come to in each currency."""

    payments: int = 0
    money: tuple[Money, ...] = ()


@attrs.frozen(kw_only=True)
class PaymentImport:
    """What an import of payments did, or would do.

    Attributes:
        file: name of the file.
        written: True where it was written; False for a check, and where findings stop it.
        seen_before: True where exactly this file was taken in before.
        total: all lines; always ``recorded + duplicate + suspense`` where the file was written.
        recorded: payments of known accounts.
        duplicate: payments that had been recorded before.
        suspense: payments whose account is not known.
        conflicts: payments whose reference was used for another one; with any of them nothing is written.
        findings: what is wrong or in suspense.
    """

    file: str
    written: bool
    seen_before: bool = False
    total: Count
    recorded: Count = Count()
    duplicate: Count = Count()
    suspense: Count = Count()
    conflicts: int = 0
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class Expected:
    """Control totals of the bank, which the file must make.

    Attributes:
        payments: number of payments, or None.
        money: sum of all of them, or None.
    """

    payments: int | None = None
    money: Money | None = None


def import_payments(
    deployment: Deployment,
    content: bytes,
    *,
    file: str,
    book: str,
    delimiter: str = ",",
    expected: Expected | None = None,
    check_only: bool = False,
) -> PaymentImport:
    """Take in a CSV file of payments in one transaction; the same file again changes nothing.

    Args:
        deployment: the open deployment.
        content: bytes of the file.
        file: its name, for messages and the audit.
        book: code of the book whose bank it is of.
        delimiter: what separates cells.
        expected: control totals of the bank.
        check_only: True to only say what would happen.

    Raises:
        InputRefused: ``ACCOUNT11``: it cannot be such a file at all.
        NotFound: ``BOOK08``: there is no such book.
        LedgerRefused: ``LEDGER06`` where a date lies in no open period.
    """
    read = read_master_file(content, PAYMENT_FILE, file=file, delimiter=delimiter)
    total = _count([row.value.money for row in read.rows])
    findings = [*read.findings, *_unexpected(total, read.lines, expected or Expected(), file)]
    with deployment.database.read() if check_only else deployment.database.begin() as connection:
        load_book(connection, book)
        if findings:
            return PaymentImport(file=file, written=False, total=total, findings=tuple(findings))
        requests = _requests(connection, book, [(row.line, row.value) for row in read.rows])
        at = locked_positions(connection, {one.account for one in requests} - {""}, lock=not check_only)
        source = f"payment_file/{file_id(book, content)}"
        act, done = take_payments(connection, book, requests, at, source=source, file_id=file_id(book, content))
        report = _report(file, done, total)
        report = attrs.evolve(report, seen_before=file_is_known(connection, book, content), written=False)
        if check_only or report.conflicts or not requests:
            return report
        if act.payments:
            event = AuditEvent(
                action="payment import", object_kind="payment_file", object_key=file, after=_control(report), reason=source
            )
            carry_out(deployment, connection, attrs.evolve(act, events=(event,)))
        if not report.seen_before:
            now = deployment.clock.now()
            add_file(connection, book, file, content, _control(report), actor=deployment.actor, now=now)
    return attrs.evolve(report, written=True)


def _requests(connection: Connection, book: str, lines: Sequence[tuple[int, PaymentLine]]) -> list[PaymentRequest]:
    owners = _owners(connection, book, [line for _, line in lines if not line.account])
    return [
        PaymentRequest(
            account=line.account or owners.get(line.reference, ""),
            money=line.money,
            received_on=line.received_on,
            external_ref=line.reference,
            method=line.method,
            remittance=line.remittance,
            terms=Terms(instructions=(Instruction(item=line.document),) if line.document else ()),
            line=number,
            named=line.account,
        )
        for number, line in lines
    ]


def _owners(connection: Connection, book: str, lines: Sequence[PaymentLine]) -> dict[str, str]:
    """Return the account of each payment that names none but a document of exactly one account, by reference.

    A document counts by its number as a whole word, or by the RF reference that is printed on it (ISO 11649).
    """
    words = {line.reference: {line.document, *_WORDS.findall(line.remittance)} - {""} for line in lines}
    structured = {line.reference: _rf_references(line.remittance) for line in lines}
    wanted = sorted({word for some in (*words.values(), *structured.values()) for word in some})
    numbered: dict[str, set[str]] = {}
    for item in load_items(connection, references=wanted):
        if item.is_debit:
            numbered.setdefault(item.reference, set()).add(item.account)
    if any(structured.values()):
        printed = {name for name in wanted if is_rf_reference(name)}
        for reference, account in debits_spelling(connection, book, {name[_RF_HEAD:] for name in printed}):
            numbered.setdefault(rf_reference(reference), set()).add(account)
    owners = {}
    for line in lines:
        named = {*words[line.reference], *structured[line.reference]}
        accounts = {account for name in named for account in numbered.get(name, ())}
        if len(accounts) == 1:
            owners[line.reference] = accounts.pop()
    return owners


def _rf_references(text: str) -> set[str]:
    """Return the valid RF references in a text, also where words run on behind one."""
    found = set()
    for match in _RF.finditer(text.upper()):
        compact = match.group().replace(" ", "")
        found |= {compact[:length] for length in range(5, len(compact) + 1) if is_rf_reference(compact[:length])}
    return found


def _unexpected(total: Count, lines: int, expected: Expected, file: str) -> list[Finding]:
    findings = []
    wanted: list[tuple[str, str, str]] = []
    if expected.payments is not None and expected.payments != lines:
        wanted.append(("payments", str(lines), str(expected.payments)))
    if expected.money is not None and total.money != (expected.money,):
        wanted.append(("money", " and ".join(map(str, total.money)) or "nothing", str(expected.money)))
    for field, found, said in wanted:
        findings.append(
            Finding(
                code="AR52",
                severity=Severity.BLOCKING,
                what=f"the file makes {found}, the bank says {said}",
                remedy="Get the complete file from the bank; nothing of this one was taken in",
                file=file,
                field=field,
            )
        )
    return findings


def _report(file: str, done: Sequence[Recorded], total: Count) -> PaymentImport:
    by_outcome: dict[str, list[Money]] = {"recorded": [], "duplicate": [], "suspense": [], "conflict": []}
    for one in done:
        by_outcome[one.outcome].append(one.payment.money)
    return PaymentImport(
        file=file,
        written=False,
        total=total,
        recorded=_count(by_outcome["recorded"]),
        duplicate=_count(by_outcome["duplicate"]),
        suspense=_count(by_outcome["suspense"]),
        conflicts=len(by_outcome["conflict"]),
        findings=tuple(attrs.evolve(finding, file=file) for one in done for finding in one.findings),
    )


def _count(money: Sequence[Money]) -> Count:
    currencies = sorted({one.currency for one in money})
    sums = tuple(Money.total((one for one in money if one.currency == name), name) for name in currencies)
    return Count(payments=len(money), money=sums)


def _control(report: PaymentImport) -> dict[str, Any]:
    parts = {"total": report.total, "recorded": report.recorded, "duplicate": report.duplicate, "suspense": report.suspense}
    return {name: {"payments": count.payments, "money": [str(one) for one in count.money]} for name, count in parts.items()}
