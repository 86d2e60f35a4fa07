"""Counters of legal numbers and the posting manifests that reserve them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from billing_framework.invoicing.numbering import Numbered
from billing_framework.storage.billing import tables
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.shard_rows import POST, drop_shards
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.many import one_of, rows_of


def next_counters(connection: Connection, book: str, names: Iterable[str]) -> dict[str, int]:
    """Return the next value of each counter, and hold the counters until the transaction ends; new ones begin at 1."""
    table = tables.number_series
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    wanted = sorted(set(names))
    query = sa.select(table.c.series, table.c.next_number).where(table.c.book == book, table.c.series.in_(wanted))
    known = {row.series for row in connection.execute(query)}
    for name in wanted:
        if name not in known:
            connection.execute(insert(table).values(book=book, series=name, next_number=1).on_conflict_do_nothing())
    return {row.series: row.next_number for row in connection.execute(query.order_by(table.c.series).with_for_update())}


def set_counters(connection: Connection, book: str, after: Mapping[str, int]) -> None:
    """Set the next value of counters that `next_counters` holds."""
    table = tables.number_series
    for name, value in sorted(after.items()):
        connection.execute(table.update().where(table.c.book == book, table.c.series == name).values(next_number=value))


def save_manifest(connection: Connection, run: Run, numbers: Sequence[Numbered], *, after: int = 0) -> None:
    """Reserve numbers for the documents of an approved run, in posting order, behind the first `after` ones."""
    columns = ("run_id", "position", "document_id", "series", "counter", "number")
    rows = [
        (run.id, position, one.document, one.counter_name, one.counter, one.number)
        for position, one in enumerate(numbers, start=after + 1)
    ]
    bulk_insert(connection, tables.posting_manifest, columns, rows)


def manifest_of(connection: Connection, run: Run) -> list[Numbered]:
    """Return the reserved numbers of a run in posting order."""
    return _reserved(connection, tables.posting_manifest.c.run_id == run.id)


def manifest_part(connection: Connection, run: Run, first: int, last: int) -> list[Numbered]:
    """Return the reserved numbers of a run at some positions, the first and the last of them included, in posting order."""
    columns = tables.posting_manifest.c
    return _reserved(connection, sa.and_(columns.run_id == run.id, columns.position.between(first, last)))


def _reserved(connection: Connection, of: sa.ColumnElement[bool]) -> list[Numbered]:
    columns = tables.posting_manifest.c
    query = sa.select(columns.document_id, columns.series, columns.counter, columns.number).where(of).order_by(columns.position)
    return [
        Numbered(document=document, counter_name=series, counter=counter, number=number)
        for document, series, counter, number in connection.execute(query)
    ]


def issued_among(connection: Connection, numbers: Iterable[Numbered]) -> set[int]:
    """Return the keys of the documents that bear their reserved number already."""
    column = tables.number_issued.c.document_id
    return set(connection.scalars(sa.select(column).where(one_of(column, (one.document for one in numbers)))))


def is_numbered(connection: Connection, document: int) -> bool:
    """Return whether a document bears its number already."""
    column = tables.number_issued.c.document_id
    return connection.scalar(sa.select(column).where(column == document)) is not None


def documents_numbered(connection: Connection, numbers: Iterable[str]) -> set[int]:
    """Return the keys of the documents of any book that bear one of some numbers."""
    issued, books = tables.number_issued.c, sa.select(tables.number_series.c.book)  # the index of numbers begins with the book
    query = sa.select(issued.document_id).where(issued.book.in_(books))
    return {row.document_id for row in rows_of(connection, numbers, lambda some: query.where(one_of(issued.number, some)))}


def issued_by(connection: Connection, run: Run) -> set[int]:
    """Return the keys of the documents that a run has posted, those that are void left out."""
    columns = tables.document.c
    return set(connection.scalars(sa.select(columns.id).where(posts(run), columns.status == "issued")))


def posts(run: Run) -> sa.ColumnElement[bool]:
    """Return the condition that a run posts a document under a number of its own; a rebill of it bears the run, too."""
    reserved = tables.posting_manifest.c
    return tables.document.c.id.in_(sa.select(reserved.document_id).where(reserved.run_id == run.id))


def is_issued(connection: Connection, run: Run) -> bool:
    """Return whether every document for which the run has reserved a number bears it."""
    reserved, issued = tables.posting_manifest.c, tables.number_issued
    waiting = sa.select(reserved.document_id).where(
        reserved.run_id == run.id, ~sa.exists().where(issued.c.document_id == reserved.document_id)
    )
    return connection.execute(waiting.limit(1)).first() is None


def give_back(connection: Connection, run: Run, numbers: Sequence[Numbered]) -> bool:
    """Give the reserved numbers of a run back to their series, where nobody has taken a number after them.

    Returns:
        False where a later number was reserved or issued meanwhile: the numbers are then spent, and their documents void.
    """
    firsts: dict[str, int] = {}
    lasts: dict[str, int] = {}
    counts = Counter(one.counter_name for one in numbers)
    for one in numbers:
        firsts[one.counter_name] = min(one.counter, firsts.get(one.counter_name, one.counter))
        lasts[one.counter_name] = max(one.counter, lasts.get(one.counter_name, 0))
    present = next_counters(connection, run.book, firsts)
    # Parts that were approved one after the other may have numbers of other runs between them.
    if any(present[name] != lasts[name] + 1 or lasts[name] - firsts[name] + 1 != counts[name] for name in firsts):
        return False
    drop_manifest(connection, run)
    set_counters(connection, run.book, firsts)
    return True


def drop_manifest(connection: Connection, run: Run) -> None:
    """Remove what is not issued of the manifest of a run, and the shards in which it was to be posted."""
    drop_shards(connection, run, step=POST)
    table = tables.posting_manifest
    issued = sa.exists().where(tables.number_issued.c.document_id == table.c.document_id)
    connection.execute(table.delete().where(table.c.run_id == run.id, ~issued))


def counters_given(connection: Connection, book: str) -> tuple[dict[str, list[int]], dict[str, int]]:
    """Return what a check of gaps compares: each counter's values, borne by documents or reserved, and its next value."""
    issued, reserved, series = tables.number_issued, tables.posting_manifest, tables.number_series
    given: dict[str, list[int]] = {}
    for row in connection.execute(sa.select(issued.c.series, issued.c.counter).where(issued.c.book == book)):
        given.setdefault(row.series, []).append(row.counter)
    waiting = (
        sa.select(reserved.c.series, reserved.c.counter)
        .join(tables.run, tables.run.c.id == reserved.c.run_id)
        .where(
            tables.run.c.book == book,
            tables.run.c.state.in_(("drafted", "approved", "posting")),  # one that has ended leaves no number waiting
            ~sa.exists().where(issued.c.document_id == reserved.c.document_id),
        )
    )
    for row in connection.execute(waiting):
        given.setdefault(row.series, []).append(row.counter)
    following = connection.execute(sa.select(series.c.series, series.c.next_number).where(series.c.book == book))
    return given, {row.series: row.next_number for row in following}
