"""Keeps files of tax rates as they were loaded; which rates hold follows from the newest text of each file."""

from __future__ import annotations

import functools
import hashlib
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.master.loaded_text import as_loaded
from billing_framework.storage.master.master_tables import tax_file
from billing_framework.taxing.tax_file import read_tax_rates
from billing_framework.taxing.tax_rate import TaxRate
from billing_framework.values.errors import StorageError


@attrs.frozen(kw_only=True)
class LoadedTaxes:
    """A version of a file of tax rates.

    Attributes:
        name: name of the set of rates, which is the file's name without its ending.
        version: 1 for the first, counted up with every changed file.
        rates: the rates.
        sha256: digest of the file as hex.
        source: text of the file.
        reason: why it replaced the version before it.
        loaded_at: when; from then on it is known.
        loaded_by: who.
    """

    name: str
    version: int
    rates: tuple[TaxRate, ...]
    sha256: str
    source: str
    reason: str
    loaded_at: datetime
    loaded_by: str


def loaded_taxes(connection: Connection, *, known_at: datetime | None = None) -> dict[str, LoadedTaxes]:
    """Return the newest version of each set of rates, by name.

    Args:
        connection: a connection.
        known_at: only versions loaded at or before this instant, where given.
    """
    query = sa.select(tax_file).order_by(tax_file.c.name, tax_file.c.version)
    if known_at is not None:
        query = query.where(tax_file.c.loaded_at <= known_at)
    newest = {row.name: row for row in connection.execute(query)}
    return {name: _loaded(row) for name, row in newest.items()}


def load_tax_rates(connection: Connection, *, known_at: datetime | None = None) -> tuple[TaxRate, ...]:
    """Return all tax rates that are known, by set and in the order of their files; arguments as `loaded_taxes`."""
    return tuple(rate for taxes in loaded_taxes(connection, known_at=known_at).values() for rate in taxes.rates)


def add_tax_file(connection: Connection, name: str, source: str, *, version: int, reason: str, now: datetime, actor: str) -> None:
    """Add a version of a set of rates; the versions before it stay."""
    connection.execute(
        tax_file.insert().values(
            name=name,
            version=version,
            sha256=hashlib.sha256(source.encode()).digest(),
            source=source,
            reason=reason,
            loaded_at=now,
            loaded_by=actor,
        )
    )


def _loaded(row: sa.Row[tuple[object, ...]]) -> LoadedTaxes:
    source = as_loaded(row.source, row.sha256, f"the tax rates {row.name}")
    fields: dict[str, Any] = {field.name: getattr(row, field.name, None) for field in attrs.fields(LoadedTaxes)}
    return LoadedTaxes(**(fields | {"sha256": row.sha256.hex(), "rates": _rates(source, row.name)}))


@functools.lru_cache(maxsize=64)
def _rates(source: str, name: str) -> tuple[TaxRate, ...]:
    read = read_tax_rates(source.encode(), file=f"taxes {name} as loaded")
    if read.findings:
        raise StorageError(
            "TAX33",
            f"the stored tax rates {name} can no longer be read: {read.findings[0]}",
            remedy="Load the corrected file again; if this version no longer understands it, see the changelog",
        )
    return read.rates
