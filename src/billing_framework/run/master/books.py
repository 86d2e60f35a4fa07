"""Officers load books: who sells, how documents are numbered, and which ledger account each charge and tax code posts to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.book import BookProfile
from billing_framework.accounts.book_file import read_book
from billing_framework.invoicing.payment_reference import is_iban
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.ledger.books import ensure_book, load_chart, save_chart
from billing_framework.storage.master.book_rows import LoadedBook, add_book_version, find_books
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.plain_form import to_plain
from billing_framework.values.typed_toml import line_of


@attrs.frozen(kw_only=True)
class BookLoad:
    """What loading a book did, or would do.

    Attributes:
        code: code of the book, empty where the file could not be read.
        outcome: ``created``, ``changed``, ``unchanged``, or ``refused``.
        version: the version in force now.
        changes: what differs from the version before: key to before and after.
        findings: what is wrong; where one stops, nothing was loaded.
    """

    code: str
    outcome: str
    version: int = 0
    changes: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()


def load_book_file(deployment: Deployment, file: str, content: bytes, *, check_only: bool = False, reason: str = "") -> BookLoad:
    """Load a book from its file: the first time it is created with its chart in the ledger, later its changes are audited.

    Args:
        deployment: the open deployment.
        file: name of the file.
        content: its bytes.
        check_only: True to only say what would happen.
        reason: why, for the audit.

    Raises:
        Conflict: the currency of the book differs; it never changes.
        LedgerRefused: a used account of the chart would change its type or guard.
    """
    profile, findings = read_book(content, file)
    if profile is None:
        return BookLoad(code="", outcome="refused", findings=tuple(findings))
    findings = [*findings, *bank_findings(profile, file, content.decode())]
    with deployment.database.read() if check_only else deployment.database.begin() as connection:
        before = find_books(connection, [profile.code]).get(profile.code)
        if not findings and before is not None:
            findings = _chart_findings(connection, profile, file, content.decode())
            if check_only:  # a load is refused by the ledger itself
                findings += _currency_findings(before.profile, profile, file, content.decode())
        if findings:
            return BookLoad(code=profile.code, outcome="refused", findings=tuple(findings))
        load = _outcome(profile, before, content)
        if not check_only and load.outcome != "unchanged":
            _store(
                deployment, connection, profile, content.decode(), load.version, before=before, reason=reason or f"load of {file}"
            )
    return load


def _outcome(profile: BookProfile, before: LoadedBook | None, content: bytes) -> BookLoad:
    if before is None:
        return BookLoad(code=profile.code, outcome="created", version=1)
    if before.sha256 == hashlib.sha256(content).hexdigest():
        return BookLoad(code=profile.code, outcome="unchanged", version=before.version)
    changes = book_changes(before.profile, profile)
    return BookLoad(code=profile.code, outcome="changed", version=before.version + 1, changes=changes)


def _store(
    deployment: Deployment,
    connection: Connection,
    profile: BookProfile,
    source: str,
    version: int,
    *,
    before: LoadedBook | None,
    reason: str,
) -> None:
    now, actor = deployment.clock.now(), deployment.actor
    ensure_book(connection, profile.ledger_book)
    save_chart(connection, profile.chart)
    add_book_version(connection, profile, source, version=version, now=now, actor=actor)
    event = AuditEvent(
        action="book load",
        object_kind="book",
        object_key=profile.code,
        before=None if before is None else to_plain(before.profile),
        after=to_plain(profile),
        reason=reason,
    )
    record_many(connection, now, actor, [event])


def book_changes(before: BookProfile, after: BookProfile) -> dict[str, tuple[str, str]]:
    """Return what two versions of a book say differently: key path to before and after, empty where one says nothing."""
    old, new = dict(_flat("", to_plain(before))), dict(_flat("", to_plain(after)))
    return {key: (old.get(key, ""), new.get(key, "")) for key in {**old, **new} if old.get(key, "") != new.get(key, "")}


def _flat(path: str, value: object) -> list[tuple[str, str]]:
    if isinstance(value, Mapping):
        return [pair for key, part in value.items() for pair in _flat(f"{path}.{key}" if path else str(key), part)]
    if isinstance(value, list | tuple):
        named = [(_name_of(part, place), part) for place, part in enumerate(value, start=1)]
        return [pair for name, part in named for pair in _flat(f"{path}[{name}]", part)]
    return [(path, "" if value is None else str(value))]


def _name_of(part: object, place: int) -> str:
    # Accounts and series are known by what identifies them, so that a new one in between does not shift the others.
    if isinstance(part, Mapping):
        return str(part.get("code") or part.get("kind") or place)
    return str(place)


def bank_findings(profile: BookProfile, file: str, text: str) -> list[Finding]:
    """Return a finding where the book's bank account number is mistyped."""
    if not profile.bank.iban or is_iban(profile.bank.iban):
        return []
    return [
        Finding(
            code="BOOK03",
            severity=Severity.BLOCKING,
            what="this is no IBAN: its form or its check digits are wrong",
            remedy="Copy it from the bank's statement",
            file=file,
            line=line_of(text, ("book", "bank", "iban")),
            field="book.bank.iban",
            value=profile.bank.iban,
            subject=profile.code,
        )
    ]


def _currency_findings(before: BookProfile, after: BookProfile, file: str, text: str) -> list[Finding]:
    if before.currency == after.currency:
        return []
    return [
        Finding(
            code="LEDGER14",
            severity=Severity.BLOCKING,
            what=f"the book keeps its accounts in {before.currency}, and that never changes",
            remedy="Open a book of its own for another currency",
            file=file,
            line=line_of(text, ("book", "currency")),
            field="book.currency",
            value=after.currency,
            subject=after.code,
        )
    ]


def _chart_findings(connection: Connection, profile: BookProfile, file: str, text: str) -> list[Finding]:
    """Return a finding for each account that the ledger has and the file leaves out: its postings would have no name."""
    named = {account.code for account in profile.accounts}
    return [
        Finding(
            code="BOOK05",
            severity=Severity.BLOCKING,
            what=f"the ledger has the account {code}, which the file leaves out",
            remedy="Keep it in the file; map no code to it where it shall not be used any more",
            file=file,
            line=line_of(text, ("book", "account")),
            field="book.account",
            value=code,
            subject=profile.code,
        )
        for code in load_chart(connection, profile.code).accounts
        if code not in named
    ]
