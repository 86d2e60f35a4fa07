"""Rate tables: dated, versioned lists of prices that are too long for a price plan.

A plan's component names a table by its code; which version prices which date is chosen like the version of a plan.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NewType

import attrs

from billing_framework.rating.in_force import in_force
from billing_framework.values.finding import Finding

if TYPE_CHECKING:  # numpy, only where columns are used
    from billing_framework.rating.rate_table_columns import CodedColumn, RowColumns

RateTableName = NewType("RateTableName", str)
"""Code of a rate table; a field of this type in the parameters of a charge model tells the core which tables a plan reads."""

KIND = "rate_table_kind"
"""Key in a parameter field's metadata under which `rate_table_field` keeps the kind that the table must be of."""


@attrs.frozen(kw_only=True, eq=False)
class RateTable:
    """One version of a rate table. Two are equal only where they are one object, so that what is derived can be kept by table.

    Its rows are there as objects and as columns, whichever way they were read; what is not asked for is not made.

    Attributes:
        code: code of the table; plans name it.
        version: label of the version, unique in the table.
        kind: name of its `RateTableKind`.
        valid_from: first service date that it prices.
        valid_to: the date after the last, or None for open end: until a later version begins.
        currency: ISO 4217 code of its prices, empty where the plan's currency applies.
        supersedes: label of the version that this one corrects, or empty.
        given: instances of the kind's row class in the order of the file, or the same as columns; passed as ``rows``.
        sha256: hex digest of all of the above; the manifest of a bill pins it.
    """

    code: str
    version: str
    kind: str
    valid_from: date
    valid_to: date | None = None
    currency: str = ""
    supersedes: str = ""
    given: tuple[Any, ...] | RowColumns = attrs.field(default=(), repr=False, alias="rows")
    sha256: str = ""

    @property
    def name(self) -> str:
        """Return ``code@version``, which pins a charge to its prices."""
        return f"{self.code}@{self.version}"

    @functools.cached_property
    def rows(self) -> tuple[Any, ...]:
        """Return instances of the kind's row class, in the order of the file."""
        return self.given if isinstance(self.given, tuple) else self.given.rows()

    @functools.cached_property
    def columns(self) -> Mapping[str, CodedColumn]:
        """Return the fields of the rows by name, none where there are no rows."""
        if not isinstance(self.given, tuple):
            return self.given.fields
        from billing_framework.rating.rate_table_columns import RowColumns  # noqa: PLC0415  numpy, only where columns are used

        return RowColumns.of(self.given).fields if self.given else {}

    def row(self, place: int) -> Any:
        """Return the row at a place; only this one is made."""
        return self.given[place] if isinstance(self.given, tuple) else self.given.at(place)

    @property
    def size(self) -> int:
        """Return the number of rows."""
        return len(self.given) if isinstance(self.given, tuple) else self.given.size


@attrs.frozen(kw_only=True)
class RateTableKind:
    """A kind of rate table that a plugin offers; files of it are CSV with one column per field of `row`.

    Attributes:
        name: unique name, with the plugin's prefix: ``example.prices``.
        title: one line for people.
        row: frozen attrs class of a row. Field types: ``str``, ``int``, ``bool``, ``Fraction``, ``date``, an ``Enum`` of texts,
            each also ``| None``; a field with a default is an optional column.
        key: fields that together name a row; two rows of a version never share them.
        prices: fields that a comparison of two versions calls dearer or cheaper.
        remarks: fields that price nothing, such as a note; a comparison of two versions leaves them out.
        check: what is wrong with the rows of a version beyond types and keys (overlaps, gaps), as findings; they name a row
            by its position from 1 in ``line``, which the core turns into the line of the file. None where the types say it all.
    """

    name: str
    title: str
    row: type
    key: tuple[str, ...]
    prices: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    check: Callable[[RateTable], tuple[Finding, ...]] | None = None


def rate_table_field(kind: str, *, default: Any = attrs.NOTHING) -> Any:
    """Return the attrs field of a charge model's parameter that names a rate table of one kind.

    Args:
        kind: name of the kind; a plan that names a table of another kind is refused.
        default: code of the table where the plan names none; the parameter is required where it is left out.
    """
    return attrs.field(default=default, metadata={KIND: kind})


def table_on(tables: Sequence[RateTable], code: str, on: date) -> RateTable | None:
    """Return the version of a table that prices a date, None where none or more than one does.

    Args:
        tables: versions of this and other tables.
        code: code of the table.
        on: a service date.
    """
    found = in_force((one for one in tables if one.code == code), on)
    return found[0] if len(found) == 1 else None
