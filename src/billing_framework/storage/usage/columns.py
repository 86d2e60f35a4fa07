"""The current usage records of many subjects as columns: what `load_current` gives, without an object per record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.rating.gather_columns import text_column
from billing_framework.rating.usage_columns import FieldColumn
from billing_framework.storage.many import chunks
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.packed import pack
from billing_framework.storage.packed_columns import unpack_columns
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.load import current_records
from billing_framework.storage.usage.rows import among
from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.withheld import withheld_value
from billing_framework.values.columns import Column, Integers, narrowed
from billing_framework.values.local_columns import microseconds
from billing_framework.values.number import exact
from billing_framework.values.period import Span

_EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
_NEVER = 2**62
_ENVELOPE = ("key", "subject_id", "start_at", "end_at", "digest", "batch_id")


@attrs.frozen(kw_only=True, eq=False)
class StoredColumns:
    """Records of one kind, ordered by subject id, start and key.

    Attributes:
        keys: key of each record.
        subject: its identifier of the field.
        start: its first instant, in microseconds since 1970 in UTC.
        end: its last instant.
        digests: digest of its content when it was taken in.
        batches: number of the batch that brought it.
        fields: fields of its body by name.
    """

    keys: Integers
    subject: FieldColumn
    start: Integers
    end: Integers
    digests: tuple[bytes, ...]
    batches: Integers
    fields: dict[str, FieldColumn]

    def __len__(self) -> int:
        return len(self.keys)


def load_columns(
    connection: Connection,
    derived: KindTable,
    wanted: Mapping[str, Sequence[Span]],
    *,
    up_to_batch: int,
    fields: Sequence[str],
) -> StoredColumns:
    """Return the current records of one kind that share an instant with a span of their subject; see `load_current`.

    Args:
        connection: a connection with one snapshot.
        derived: the usage kind with its table.
        wanted: subject to the spans of interest.
        up_to_batch: number of the newest batch that counts.
        fields: names of the fields of its body that are needed.
    """
    ids = {subject_id(subject): subject for subject in wanted}
    known = {field.name: field for field in derived.fields}
    needed = [known[name] for name in fields]
    rows = _kept(list(_rows(connection, derived, wanted, up_to_batch, needed)), ids, wanted)
    listed = list(zip(*rows, strict=True)) if rows else [()] * (len(_ENVELOPE) + len(needed))
    keys, subjects, starts, ends, digests, batches, *bodies = listed
    return StoredColumns(
        keys=_whole(keys),
        subject=text_column([ids[subject] for subject in subjects]),
        start=_whole(starts),
        end=_whole(ends),
        digests=tuple(bytes(digest) for digest in digests),
        batches=_whole(batches),
        fields={field.name: _field(field, values) for field, values in zip(needed, bodies, strict=True)},
    )


def _rows(
    connection: Connection,
    derived: KindTable,
    wanted: Mapping[str, Sequence[Span]],
    up_to_batch: int,
    needed: Sequence[BodyField],
) -> Iterator[Sequence[Any]]:
    """Yield rows as the driver gives them, for instants, digests and packed numbers need no objects here."""
    spans = [span for some in wanted.values() for span in some]
    if not spans:
        return
    columns = derived.table.c
    first, last = min(span.start for span in spans), max(span.end for span in spans)
    shown: list[sa.ColumnElement[Any]] = [columns[name] for name in _ENVELOPE]
    shown += [sa.null().label(field.name) if field.personal else columns[field.name] for field in needed]
    query = current_records(derived, up_to_batch).where(columns.start_at < last, columns.end_at >= first)
    query = query.with_only_columns(*shown, maintain_column_froms=True)
    query = query.order_by(columns.subject_id, columns.start_at, columns.key)
    for some in chunks(subject_id(subject) for subject in wanted):
        cursor = connection.execute(among(query, columns.subject_id)(some)).cursor
        if cursor is not None:
            yield from cursor.fetchall()


def _kept(rows: list[Sequence[Any]], ids: Mapping[int, str], wanted: Mapping[str, Sequence[Span]]) -> list[Sequence[Any]]:
    """Return the rows that share an instant with a span of their subject; an instant alone counts where it lies in one."""
    if not rows:
        return rows
    bounds = {
        key: [(microseconds(span.start), microseconds(span.end)) for span in wanted[subject]] for key, subject in ids.items()
    }
    most = max(len(some) for some in bounds.values())
    subjects, starts, ends = (_whole([row[place] for row in rows]) for place in (1, 2, 3))
    found: npt.NDArray[np.bool_] = np.zeros(len(rows), dtype=bool)
    order = np.array(sorted(bounds), dtype=np.int64)
    for number in range(most):  # the first span of each subject, then the second
        edges = np.array([_nth(bounds[key], number) for key in order.tolist()], dtype=np.int64)
        low, high = edges[np.searchsorted(order, subjects)].T
        # An instant alone lies in a span that holds it; two spans share an instant where each begins before the other ends.
        inside = np.where(starts == ends, (low <= starts) & (starts < high), (starts < high) & (low < ends))
        found |= np.where(low == high, (starts <= low) & (low < ends), inside)
    return [rows[place] for place in np.flatnonzero(found).tolist()]


def _nth(spans: Sequence[tuple[int, int]], number: int) -> tuple[int, int]:
    return spans[number] if number < len(spans) else (_NEVER, _NEVER)


def _field(field: BodyField, values: Sequence[Any]) -> FieldColumn:
    """Return the column of a field from the values that the driver gave."""
    missing = np.array([value is None for value in values], dtype=bool) if field.optional and not field.personal else None
    if field.personal:
        told = withheld_value(field)
        missing = None if told is not None else np.ones(len(values), dtype=bool)
        values = [told] * len(values)
    if field.sort in (Sort.TEXT, Sort.CHOICE):
        texts = text_column(["" if value is None else value for value in values])
        return attrs.evolve(texts, missing=missing)
    if field.sort is Sort.EXACT:
        numbers = Column.of([0 if value is None else exact(value) for value in values])
        return FieldColumn(numbers=numbers.numbers, scale=numbers.scale, missing=missing)
    if field.sort is Sort.WHOLES:
        packed, starts = unpack_columns([pack(()) if value is None else bytes(value) for value in values])
        return FieldColumn(numbers=packed, starts=starts, missing=missing)
    if field.sort is Sort.DAY:
        return FieldColumn(numbers=_whole([_day(value) for value in values]), missing=missing)
    return FieldColumn(numbers=_whole([0 if value is None else int(value) for value in values]), missing=missing)


def _day(value: str | dt.date | None) -> int:
    if value is None:
        return 0
    day = dt.date.fromisoformat(value) if isinstance(value, str) else value
    return day.toordinal() - _EPOCH_DAY


def _whole(values: Sequence[int]) -> Integers:
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        return narrowed(values)
