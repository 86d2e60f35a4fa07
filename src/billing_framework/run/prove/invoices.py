"""Lists and shows documents from what is stored, with what is open of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.document import Document
from billing_framework.invoicing.edit import Edit
from billing_framework.receivables.open_item import document_item_key
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import find
from billing_framework.run.personal.reading import BUYER_FIELDS, Read, reading, record_reads
from billing_framework.storage.billing.billed_records import document_record_rows
from billing_framework.storage.billing.buyers import buyer_owners, parties_of
from billing_framework.storage.billing.documents import (
    StoredDocument,
    as_issued,
    find_document,
    load_documents,
    replaced_by,
)
from billing_framework.storage.billing.edit_rows import numbered_edits
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.numbers import posts
from billing_framework.storage.billing.run_rows import Run, find_run, run_accounts_of, run_accounts_on
from billing_framework.storage.billing.tables import document
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.storage.receivable.rows import load_standings
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.rows import stored_records
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class ListedDocument:
    """One document as a list shows it.

    Attributes:
        number: its number.
        kind: what it is.
        status: issued or void.
        account: code of the account.
        issue_on: its date.
        due_on: date by which it is to be paid.
        gross: its total with tax.
        open: what is open of it, None where it makes no open item.
        replaced_by: number of the document that bills it anew, or empty.
    """

    number: str
    kind: str
    status: str
    account: str
    issue_on: date
    due_on: date
    gross: Money
    open: Money | None
    replaced_by: str = ""


@attrs.frozen(kw_only=True)
class StandingEdit:
    """An edit of a draft that nobody has taken back.

    Attributes:
        account: code of the account under which it was made.
        position: its number among the edits of that account, by which it is taken back.
        edit: what was decided.
    """

    account: str
    position: int
    edit: Edit


@attrs.frozen(kw_only=True)
class ShownDocument:
    """One document with its surroundings.

    Attributes:
        document: the document with its parties; a draft has no number.
        stored: the same as it is stored, with what its lines rest on.
        open: what is open of it, None where it makes no open item.
        credits: numbers of the credit notes that correct it.
        replaced_by: number of the document that bills it anew, or empty.
        edits: reviewers' edits that stand, where the document is looked at in its run.
        waiting: reason to the ids of the records that it leaves for a later bill, where it is looked at in its run.
    """

    document: Document
    stored: StoredDocument
    edits: tuple[StandingEdit, ...] = ()
    waiting: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)
    open: Money | None = None
    credits: tuple[str, ...] = ()
    replaced_by: str = ""


def list_documents(
    connection: Connection,
    *,
    account: str = "",
    kind: str = "",
    run: str = "",
    since: date | None = None,
    until: date | None = None,
    limit: int = 1_000,
) -> list[ListedDocument]:
    """Return issued and void documents in order of date and number.

    Args:
        connection: a connection.
        account: only this account's, where given.
        kind: only of this kind, where given.
        run: only what this run posted, where given; without what corrects it since.
        since: only of this date or later.
        until: only of this date or earlier.
        limit: at most so many, the newest.

    Raises:
        NotFound: ``ACCOUNT09`` or ``RUN01``: there is no such account or run.
    """
    columns, newer = document.c, document.alias("newer")
    query = sa.select(document, newer.c.number.label("newer")).outerjoin(newer, newer.c.replaces_id == columns.id)
    query = query.where(columns.status != "draft").order_by(columns.issue_on.desc(), columns.number.desc()).limit(limit)
    if run:
        query = query.where(posts(find_run(connection, run)))
    if account:
        find(connection, ACCOUNTS, account)
        query = query.where(columns.account_id == account_id(account), columns.account == account)
    if kind:
        query = query.where(columns.kind == kind)
    if since is not None:
        query = query.where(columns.issue_on >= since)
    if until is not None:
        query = query.where(columns.issue_on <= until)
    rows = list(connection.execute(query))[::-1]
    opens = _open(connection, [row.id for row in rows])
    return [_listed(row, opens) for row in rows]


def _listed(row: sa.Row[Any], opens: dict[int, Money]) -> ListedDocument:
    return ListedDocument(
        number=row.number,
        kind=row.kind,
        status=row.status,
        account=row.account,
        issue_on=row.issue_on,
        due_on=row.due_on,
        gross=Money(row.gross, row.currency),
        open=opens.get(row.id),
        replaced_by=row.newer or "",
    )


def _open(connection: Connection, keys: list[int]) -> dict[int, Money]:
    by_item = {document_item_key(key): key for key in keys}
    return {by_item[one.item.key]: one.open for one in load_standings(connection, keys=list(by_item))}


def issued_numbers(deployment: Deployment, run: str) -> list[str]:
    """Return the numbers of the documents that a run posted and that are not void, in their order.

    Raises:
        NotFound: ``RUN01`` for an unknown run.
        Refused: ``EXPORT03`` where it has issued none.
    """
    with deployment.database.read() as connection:
        found = find_run(connection, run)
        columns = document.c
        query = sa.select(columns.number).where(posts(found), columns.status == "issued")
        numbers = list(connection.scalars(query.order_by(columns.series, columns.counter)))
    if not numbers:
        raise Refused("EXPORT03", f"the run {found.code} has issued no document", remedy="Post it first, or name documents")
    return numbers


def show_document(deployment: Deployment, number: str, *, purpose: str = "invoice show") -> ShownDocument:
    """Return an issued or void document, from what is stored alone; the audit keeps who read about its buyer.

    Args:
        deployment: the open deployment.
        number: its number.
        purpose: what it is read for, as the command is called.

    Raises:
        NotFound: ``INVOICE20`` with the nearest number.
    """
    with reading(deployment) as connection:
        stored = find_document(connection, number)
        _note_reading(connection, deployment, stored, purpose)
        columns = document.c
        notes = sa.select(columns.number).where(columns.corrects_id == stored.key, columns.status == "issued")
        return ShownDocument(
            document=as_issued(connection, [stored])[stored.key],
            stored=stored,
            open=_open(connection, [stored.key]).get(stored.key),
            credits=tuple(connection.scalars(notes.order_by(columns.number))),
            replaced_by=replaced_by(connection, stored.key),
        )


def _note_reading(connection: Connection, deployment: Deployment, stored: StoredDocument, purpose: str) -> None:
    reads = [
        Read(owner=owner, fields=BUYER_FIELDS, place=stored.number or f"draft of account {stored.content.account}")
        for owner in buyer_owners(connection, [stored.key]).values()
    ]
    record_reads(connection, deployment, purpose, reads)


def show_draft(deployment: Deployment, code: str, account: str) -> tuple[Run, ShownDocument]:
    """Return the document of an account in a run, whether it is a draft or issued.

    Raises:
        NotFound: ``RUN04`` where the account is not in the run or has no document there.
    """
    with reading(deployment) as connection:
        run = meant_run(connection, code)
        row = run_accounts_of(connection, run, [account]).get(account)
        if row is None or row.document is None:
            why = f"it is {row.state}: {row.reason}" if row else "it is not in the run"
            edits = "; ".join(map(edit_text, _edits(connection, run, [account])))
            command = f"billing run review {run.code}" if row and row.state == "held" else f"billing run show {run.code}"
            remedy = f"See why: {command}" + (f". Edits that stand: {edits}" if edits else "")
            raise NotFound("RUN04", f"account {account!r} has no document in the run {run.code}; {why}", remedy=remedy)
        edits_on = _edits(connection, run, [one.account for one in run_accounts_on(connection, [row.document])])
        waiting = _waiting(deployment, connection, row.document)
        stored = load_documents(connection, [row.document])[row.document]
        _note_reading(connection, deployment, stored, "run show")
        if stored.number:
            issued = as_issued(connection, [stored])[stored.key]
            return run, ShownDocument(document=issued, stored=stored, edits=edits_on, waiting=waiting)
        seller, buyer = parties_of(connection, [stored.key])[stored.key]
        draft = Document(
            number="",
            counter_name="",
            counter=0,
            status=stored.status,
            content=stored.content,
            digest=stored.digest,
            seller=seller,
            buyer=buyer,
        )
        return run, ShownDocument(document=draft, stored=stored, edits=edits_on, waiting=waiting)


def _waiting(deployment: Deployment, connection: Connection, key: int) -> dict[str, tuple[str, ...]]:
    by_account = document_record_rows(connection, [key]).get(key, {})
    reasons = {record: why for one in by_account.values() for record, why in one.deferred.items()}
    stored = stored_records(connection, kind_tables(deployment.host.kinds), reasons.keys())
    names = {record: one.external_id for record, one in stored.items()}
    found: dict[str, list[str]] = {}
    for record, why in sorted(reasons.items(), key=lambda item: (item[1], names.get(item[0], ""))):
        found.setdefault(why, []).append(names.get(record, str(record)))
    return {why: tuple(ids) for why, ids in found.items()}


def _edits(connection: Connection, run: Run, accounts: Sequence[str]) -> tuple[StandingEdit, ...]:
    standing = numbered_edits(connection, run, accounts)
    return tuple(
        StandingEdit(account=account, position=position, edit=one)
        for account in sorted(standing)
        for position, one in standing[account].items()
    )


def edit_text(one: StandingEdit) -> str:
    """Return an edit as one line for people: number, what, before and after, who and why."""
    edit = one.edit
    what = " ".join(part for part in (edit.field.value, edit.name, edit.about or edit.target) if part)
    change = f"{edit.before} -> {edit.after}" if edit.after else edit.before
    return f"{one.account} {one.position}: {what}: {change}, by {edit.actor}: {edit.reason}"
