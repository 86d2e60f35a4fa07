"""The records of an agreement as they stand in columns: raters see the objects of today, which are made where somebody looks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, overload

import attrs

from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.group import KeyedUsage
from billing_framework.usage.record import AnyUsage
from billing_framework.values.instant import microseconds_of
from billing_framework.values.period import Span

if TYPE_CHECKING:
    from billing_framework.rating.usage_columns import FieldColumn


class RecordColumns(Protocol):
    """Records of one kind of many agreements, in order of subject, start and key within each subject."""

    @property
    def kind(self) -> str:
        """Name of the kind."""
        ...

    @property
    def keys(self) -> Sequence[int]:
        """Key of each record."""
        ...

    @property
    def starts(self) -> Sequence[int]:
        """First instant of each record, in microseconds since 1970 in UTC."""
        ...

    @property
    def ends(self) -> Sequence[int]:
        """Last instant of each record, in the same unit."""
        ...

    @property
    def places(self) -> Mapping[int, int]:
        """Place of each key."""
        ...

    @property
    def has_slots(self) -> bool:
        """Whether some of them speak about what others may speak about, too."""
        ...

    def subject(self, place: int) -> str:
        """Return the subject of a record."""
        ...

    def start(self, place: int) -> datetime:
        """Return the first instant of a record."""
        ...

    def end(self, place: int) -> datetime:
        """Return the last instant of a record."""
        ...

    def claim(self, place: int) -> int:
        """Return what no two documents bill of a carried record: the key of what it speaks about, else its own."""
        ...

    def usages(self, low: int, high: int) -> Iterable[AnyUsage]:
        """Return the records from a place up to another as objects."""
        ...

    def field(self, name: str) -> FieldColumn:
        """Return a field of the body of all records, in a column of its own that nobody else has."""
        ...


@attrs.frozen(kw_only=True, eq=False)
class Stretch:
    """Records of one subject that stand one after the other in columns and that one assignment has guided.

    Attributes:
        columns: the columns.
        low: place of the first record.
        high: the place after the last.
        assignment: the assignment.
    """

    columns: RecordColumns
    low: int
    high: int
    assignment: Assignment

    def __len__(self) -> int:
        return self.high - self.low

    @property
    def kind(self) -> str:
        """Name of the kind."""
        return self.columns.kind

    @property
    def keys(self) -> Sequence[int]:
        """Key of each record."""
        return self.columns.keys[self.low : self.high]

    def records(self) -> Iterator[KeyedUsage]:
        """Yield the records as objects."""
        usages = self.columns.usages(self.low, self.high)
        return (
            KeyedUsage(key=key, usage=usage, assignment=self.assignment) for key, usage in zip(self.keys, usages, strict=True)
        )


def places_in(columns: RecordColumns, low: int, high: int, span: Span, *, overlapping: bool = False) -> list[tuple[int, int]]:
    """Return the places of records of one subject that start in a span, as first places and those after the last.

    Args:
        columns: the columns that they stand in.
        low: place of the first record.
        high: the place after the last.
        span: the span, which is no single instant.
        overlapping: whether records that only reach into it count, too.
    """
    since, before = (microseconds_of(instant) for instant in (span.start, span.end))
    first = bisect_left(columns.starts, since, low, high)
    last = bisect_left(columns.starts, before, first, high)
    found = [(place, place + 1) for place in range(low, first) if columns.ends[place] > since] if overlapping else []
    return [*found, (first, last)] if first < last else found


@attrs.define(eq=False)
class StoredRecords(Sequence[KeyedUsage]):
    """The records of one agreement, in order of kind, subject, start and key; equal to the tuple of their objects.

    Attributes:
        stretches: the records.
        _made: their objects, once somebody has asked for one.
    """

    stretches: tuple[Stretch, ...] = attrs.field(on_setattr=attrs.setters.frozen)
    _made: tuple[KeyedUsage, ...] | None = attrs.field(default=None, init=False, repr=False)

    def __len__(self) -> int:
        return sum([stretch.high - stretch.low for stretch in self.stretches])

    @overload
    def __getitem__(self, place: int) -> KeyedUsage: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[KeyedUsage, ...]: ...
    def __getitem__(self, place: int | slice) -> KeyedUsage | tuple[KeyedUsage, ...]:
        return self._objects()[place]

    def __iter__(self) -> Iterator[KeyedUsage]:
        return iter(self._objects())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StoredRecords | tuple):
            return NotImplemented
        return self._objects() == tuple(other)

    __hash__ = None  # type: ignore[assignment]

    def _objects(self) -> tuple[KeyedUsage, ...]:
        if self._made is None:
            self._made = tuple(record for stretch in self.stretches for record in stretch.records())
        return self._made


Records = Sequence[KeyedUsage]


def of_kinds(records: Records, kinds: Collection[str]) -> Records:
    """Return the records of some kinds: the same object where all are."""
    if not isinstance(records, StoredRecords):
        own = tuple([one for one in records if one.usage.kind in kinds])
        return records if len(own) == len(records) else own
    chosen = tuple(stretch for stretch in records.stretches if stretch.columns.kind in kinds)
    return records if len(chosen) == len(records.stretches) else StoredRecords(chosen)


def kinds_of(records: Records) -> set[str]:
    """Return the names of the kinds of records."""
    if isinstance(records, StoredRecords):
        return {stretch.columns.kind for stretch in records.stretches}
    return {record.usage.kind for record in records}


def keys_of(records: Records) -> Iterator[int]:
    """Yield the keys of records."""
    if isinstance(records, StoredRecords):
        for stretch in records.stretches:
            yield from stretch.keys
    else:
        for record in records:
            yield record.key
