"""A block of a usage file, made ready for the desk while the desk stores the one before: nothing here asks the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import attrs
import polars as pl

from billing_framework.storage.bulk_columns import PreparedRows
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.usage.column_rows import record_rows
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.rows import one_hash
from billing_framework.usage.columnar.identity import IdentifiedColumns, identified
from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.reader import BadRecord, Coverage, ReadItem
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.usage.requirements import KindRules
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True, eq=False)
class ReadyColumns:
    """Columns of a block with all that can be told of them beforehand.

    Attributes:
        records: the records with their identity.
        subject_ids: ids of their identifiers.
        names: ids and identifiers that the file has not had before, ``subject_id`` and ``subject``.
        rows: the rows that store all of them.
    """

    records: IdentifiedColumns
    subject_ids: pl.Series
    names: pl.DataFrame
    rows: PreparedRows


@attrs.define(kw_only=True)
class Block:
    """What a reader yields of some lines.

    Attributes:
        ready: the columns, None where it yields none.
        items: records one by one.
        coverage: what it says of coverage.
        notes: findings about the file.
    """

    ready: ReadyColumns | None = None
    items: list[AnyUsage | BadRecord] = attrs.field(factory=list)
    coverage: list[Coverage] = attrs.field(factory=list)
    notes: list[Finding] = attrs.field(factory=list)


@attrs.define(kw_only=True)
class BlockMaker:
    """Makes blocks of what a reader yields.

    Attributes:
        dialect: the database that the rows are for.
        rules: the usage kinds.
        tables: their tables.
        batch_id: number of the batch.
    """

    dialect: str
    rules: Mapping[str, KindRules]
    tables: Mapping[str, KindTable]
    batch_id: int
    _ids: pl.DataFrame = attrs.field(factory=lambda: pl.DataFrame(schema={"subject_id": pl.Int64, "subject": pl.String}))

    def blocks(self, items: Iterable[ReadItem | RecordColumns]) -> Iterator[Block]:
        """Yield what a reader yields in blocks: columns with the items after them."""
        block = Block()
        for item in items:
            if isinstance(item, RecordColumns):
                if block.ready is not None or block.items:
                    yield block
                    block = Block()
                block.ready = self._ready(item)
            elif isinstance(item, Usage | BadRecord):
                block.items.append(item)
            elif isinstance(item, Coverage):
                block.coverage.append(item)
            else:
                block.notes.append(item)
        yield block

    def _ready(self, columns: RecordColumns) -> ReadyColumns:
        records = identified(columns, self.rules[columns.kind])
        subjects = records.columns.frame.select("subject")
        names = subjects.unique().join(self._ids, on="subject", how="anti")
        ids = pl.Series("subject_id", list(map(subject_id, names["subject"].to_list())), dtype=pl.Int64)
        names = pl.DataFrame([ids, names["subject"]])
        self._ids = pl.concat([self._ids, names])
        if names.height and not self._ids["subject_id"].is_unique().all():
            alike = self._ids.filter(~pl.col("subject_id").is_unique()).sort("subject_id")["subject"].to_list()
            raise one_hash(alike[0], alike[1])
        subject_ids = subjects.join(self._ids, on="subject", how="left", maintain_order="left")["subject_id"]
        rows = record_rows(self.dialect, self.tables[columns.kind], records, subject_ids, self.batch_id).made()
        return ReadyColumns(records=records, subject_ids=subject_ids, names=names, rows=rows)
