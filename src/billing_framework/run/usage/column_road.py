"""The fast road of intake: a reader's columns are read and identified in one thread while another stores those before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from billing_framework.plugin.host import Host
from billing_framework.run.usage.column_block import Block, BlockMaker
from billing_framework.run.usage.column_desk import ColumnDesk
from billing_framework.run.usage.intake_desk import IntakeDesk
from billing_framework.run.usage.reading import read_checked
from billing_framework.storage.bulk_columns import bulk_writing
from billing_framework.storage.usage.batches import MOST_FINDINGS
from billing_framework.storage.usage.kind_table import kind_guards
from billing_framework.storage.usage.tables import guards
from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.reader import Coverage, Reader, ReadRequest
from billing_framework.values.finding import Finding

_AHEAD = 1
"""Blocks that are read ahead of those that are stored."""


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
    items = read_checked(host, reader, request, stream, read=reader.read_columns, columns=(RecordColumns,))
    if items is None:
        return False
    columns = ColumnDesk.of(desk)
    tables = [desk.tables[name] for name in reader.kinds if name in desk.tables]
    notes: list[Finding] = []
    coverage: list[Coverage] = []
    watched = [*guards(), *(guard for table in tables for guard in kind_guards(table))]
    dialect = desk.connection.dialect.name
    maker = BlockMaker(dialect=dialect, rules=desk.rules, tables=desk.tables, batch_id=desk.batch_id)
    with bulk_writing(desk.connection, watched), _ahead(maker.blocks(items)) as blocks:
        for block in blocks:
            columns.take(block)
            notes += block.notes[: MOST_FINDINGS - len(notes)]
            coverage += block.coverage
        columns.close()
    desk.tell(notes)
    desk.cover(coverage)
    return True


@contextmanager
def _ahead(blocks: Iterator[Block]) -> Iterator[Iterator[Block]]:
    """Let a thread read ahead while the caller stores; what it raises is raised where the caller waits for the next block."""
    ready: queue.Queue[Block | BaseException | None] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: Block | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return ready.put(item, timeout=1)
            except queue.Full:
                continue
        return None

    def read() -> None:
        try:
            for block in blocks:
                put(block)
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised in the caller's thread
            put(error)

    def taken() -> Iterator[Block]:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = threading.Thread(target=read, name="usage reader", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        thread.join()
