"""The fast road of intake: a reader's columns are read and identified in one thread while another stores those before."""

from __future__ import annotations

from collections.abc import Callable
from typing import BinaryIO

from billing_framework.plugin.host import Host
from billing_framework.run.usage.column_block import BlockMaker
from billing_framework.run.usage.column_desk import ColumnDesk
from billing_framework.run.usage.intake_desk import IntakeDesk
from billing_framework.run.usage.reading import read_checked
from billing_framework.storage.ahead import ahead
from billing_framework.storage.bulk_columns import bulk_writing
from billing_framework.storage.usage.batches import MOST_FINDINGS
from billing_framework.storage.usage.kind_table import kind_guards
from billing_framework.storage.usage.tables import guards
from billing_framework.usage.columnar.promised_columns import broken_columns
from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.reader import Coverage, Reader, ReadRequest
from billing_framework.values.finding import Finding


def fill_by_columns(desk: IntakeDesk, host: Host, reader: Reader, request: ReadRequest, stream: BinaryIO) -> bool:
    """Take in a file by the columns of its reader, and return True; False, with nothing read, where it offers none for it.

    Args:
        desk: the desk of the batch.
        host: the host that the reader belongs to.
        reader: the reader.
        request: what it is told.
        stream: the bytes of the file.
    """
    if reader.read_columns is None or any(derived.personal for name, derived in desk.tables.items() if name in reader.kinds):
        return False
    promised: dict[type, Callable[[RecordColumns], str]] = {
        RecordColumns: lambda some: broken_columns(some, desk.rules[some.kind])
    }
    items = read_checked(host, reader, request, stream, read=reader.read_columns, columns=promised)
    if items is None:
        return False
    columns = ColumnDesk.of(desk)
    tables = [desk.tables[name] for name in reader.kinds if name in desk.tables]
    notes: list[Finding] = []
    coverage: list[Coverage] = []
    watched = [*guards(), *(guard for table in tables for guard in kind_guards(table))]
    dialect = desk.connection.dialect.name
    maker = BlockMaker(dialect=dialect, rules=desk.rules, tables=desk.tables, batch_id=desk.batch_id)
    with bulk_writing(desk.connection, watched), ahead(maker.blocks(items)) as blocks:
        for block in blocks:
            columns.take(block)
            notes += block.notes[: MOST_FINDINGS - len(notes)]
            coverage += block.coverage
        columns.close()
    desk.tell(notes)
    desk.cover(coverage)
    return True
