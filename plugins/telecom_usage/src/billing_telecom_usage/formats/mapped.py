"""Any other delimited file of calls, by the columns that the settings of its source name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO

from billing_framework import Reader, ReadItem, ReadRequest
from billing_telecom_usage.formats.call_record import Opened, Shape, Sorter, source_of
from billing_telecom_usage.formats.named_columns import is_of_width, named_ids, unknown_column, width_refused
from billing_telecom_usage.formats.refusal import refuse_file
from billing_telecom_usage.formats.rows import Row, rows
from billing_telecom_usage.kinds import CALL
from billing_telecom_usage.settings import ColumnMapping

if TYPE_CHECKING:
    from billing_framework import RecordColumns


def read_mapped(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield a call per line, by the mapping in the settings of the source.

    Columns that no field is mapped to are not looked at.

    Raises:
        InputRefused: ``TEL01`` for a file that is no text, ``TEL07`` where the source has no mapping or the file not its columns.
    """
    source = source_of(request)
    mapping = source.mapping
    if mapping is None:
        what = f"the settings of source {request.source!r} have no mapping of columns"
        remedy = f"Add [plugin.telecom_usage.source.{request.source}.mapping] to billing.toml, or name another --source"
        raise refuse_file(request, "TEL07", what, remedy=remedy)
    sorter = Sorter(request=request, source=source)
    opened: Opened | None = None
    for row in rows(stream, request, delimiter=mapping.delimiter, encoding=source.encoding):
        if opened is None:
            opened = _opened(row, mapping, request)
            if mapping.header:
                continue
        yield sorter.item(row if is_of_width(row, opened.width) else width_refused(row, opened.width), opened.shape)
    yield from sorter.told()


def read_mapped_columns(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns] | None:
    """Return the same calls as `read_mapped`, as columns; None without a mapping, or with one that tells versions of a record."""
    from billing_telecom_usage.formats.column_file import column_items  # noqa: PLC0415 - needs polars

    source = source_of(request)
    mapping = source.mapping
    if mapping is None or "version" in mapping.columns:
        return None

    def opened(row: Row) -> Opened:
        return _opened(row, mapping, request)

    return column_items(stream, request, source, opened, read_mapped, delimiter=mapping.delimiter)


def _opened(row: Row, mapping: ColumnMapping, request: ReadRequest) -> Opened:
    if row.refused is not None:
        raise refuse_file(request, "TEL01", row.refused.what, line=row.line, remedy=row.refused.remedy)
    names = _names(row, mapping)
    return Opened(shape=_shape(mapping, names, request), width=len(names), skipped=row.line if mapping.header else 0)


def _names(row: Row, mapping: ColumnMapping) -> tuple[str, ...]:
    if mapping.header:
        return tuple(cell.strip() for cell in row.cells)
    return tuple(str(number) for number in range(1, len(row.cells) + 1))


def _shape(mapping: ColumnMapping, names: Sequence[str], request: ReadRequest) -> Shape:
    for name in mapping.columns.values():
        if name not in names:
            raise unknown_column(name, names, request)
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        what = f"the column {doubled[0]!r} is there twice"
        raise refuse_file(request, "TEL07", what, line=1, remedy="Name each column once")
    return Shape(
        fields={field: names.index(name) for field, name in mapping.columns.items()},
        ids=named_ids(mapping.record_id, names, request),
        time_format=mapping.time_format,
        answered=mapping.answered,
        per_second=mapping.per_second,
        deletion=mapping.deletion,
    )


MAPPED = Reader(
    format="mapped_csv",
    title="Call detail records in any delimited file, by the columns in the settings of the source",
    kinds=(CALL.name,),
    read=read_mapped,
    read_columns=read_mapped_columns,
)
