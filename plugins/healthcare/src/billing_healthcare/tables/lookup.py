"""Finding a row of a rate table by code and modifiers; the index of a version is made once."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from datetime import date
from fractions import Fraction

from billing_framework import RateTable
from billing_healthcare.tables.rows import ChargeRow, FactorRow, FeeRow, LocalityRow, ValueRow

OWN_ROW_MODIFIERS = ("TC", "26", "53")
"""Modifiers for which the federal schedule has rows of their own."""


@functools.lru_cache(maxsize=64)
def _by_code(table: RateTable) -> dict[tuple[str, str], ChargeRow | FeeRow]:
    return {(row.code, row.modifier): row for row in table.rows}


@functools.lru_cache(maxsize=64)
def _values(table: RateTable) -> dict[tuple[str, str], ValueRow]:
    return {(row.hcpcs, row.mod): row for row in table.rows}


@functools.lru_cache(maxsize=64)
def _localities(table: RateTable) -> dict[str, LocalityRow]:
    return {f"{row.mac}/{row.locality}": row for row in table.rows}


def priced_row(table: RateTable, code: str, modifiers: Sequence[str]) -> ChargeRow | FeeRow | None:
    """Return the row of a charge master or fee schedule: that of the first modifier which has one, else that without modifier."""
    rows = _by_code(table)
    return next((rows[code, modifier] for modifier in (*modifiers, "") if (code, modifier) in rows), None)


def value_row(table: RateTable, code: str, modifiers: Sequence[str]) -> ValueRow | None:
    """Return the relative values of a code: the row of its part (TC, 26, 53) where there is one, else the whole."""
    rows = _values(table)
    named = [modifier for modifier in OWN_ROW_MODIFIERS if modifier in modifiers]
    return next((rows[code, modifier] for modifier in (*named, "") if (code, modifier) in rows), None)


def locality_row(table: RateTable, locality: str) -> LocalityRow | None:
    """Return the factors of a locality, named as contractor and number: ``13202/01``."""
    return _localities(table).get(locality)


def conversion_factor(table: RateTable, on: date, *, is_qualifying: bool) -> Fraction | None:
    """Return the conversion factor of a date for a qualifying participant or another, None where there is none."""
    kinds = ("any", "qualifying" if is_qualifying else "other")
    rows: list[FactorRow] = [
        row
        for row in table.rows
        if row.participant in kinds and row.starts_on <= on and (row.ends_on is None or on < row.ends_on)
    ]
    return rows[0].factor if rows else None
