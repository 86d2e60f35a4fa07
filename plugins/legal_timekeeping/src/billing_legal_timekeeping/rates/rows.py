"""Finds the rows of a rate table that speak about an entry: by level, without a look at every row."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping

import attrs

from billing_framework import RateTable
from billing_legal_timekeeping.rates.facts import Work
from billing_legal_timekeeping.tables import DIMENSIONS, RateRow, holds

_PATTERNS = ("task", "activity")


@attrs.frozen
class Row:
    """A row with its place in the table.

    Attributes:
        number: 1-based place.
        row: the row.
        level: the dimensions that it fills.
    """

    number: int
    row: RateRow
    level: frozenset[str]

    def __str__(self) -> str:
        filled = [name for name in DIMENSIONS if name in self.level]
        said = f"{'+'.join(filled)}: {' '.join(getattr(self.row, name) for name in filled)}" if filled else "everybody"
        until = f" to {self.row.ends_on}" if self.row.ends_on else ""
        return f"row {self.number} ({said}, from {self.row.starts_on}{until})"


@attrs.frozen
class _Level:
    """The rows that fill the same dimensions: by their values, and those with patterns apart."""

    names: tuple[str, ...]
    by_value: Mapping[tuple[str, ...], tuple[Row, ...]]
    patterns: tuple[Row, ...]


@functools.lru_cache(maxsize=32)
def _levels(table: RateTable) -> tuple[_Level, ...]:
    exact: dict[tuple[str, ...], dict[tuple[str, ...], list[Row]]] = {}
    patterns: dict[tuple[str, ...], list[Row]] = {}
    for number, row in enumerate(table.rows, start=1):
        names = tuple(name for name in DIMENSIONS if getattr(row, name))
        found = Row(number, row, frozenset(names))
        by_value = exact.setdefault(names, {})
        if any(getattr(row, name).endswith("*") for name in _PATTERNS):
            patterns.setdefault(names, []).append(found)
        else:
            by_value.setdefault(tuple(getattr(row, name) for name in names), []).append(found)
    return tuple(
        _Level(names, {key: tuple(rows) for key, rows in by_value.items()}, tuple(patterns.get(names, ())))
        for names, by_value in exact.items()
    )


def rows_for(table: RateTable, work: Work) -> Iterator[Row]:
    """Yield the rows in force that speak about an entry, level by level, each level in the order of the file.

    Args:
        table: the version of the rate table.
        work: the entry.
    """
    for level in _levels(table):
        choices = [work.values.get(name, ()) for name in level.names]
        found = [row for values in itertools.product(*choices) for row in level.by_value.get(values, ())]
        found += [row for row in level.patterns if _fits(row.row, level.names, work)]
        yield from sorted((row for row in found if holds(row.row, work.on)), key=lambda row: row.number)


def _fits(row: RateRow, names: tuple[str, ...], work: Work) -> bool:
    for name in names:
        wanted, given = getattr(row, name), work.values.get(name, ())
        if wanted.endswith("*") and name in _PATTERNS:
            if not any(value.startswith(wanted[:-1]) for value in given):
                return False
        elif wanted not in given:
            return False
    return True
