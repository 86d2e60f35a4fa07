"""What belongs to issued documents in other tables, for the proof that nobody took it away or changed it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.entry import entry_id
from billing_framework.storage.billing import tables
from billing_framework.storage.ledger.tables import entry, posting, posting_batch
from billing_framework.storage.many import one_of, rows_of, streamed
from billing_framework.storage.master.account_tables import agreement

Number = tuple[str, str, int]
"""Number, series and position in the series."""


def issued_numbers(connection: Connection, book: str) -> Iterator[tuple[int, Number]]:
    """Yield the key of each document of a book to which a number was issued, with that number, in order of the keys."""
    columns = tables.number_issued.c
    query = sa.select(columns.document_id, columns.number, columns.series, columns.counter).where(columns.book == book)
    for rows in streamed(connection, query.order_by(columns.document_id)):
        yield from ((row.document_id, (row.number, row.series, row.counter)) for row in rows)


def numbered_documents(connection: Connection, book: str) -> Iterator[tuple[int, Number]]:
    """Yield the key of each issued or void document of a book with the number that it bears, in order of the keys."""
    columns = tables.document.c
    query = sa.select(columns.id, columns.number, columns.series, columns.counter)
    query = query.where(columns.book == book, columns.status != "draft")
    # Sorted, not read by the index of keys: rows stand in another order, and each would be looked up for itself.
    for rows in streamed(connection, query.order_by(columns.id + 0)):
        yield from ((row.id, (row.number, row.series, row.counter)) for row in rows)


@attrs.frozen(kw_only=True)
class Origin:
    """What other rows say about how an issued document came to be.

    Attributes:
        run: id and code of the run that reserved its number, None for a document of no run.
        drafts: how often its run has drafted its account; 1 for a document of no run, None where no account of the run has it.
        replaced: number and revision of the document that it bills anew, None where it bills none anew.
        final: whether it was ever to be issued, as its row says.
        version: the count of its draft, as its row says.
        posted_at: when it was issued, as its row says.
    """

    run: tuple[int, str] | None
    drafts: int | None
    replaced: tuple[str, int] | None
    final: bool
    version: int
    posted_at: datetime | None

    @property
    def revision(self) -> int:
        """The revision that it must be."""
        return 1 + (self.replaced[1] if self.replaced else 0)


def numbered_by_series(connection: Connection, book: str) -> Iterator[tuple[str, date, Number]]:
    """Yield kind, date and number of each issued or void document of a book."""
    columns = tables.document.c
    query = sa.select(columns.kind, columns.issue_on, columns.number, columns.series, columns.counter)
    query = query.where(columns.book == book, columns.status != "draft")
    for rows in streamed(connection, query.order_by(columns.series, columns.counter)):
        yield from ((row.kind, row.issue_on, (row.number, row.series, row.counter)) for row in rows)


def origins(connection: Connection, documents: Iterable[int]) -> dict[int, Origin]:
    """Return by key how documents came to be."""
    reserved, replaced, account = tables.posting_manifest.c, tables.document.alias("replaced"), tables.run_account.c
    columns, run = tables.document.c, tables.run.c
    of_account = (account.run_id == reserved.run_id, account.account_id == columns.account_id, account.document_id == columns.id)
    query = (
        sa.select(
            columns.id,
            columns.final,
            columns.version,
            columns.posted_at,
            run.id.label("run_id"),
            run.code,
            account.version.label("drafts"),
            replaced.c.number,
            replaced.c.revision,
        )
        .outerjoin(tables.posting_manifest, reserved.document_id == columns.id)
        .outerjoin(tables.run, run.id == reserved.run_id)
        .outerjoin(tables.run_account, sa.and_(*of_account))
        .outerjoin(replaced, replaced.c.id == columns.replaces_id)
    )
    rows = rows_of(connection, documents, lambda some: query.where(one_of(columns.id, some)))
    return {
        row.id: Origin(
            run=None if row.run_id is None else (row.run_id, row.code),
            drafts=1 if row.run_id is None else row.drafts,
            replaced=None if row.number is None else (row.number, row.revision),
            final=row.final,
            version=row.version,
            posted_at=row.posted_at,
        )
        for row in rows
    }


def batches(connection: Connection, entries: Iterable[int]) -> dict[int, tuple[datetime, str]]:
    """Return by id of an entry when its batch was posted, and what made the batch."""
    header, columns = posting_batch.c, entry.c
    query = sa.select(columns.id, header.posted_at, header.source).join_from(entry, posting_batch, header.id == columns.batch_id)
    rows = rows_of(connection, entries, lambda some: query.where(one_of(columns.id, some)))
    return {row.id: (row.posted_at, row.source) for row in rows}


def drafted_from(connection: Connection, documents: Iterable[int]) -> dict[int, str]:
    """Return by document the digest of the input that its own account was drafted from, as hex; those of no run are left out."""
    account, columns = tables.run_account.c, tables.document.c
    # A document that bills another one anew keeps its run, and has been made from an input of its own.
    match = sa.and_(account.run_id == columns.run_id, account.account_id == columns.account_id, account.document_id == columns.id)
    query = sa.select(columns.id, account.manifest).join_from(tables.document, tables.run_account, match)
    rows = rows_of(connection, documents, lambda some: query.where(one_of(columns.id, some)))
    return {row.id: row.manifest.hex() if row.manifest else "" for row in rows}


def inputs_astray(connection: Connection, documents: Iterable[int]) -> set[int]:
    """Return the documents one of whose inputs stands with another month than the document."""
    given, columns = tables.document_input.c, tables.document.c
    query = sa.select(columns.id).join_from(
        tables.document, tables.document_input, sa.and_(given.document_id == columns.id, given.month != columns.month)
    )
    return {row.id for row in rows_of(connection, documents, lambda some: query.where(one_of(columns.id, some)))}


def entered_amounts(connection: Connection, entries: Iterable[tuple[str, str]]) -> dict[str, dict[str, set[int]]]:
    """Return for the entries of these books and keys the date in ISO form and the amounts of their lines, by key."""
    found: dict[str, dict[str, set[int]]] = {}
    match = sa.and_(posting.c.batch_id == entry.c.batch_id, posting.c.entry_id == entry.c.id)
    for row in rows_of(
        connection,
        [entry_id(book, key) for book, key in entries],
        lambda some: (
            sa.select(entry.c.idempotency_key, entry.c.effective_on, posting.c.amount)
            .join(posting, match)
            .where(one_of(entry.c.id, some))
        ),
    ):
        by_date = found.setdefault(row.idempotency_key, {})
        by_date.setdefault(row.effective_on.isoformat(), set()).add(row.amount)
    return found


def billed_keys(connection: Connection, documents: Collection[int]) -> dict[int, set[int]]:
    """Return the ids of the charges that each document has taken."""
    table = tables.charge_key
    found: dict[int, set[int]] = {}
    for row in rows_of(connection, documents, lambda some: sa.select(table).where(one_of(table.c.document_id, some))):
        found.setdefault(row.document_id, set()).add(row.charge_id)
    return found


def skipped_revisions(connection: Connection, documents: Collection[int]) -> set[int]:
    """Return the documents that have taken a charge for the second time, or later, of which the time before is not noted."""
    key, before = tables.charge_key.c, tables.charge_key.alias("before").c
    is_next = sa.exists().where(before.charge_id == key.charge_id, before.revision == key.revision - 1)
    query = sa.select(key.document_id).where(key.revision != 1, ~is_next).distinct()
    return {row.document_id for row in rows_of(connection, documents, lambda some: query.where(one_of(key.document_id, some)))}


def unclaimed_periods(connection: Connection, documents: Collection[int]) -> set[int]:
    """Return the documents of final runs that bill agreements of their account, which is not noted as billed for the period.

    An account that only pays for others is billed by no run.
    """
    columns, run, claim, line = tables.document.c, tables.run.c, tables.billed_period.c, tables.document_line.c
    own = (line.document_id == columns.id, agreement.c.code == line.agreement, agreement.c.account == columns.account)
    claimed = (claim.account_id == columns.account_id, claim.run_id == run.id)
    whole = (claim.period_start == run.period_start, claim.period_end == run.period_end)
    query = sa.select(columns.id).join_from(tables.document, tables.run, run.id == columns.run_id)
    query = query.where(run.kind == "final", sa.exists().where(*own), ~sa.exists().where(*claimed, *whole))
    return {row.id for row in rows_of(connection, documents, lambda some: query.where(one_of(columns.id, some)))}


def written_states(connection: Connection, documents: Collection[int]) -> dict[tuple[int, str, str, str], Mapping[str, str]]:
    """Return the values of the carried state that documents wrote, by document, scope, name and last date in ISO form."""
    table = tables.carried_state
    rows = rows_of(connection, documents, lambda some: sa.select(table).where(one_of(table.c.written_by, some)))
    return {(row.written_by, row.scope, row.name, row.period_end.isoformat()): row._mapping["values"] for row in rows}  # noqa: SLF001
