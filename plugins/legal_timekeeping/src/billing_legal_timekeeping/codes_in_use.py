"""Which codes a client uses, what they are called, and what is done about others."""

from __future__ import annotations

import enum
import functools
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from importlib import resources
from types import MappingProxyType

import attrs

from billing_framework import RateTable, ValueRefused
from billing_legal_timekeeping.tables import CodeRow, CodeSort, holds


class UnknownCodes(enum.Enum):
    """What is done about a code that is in no set: ``HOLD`` the bill, ``WARN``, or ``IGNORE`` it."""

    HOLD = "hold"
    WARN = "warn"
    IGNORE = "ignore"


@attrs.frozen
class CodesInUse:
    """The codes that an entry may bear on a day.

    Attributes:
        labels: sort and code to label.
    """

    labels: Mapping[tuple[CodeSort, str], str]

    def knows(self, sort: CodeSort, code: str) -> bool:
        """True where the code may be used, or there is no set of its sort to say otherwise."""
        return (sort, code) in self.labels or all(known is not sort for known, _ in self.labels)

    def shown(self, sort: CodeSort, code: str) -> str:
        """Return a code with its label, as a bill shows it."""
        return " ".join(part for part in (code, self.labels.get((sort, code), "")) if part)


SHIPPED = ("litigation", "ediscovery", "counseling", "bankruptcy", "project", "activities", "expenses", "classes")
"""Names of the sets that come with the plugin."""


def known_sets(_params: object, field: attrs.Attribute[tuple[str, ...]], names: tuple[str, ...]) -> None:
    """Refuse names of sets that do not come with the plugin; written for attrs validators."""
    for name in names:
        if name not in SHIPPED:
            raise ValueRefused(
                "LEGAL06",
                f"{field.name}: {name!r} is no set of codes",
                remedy=f"Known are: {', '.join(SHIPPED)}; load others as a table",
            )


@functools.cache
def shipped_set(name: str) -> tuple[CodeRow, ...]:
    """Return the codes of a set that comes with the plugin."""
    file = resources.files("billing_legal_timekeeping.code_sets") / f"{name}.toml"
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    sort = CodeSort(tables["sort"])
    return tuple(CodeRow(sort=sort, code=code, label=label) for code, label in tables["codes"].items())


def codes_in_use(names: Sequence[str], table: RateTable | None, day: date) -> CodesInUse:
    """Return the codes that may be used on a day.

    Args:
        names: sets that come with the plugin.
        table: a client's own set, which takes the place of all shipped ones; None without one.
        day: date of the entry.
    """
    return _of_sets(tuple(names)) if table is None else _of_table(table, day)


@functools.lru_cache(maxsize=512)
def _of_table(table: RateTable, day: date) -> CodesInUse:
    return CodesInUse(MappingProxyType({(row.sort, row.code): row.label for row in table.rows if holds(row, day)}))


@functools.cache
def _of_sets(names: tuple[str, ...]) -> CodesInUse:
    return CodesInUse(MappingProxyType({(row.sort, row.code): row.label for name in names for row in shipped_set(name)}))
