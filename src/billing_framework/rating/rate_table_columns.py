"""The rows of a rate table as columns: the different values of each field, and which of them each row has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import attrs
import numpy as np

from billing_framework.values.columns import LIMIT, Integers


@attrs.frozen(eq=False)
class CodedColumn:
    """A field of the rows of a rate table.

    Attributes:
        values: its different values; the same value may stand here several times where a file writes it in several ways.
        codes: place in `values` of the value of each row.
    """

    values: tuple[Any, ...]
    codes: Integers

    @classmethod
    def of(cls, values: Sequence[Any]) -> Self:
        """Return the column of values, one per row."""
        places: dict[Any, int] = {}
        codes = [places.setdefault(value, len(places)) for value in values]
        return cls(tuple(places), np.array(codes, dtype=np.int64))

    @classmethod
    def same(cls, value: Any, size: int) -> Self:
        """Return the column of a value that all rows have."""
        return cls((value,), np.zeros(size, dtype=np.int64))

    def rows_of(self, value: Any) -> Integers:
        """Return the places of the rows that have a value."""
        has_it = np.array([one == value for one in self.values], dtype=bool)
        return np.flatnonzero(has_it[self.codes])

    def recoded(self) -> Self:
        """Return the same column with no value twice."""
        if len(set(self.values)) == len(self.values):
            return self
        own = type(self).of(self.values)
        return type(self)(own.values, own.codes[self.codes])


@attrs.frozen(kw_only=True, eq=False)
class RowColumns:
    """The rows of a rate table.

    Attributes:
        row: class of a row.
        size: number of rows.
        fields: the fields of that class by name.
    """

    row: type
    size: int
    fields: Mapping[str, CodedColumn]

    @classmethod
    def of(cls, rows: Sequence[Any]) -> Self:
        """Return rows of one class, at least one, as columns."""
        kind = type(rows[0])
        names = [field.name for field in attrs.fields(kind)]
        fields = {name: CodedColumn.of([getattr(row, name) for row in rows]) for name in names}
        return cls(row=kind, size=len(rows), fields=fields)

    def at(self, place: int) -> Any:
        """Return the row at a place."""
        return self.row(**{name: column.values[column.codes[place]] for name, column in self.fields.items()})

    def rows(self) -> tuple[Any, ...]:
        """Return all rows."""
        columns = [map(column.values.__getitem__, column.codes.tolist()) for column in self.fields.values()]
        return tuple([self.row(**dict(zip(self.fields, values, strict=True))) for values in zip(*columns, strict=True)])

    def are_distinct(self, names: Sequence[str]) -> bool:
        """Return whether no two rows have the same values in all of some fields."""
        key, reach = np.zeros(self.size, dtype=np.int64), 1
        for name in names:
            column = self.fields[name].recoded()
            if reach * len(column.values) >= LIMIT:  # small numbers again, so that the next ones fit beside them
                key, reach = np.unique(key, return_inverse=True)[1], self.size
            key, reach = key * len(column.values) + column.codes, reach * len(column.values)
        ordered = np.sort(key)
        return bool((ordered[1:] != ordered[:-1]).all())
