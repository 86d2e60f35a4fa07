"""What usage has come after its period was billed: standing invoices, later batches, and the records that these brought."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.tables import charge_key, document, document_input, run
from billing_framework.storage.many import rows_of
from billing_framework.storage.master.account_tables import account_id, subject_id
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.rows import among
from billing_framework.storage.usage.tables import usage_batch, usage_key
from billing_framework.values.period import DateSpan, Span


@attrs.frozen(kw_only=True)
class StandingBill:
    """A standing invoice that was made from the input of an account.

    Attributes:
        document: its key.
        number: its number.
        account: code of the account whose input it is made from; the invoice itself may be that of a payer.
        period: its billing period.
        known_at: instant up to which its usage is known.
    """

    document: int
    number: str
    account: str
    period: DateSpan
    known_at: datetime


def standing_bills(connection: Connection, payers: Mapping[str, Collection[str]]) -> list[StandingBill]:
    """Return the standing invoices that were made from the inputs of some accounts, by period and number.

    Args:
        connection: a connection.
        payers: code of each account to those whose documents may bear its charges.
    """
    names = {account_id(account): account for account in payers}
    owners = {account_id(one) for account, listed in payers.items() for one in (account, *listed)}
    columns, given = document.c, document_input.c
    query = (
        sa.select(
            columns.id,
            columns.number,
            given.account_id,
            columns.period_start,
            columns.period_end,
            columns.posted_at,
            run.c.approved_at,
        )
        .join(document_input, given.document_id == columns.id)
        .outerjoin(run, run.c.id == columns.run_id)
        .where(
            columns.kind == "invoice",
            columns.status == "issued",
            sa.exists().where(charge_key.c.document_id == columns.id, charge_key.c.reversed_by.is_(None)),
        )
    )
    found = [
        StandingBill(
            document=row.id,
            number=row.number,
            account=names[row.account_id],
            period=DateSpan(row.period_start, row.period_end),
            known_at=row.approved_at or row.posted_at,
        )
        for row in rows_of(connection, owners, among(query, columns.account_id))
        if row.account_id in names
    ]
    return sorted(found, key=lambda one: (one.account, one.period, one.number))


@attrs.frozen(kw_only=True)
class LaterBatch:
    """A batch of usage that came after some invoice.

    Attributes:
        id: its number.
        taken_at: when it was taken in.
        span: instants that its records cover.
        supersedes: True where some of its records took the place of others, wherever these lie.
    """

    id: int
    taken_at: datetime
    span: Span
    supersedes: bool


def later_batches(connection: Connection, since: datetime) -> list[LaterBatch]:
    """Return the batches with records that were taken in after an instant, by number."""
    columns = usage_batch.c
    query = sa.select(columns.id, columns.taken_at, columns.start_at, columns.end_at, columns.superseding)
    query = query.where(columns.taken_at > since, columns.start_at.is_not(None))
    return [
        LaterBatch(id=row.id, taken_at=row.taken_at, span=Span(row.start_at, row.end_at), supersedes=bool(row.superseding))
        for row in sorted(connection.execute(query), key=lambda row: row.id)  # SQLite would read all batches in their order
    ]


@attrs.frozen(kw_only=True)
class Arrival:
    """A stretch of time of a subject of which a batch has brought, changed or deleted something.

    Attributes:
        subject: the identifier.
        batch: number of the batch.
        span: instants of the record; of the replaced one, where a newer version has come.
    """

    subject: str
    batch: int
    span: Span


def arrivals(connection: Connection, derived: KindTable, subjects: Iterable[str], batches: Collection[int]) -> Iterator[Arrival]:
    """Yield the records of some subjects that some batches have brought."""
    names = {subject_id(subject): subject for subject in subjects}
    columns = derived.table.c
    query = sa.select(columns.subject_id, columns.start_at, columns.end_at, columns.batch_id)
    query = query.where(columns.batch_id >= min(batches))
    for row in rows_of(connection, names, among(query, columns.subject_id)):
        if row.batch_id in batches:
            yield Arrival(subject=names[row.subject_id], batch=row.batch_id, span=Span(row.start_at, row.end_at))


def replacements(
    connection: Connection, derived: KindTable, subjects: Iterable[str], batches: Collection[int], since: datetime
) -> Iterator[Arrival]:
    """Yield the records of some subjects of which some batches have brought a newer version, or that they have deleted.

    Args:
        connection: a connection.
        derived: the kind with its table.
        subjects: the identifiers.
        batches: numbers of the batches.
        since: records that end before this instant are passed over.
    """
    names = {subject_id(subject): subject for subject in subjects}
    columns, mine, newer = derived.table.c, usage_key.alias("mine"), usage_key.alias("newer")
    query = (
        sa.select(columns.subject_id, columns.start_at, columns.end_at, newer.c.batch_id)
        .join(mine, mine.c.key == columns.key)
        .join(newer, sa.and_(newer.c.slot_key == mine.c.slot_key, newer.c.version > mine.c.version))
        .where(mine.c.slot_key != 0, newer.c.slot_key != 0, columns.end_at >= since, newer.c.batch_id >= min(batches))
    )
    for row in rows_of(connection, names, among(query, columns.subject_id)):
        if row.batch_id in batches:
            yield Arrival(subject=names[row.subject_id], batch=row.batch_id, span=Span(row.start_at, row.end_at))
