"""Stored records of one kind as columns, as the driver gave them: numbers for columnar raters, objects where somebody asks."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.many import chunks
from billing_framework.storage.usage.kind_table import SLOT, KindTable
from billing_framework.storage.usage.rows import among, subject_names, with_keys
from billing_framework.usage.kind_fields import MARK
from billing_framework.usage.record import AnyUsage, Usage
from billing_framework.usage.withheld import withheld_value
from billing_framework.values.errors import UNREADABLE, StorageError, unreadable
from billing_framework.values.period import Span

if TYPE_CHECKING:
    from billing_framework.rating.usage_columns import FieldColumn

Reading = Callable[[Any], Any]
"""Makes the value of a column of what the driver gives."""

_ENVELOPE = ("source", "external_id", "subject_id", "start_at", "end_at", "slot", "version")


def _frozen(some: Mapping[Any, Any]) -> Mapping[Any, Any]:
    return MappingProxyType(dict(some))


@attrs.frozen(kw_only=True, eq=False)
class StoredColumns:
    """Records of one kind, ordered by subject id, start and key; their personal fields are withheld.

    Raters get a hold of them, so whatever has a name here cannot be changed.

    Attributes:
        derived: the kind with its table.
        subjects: subject id to subject.
        stored: name of a column to its values in the form of the driver.
        readings: name of a column to what makes values of that form, None where the driver does.
    """

    derived: KindTable
    subjects: Mapping[int, str] = attrs.field(converter=_frozen)
    stored: Mapping[str, Sequence[Any]] = attrs.field(converter=_frozen)
    readings: Mapping[str, Reading | None] = attrs.field(converter=_frozen)
    _known: dict[str, dict[Any, Any]] = attrs.field(factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def kind(self) -> str:
        """Name of the kind."""
        return self.derived.kind.name

    @property
    def keys(self) -> Sequence[int]:
        """Key of each record."""
        return self.stored["key"]

    @property
    def starts(self) -> Sequence[int]:
        """First instant of each record, in microseconds since 1970 in UTC."""
        return self.stored["start_at"]

    @property
    def ends(self) -> Sequence[int]:
        """Last instant of each record, in microseconds since 1970 in UTC."""
        return self.stored["end_at"]

    @functools.cached_property
    def digests(self) -> Sequence[bytes]:
        """Digest of the content of each record when it was taken in."""
        return tuple([bytes(digest) for digest in self.stored["digest"]])

    @property
    def batches(self) -> Sequence[int]:
        """Number of the batch that brought each record."""
        return self.stored["batch_id"]

    @property
    def marks(self) -> Sequence[bytes]:
        """Keyed digest of the personal fields of each record, empty for kinds without."""
        return [bytes(mark) for mark in self.stored[MARK]] if self.derived.personal else [b""] * len(self)

    @functools.cached_property
    def places(self) -> Mapping[int, int]:
        """Place of each key."""
        return MappingProxyType(dict(zip(self.keys, range(len(self)), strict=True)))

    @functools.cached_property
    def spans(self) -> Mapping[str, tuple[int, int]]:
        """First place of the records of each subject, and the one after the last."""
        found, low = {}, 0
        for subject, same in groupby(self.stored["subject_id"]):
            high = low + sum(1 for _ in same)
            found[self.subjects[subject]] = (low, high)
            low = high
        return MappingProxyType(found)

    @functools.cached_property
    def has_slots(self) -> bool:
        """Whether some of them speak about what others may speak about, too."""
        return any(self.stored["slot"])

    def subject(self, place: int) -> str:
        """Return the subject of a record."""
        return self.subjects[self.stored["subject_id"][place]]

    def start(self, place: int) -> datetime:
        """Return the first instant of a record."""
        (instant,) = self._told("start_at", place, place + 1)
        return instant  # type: ignore[no-any-return]

    def end(self, place: int) -> datetime:
        """Return the last instant of a record."""
        (instant,) = self._told("end_at", place, place + 1)
        return instant  # type: ignore[no-any-return]

    def claim(self, place: int) -> int:
        """Return what no two documents bill of a carried record: the stored key of what it speaks about, else its own."""
        return (self.stored[SLOT][place] if self.derived.kind.carried else 0) or self.keys[place]

    def usages(self, low: int = 0, high: int | None = None) -> Iterator[AnyUsage]:
        """Yield the records from a place up to another as objects, equal to those of `KindTable.usage`, with the same errors."""
        try:
            yield from self._usages(low, len(self) if high is None else high)
        except UNREADABLE as error:
            raise unreadable(f"usage record of the kind {self.kind}") from error

    def _usages(self, low: int, high: int) -> Iterator[AnyUsage]:
        fields = self.derived.fields
        values = [
            [withheld_value(field)] * (high - low) if field.personal else self._told(field.name, low, high) for field in fields
        ]
        names = [field.name for field in fields]
        bodies = zip(*values, strict=True) if values else [()] * (high - low)
        envelope = zip(*(self._told(name, low, high) for name in _ENVELOPE), strict=True)
        spans: dict[tuple[datetime, datetime], Span] = {}
        for body, (source, external_id, subject, start, end, slot, version) in zip(bodies, envelope, strict=True):
            yield Usage(
                kind=self.kind,
                source=source,
                external_id=external_id,
                subject=self.subjects[subject],
                span=spans.get((start, end)) or spans.setdefault((start, end), Span(start, end)),
                slot=slot,
                version=version,
                body=self.derived.kind.body(**dict(zip(names, body, strict=True))),
            )

    def field(self, name: str) -> FieldColumn:
        """Return a field of the body of all records as a column of numbers."""
        from billing_framework.storage.usage.field_columns import stored_field, withheld_field  # noqa: PLC0415  numpy

        (field,) = (field for field in self.derived.fields if field.name == name)
        if field.personal:
            return withheld_field(field, withheld_value(field), len(self))
        try:
            return stored_field(field, self.stored[name])
        except UNREADABLE as error:
            raise unreadable(f"usage record of the kind {self.kind}") from error

    def _told(self, name: str, low: int, high: int) -> Sequence[Any]:
        """Return values of a column; what repeats in it is converted once."""
        values, convert = self.stored[name][low:high], self.readings[name]
        if convert is None:
            return values
        known = self._known.setdefault(name, {None: None})
        for value in set(values).difference(known):
            known[value] = convert(value)
        return [known[value] for value in values]


def read_columns(connection: Connection, derived: KindTable, query: sa.Select[Any], subjects: Mapping[int, str]) -> StoredColumns:
    """Return the records of many subjects that a query finds.

    Args:
        connection: a connection with one snapshot.
        derived: their kind with its table.
        query: the query, which selects the columns of `KindTable.query`.
        subjects: subject id to subject.

    Raises:
        StorageError: ``STORAGE24`` for a second row for a key: somebody added it, and it would be billed.
    """
    columns = derived.table.c
    ordered = query.order_by(columns.subject_id, columns.start_at)  # as the index has them; few start together
    rows = _rows(connection, subjects, among(ordered, columns.subject_id))
    found = _columns(connection, derived, rows, subjects)
    starts_together = any(map(operator.eq, found.starts, found.starts[1:]))
    return _in_order(found, rows) if starts_together else found


def _rows(connection: Connection, wanted: Iterable[int], query: Callable[[list[int]], sa.Select[Any]]) -> list[Sequence[Any]]:
    """Return rows in the form of the driver, of which nearly nothing is ever converted."""
    rows: list[Sequence[Any]] = []
    for some in chunks(wanted):
        result = connection.execute(query(some))
        if result.cursor is not None:
            rows += result.cursor.fetchall()
        result.close()
    return rows


def read_keys(connection: Connection, derived: KindTable, keys: Iterable[int]) -> StoredColumns:
    """Return the records of a kind that are stored under some keys, superseded or not; keys without a row are left out.

    Args:
        connection: a connection with one snapshot.
        derived: their kind with its table.
        keys: the keys.
    """
    rows = _rows(connection, keys, with_keys(derived.query, derived.table))
    found = _columns(connection, derived, rows, {})
    names = subject_names(connection, found.stored["subject_id"])
    named = attrs.evolve(found, subjects={one: names.get(one, "") for one in found.stored["subject_id"]})
    return _in_order(named, rows)


def joined(one: StoredColumns, other: StoredColumns) -> StoredColumns:
    """Return the records of two readings of a kind together; those that both have once."""
    rows = [*_rows_of(one), *(row for key, row in zip(other.keys, _rows_of(other), strict=True) if key not in one.places)]
    return _in_order(attrs.evolve(one, subjects={**one.subjects, **other.subjects}), rows)


def _rows_of(columns: StoredColumns) -> Iterator[tuple[Any, ...]]:
    return zip(*columns.stored.values(), strict=True)


def _in_order(columns: StoredColumns, rows: Iterable[Sequence[Any]]) -> StoredColumns:
    """Return columns of some rows instead, ordered by subject id, start and key."""
    names = list(columns.stored)
    place = operator.itemgetter(*(names.index(name) for name in ("subject_id", "start_at", "key")))
    ordered = sorted(rows, key=place)
    return attrs.evolve(columns, stored=dict(zip(names, zip(*ordered, strict=True), strict=True))) if ordered else columns


def _columns(
    connection: Connection, derived: KindTable, rows: Sequence[Sequence[Any]], subjects: Mapping[int, str]
) -> StoredColumns:
    selected = list(derived.query.selected_columns)
    listed = list(zip(*rows, strict=True)) if rows else [()] * len(selected)
    choices = {field.name: field.choices for field in derived.fields if field.choices is not None}
    found = StoredColumns(
        derived=derived,
        subjects=subjects,
        stored={column.name: values for column, values in zip(selected, listed, strict=True)},
        readings={column.name: choices.get(column.name) or _reading(connection, column) for column in selected},
    )
    if len(found.places) < len(found):
        raise _stored_twice(found)
    return found


def _reading(connection: Connection, column: sa.ColumnElement[Any]) -> Reading | None:
    return column.type.dialect_impl(connection.dialect).result_processor(connection.dialect, None)


def _stored_twice(found: StoredColumns) -> StorageError:
    place = next(place for place, key in enumerate(found.keys) if found.places[key] != place)
    name, source = found.stored["external_id"][place], found.stored["source"][place]
    return StorageError(
        "STORAGE24",
        f"the usage record {name!r} of source {source} is stored twice",
        remedy="Find out who added a row behind the program's back, and restore the table from a backup",
    )
