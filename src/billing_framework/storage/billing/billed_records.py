"""Which document has billed which carried record: noted when it is issued, free again when it is credited in full."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.record_tables import billed_record, document_records
from billing_framework.storage.billing.tables import document, run, run_account
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id, agreement
from billing_framework.storage.usage.tables import usage_key


@attrs.frozen(kw_only=True)
class DeliveredRecords:
    """The carried records of one account that a document is made of.

    Attributes:
        account: code of the account whose agreements delivered.
        billed: keys of the records that the document bills, at a price or without one, in order.
        claims: for each of them its slot, else its key: what only one standing document may bill.
        deferred: record key to the reason why it waits for a later bill.
    """

    account: str
    billed: tuple[int, ...] = ()
    claims: tuple[int, ...] = ()
    deferred: Mapping[int, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RecordBill:
    """One billing of a record.

    Attributes:
        key: key of the document.
        document: number of the document.
        account: code of the account that it bills.
        status: its status.
        credited_by: number of the credit note by which the record was free again, empty while the document stands.
    """

    key: int
    document: str
    account: str
    status: str
    credited_by: str = ""


def insert_document_records(connection: Connection, rows: Iterable[tuple[int, int, DeliveredRecords]]) -> None:
    """Keep what drafts are made of: key of the draft, its month, and the records of one account."""
    bulk_insert(
        connection,
        document_records,
        ("document_id", "account_id", "month", "billed", "claims", "deferred"),
        [
            (key, account_id(one.account), month, one.billed, one.claims, {str(at): why for at, why in one.deferred.items()})
            for key, month, one in rows
        ],
    )


def link_records(connection: Connection, documents: Iterable[int]) -> None:
    """Note for documents that were just issued that they have billed their records.

    Args:
        connection: a connection with an open write transaction.
        documents: keys of the documents.

    Raises:
        Refused: ``CHARGE06`` where another document that stands has billed one of the records.
        Conflict: the same, found by PostgreSQL's index.
    """
    columns = document_records.c
    query = sa.select(columns.document_id, columns.billed, columns.claims)
    rows = [
        (key, row.document_id, claim)
        for row in rows_of(connection, documents, lambda some: query.where(one_of(columns.document_id, some)))
        for key, claim in zip(row.billed, row.claims, strict=True)
    ]
    bulk_insert(connection, billed_record, ("record_key", "document_id", "claim"), sorted(rows))


def free_records(connection: Connection, document_key: int, credit_note: int, *, keep: Collection[str] = ()) -> None:
    """Note that the records of a document are free again, because an issued credit note took back all of it.

    Args:
        connection: a connection with an open write transaction.
        document_key: key of the document.
        credit_note: key of the credit note.
        keep: agreements of which documents of other payers still stand; the records of their accounts stay billed.
    """
    columns = billed_record.c
    free = billed_record.update().where(columns.document_id == document_key, columns.reversed_by.is_(None))
    if keep:
        accounts = connection.scalars(sa.select(agreement.c.account).where(agreement.c.code.in_(sorted(keep))))
        kept = {account_id(account) for account in accounts}
        rows = document_record_rows(connection, [document_key]).get(document_key, {})
        stays = sorted(key for owner, one in rows.items() if owner in kept for key in one.billed)
        free = free.where(columns.record_key.not_in(stays))
    connection.execute(free.values(reversed_by=credit_note))


def document_record_rows(connection: Connection, documents: Iterable[int]) -> dict[int, dict[int, DeliveredRecords]]:
    """Return what documents are made of, by document and account id; the code of the account is left empty."""
    columns = document_records.c
    found: dict[int, dict[int, DeliveredRecords]] = {}
    for row in rows_of(connection, documents, lambda some: sa.select(document_records).where(one_of(columns.document_id, some))):
        found.setdefault(row.document_id, {})[row.account_id] = DeliveredRecords(
            account="",
            billed=row.billed,
            claims=row.claims,
            deferred={int(key): why for key, why in row.deferred.items()},
        )
    return found


def billed_on(connection: Connection, document_key: int) -> dict[int, int]:
    """Return the records that a document was issued for, standing or credited since: key to its claim."""
    columns = billed_record.c
    query = sa.select(columns.record_key, columns.claim).where(columns.document_id == document_key)
    return {row.record_key: row.claim for row in connection.execute(query)}


def mislinked(connection: Connection, documents: Iterable[int]) -> set[int]:
    """Return which of these issued documents are noted as having billed other records than they were drafted with."""
    listed = list(documents)
    drafted = {
        key: {pair for one in by_account.values() for pair in zip(one.billed, one.claims, strict=True)}
        for key, by_account in document_record_rows(connection, listed).items()
    }
    columns = billed_record.c
    noted: dict[int, set[tuple[int, int]]] = {}
    for row in rows_of(connection, listed, lambda some: sa.select(billed_record).where(one_of(columns.document_id, some))):
        noted.setdefault(row.document_id, set()).add((row.record_key, row.claim))
    return {key for key in listed if drafted.get(key, set()) != noted.get(key, set())}


def bills_of(connection: Connection, record: int) -> tuple[RecordBill, ...]:
    """Return the documents that have billed a record, oldest first."""
    note = document.alias("note")
    columns = billed_record.c
    query = (
        sa.select(document.c.id, document.c.number, document.c.account, document.c.status, note.c.number.label("note"))
        .select_from(billed_record)
        .join(document, document.c.id == columns.document_id)
        .outerjoin(note, note.c.id == columns.reversed_by)
        .where(columns.record_key == record)
        .order_by(document.c.posted_at, document.c.id)
    )
    return tuple(
        RecordBill(key=row.id, document=row.number or "", account=row.account, status=row.status, credited_by=row.note or "")
        for row in connection.execute(query)
    )


def replaced_documents(connection: Connection) -> set[int]:
    """Return the documents that stand on a record of which a newer version has come."""
    mine, newer, columns = usage_key.alias("mine"), usage_key.alias("newer"), billed_record.c
    of_slots = sa.select(usage_key.c.slot_key).where(usage_key.c.slot_key != 0).group_by(usage_key.c.slot_key)
    slots = connection.scalars(of_slots.having(sa.func.count() > 1)).all()  # few of what was billed, and their index is small
    query = (
        sa.select(columns.document_id)
        .join(mine, mine.c.key == columns.record_key)
        .join(newer, sa.and_(newer.c.slot_key == mine.c.slot_key, newer.c.version > mine.c.version))
        .where(mine.c.slot_key != 0, newer.c.slot_key != 0, columns.reversed_by.is_(None))
        .distinct()
    )
    return {row.document_id for row in rows_of(connection, slots, lambda some: query.where(one_of(mine.c.slot_key, some)))}


def reserved_claims(
    connection: Connection, book: str, wanted: Container[int] | None = None, *, but_run: int = 0
) -> dict[int, str]:
    """Return what the drafts of approved runs bill that are not posted yet: slot or key of each record, to the run's code.

    Args:
        connection: a connection that keeps other decisions away.
        book: code of the book.
        wanted: the slots and keys that are asked about; all where None.
        but_run: id of a run whose drafts do not count.
    """
    columns, accounts = document_records.c, run_account.c
    query = (
        sa.select(run.c.code, columns.claims)
        .join(run_account, accounts.document_id == columns.document_id)
        .join(run, run.c.id == accounts.run_id)
        .join(document, document.c.id == columns.document_id)
        .where(
            run.c.id != but_run,
            run.c.book == book,
            run.c.state.in_(("approved", "posting")),
            document.c.status == "draft",
        )
    )
    reserved: dict[int, str] = {}
    for row in connection.execute(query):
        reserved.update((claim, row.code) for claim in row.claims if wanted is None or claim in wanted)
    return reserved
