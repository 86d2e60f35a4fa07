"""The rate tables of the trade: people, prices of an hour, prices of the firm's own costs, sets of codes."""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import attrs

from billing_framework import Finding, RateTable, RateTableKind, Severity

DIMENSIONS = (
    "timekeeper",
    "classification",
    "group",
    "office",
    "client",
    "client_group",
    "matter",
    "practice",
    "task",
    "activity",
)
"""What a price of an hour may depend on."""


@attrs.frozen(kw_only=True)
class Timekeeper:
    """A person who records time, from one date to another.

    Attributes:
        code: code of the person; entries carry it.
        surname: family name.
        first_name: given name.
        classification: class by which the person is billed: ``PARTNR``, ``ASSOC``.
        groups: groups that the person belongs to, with blanks between them.
        office: the person's office, or empty.
        starts_on: first date on which this holds.
        ends_on: the date after the last, or empty while it holds.
    """

    code: str
    surname: str
    first_name: str = ""
    classification: str
    groups: str = ""
    office: str = ""
    starts_on: date
    ends_on: date | None = None

    @property
    def name(self) -> str:
        """``Surname, First``, as documents print it."""
        return ", ".join(part for part in (self.surname, self.first_name) if part)


class RateSort(enum.Enum):
    """What the value of a row is.

    ``ABSOLUTE`` the price of an hour; ``PERCENT`` of the standard rate; ``AMOUNT_OFF`` the standard rate; ``CEILING`` and
    ``FLOOR`` limits of whatever price is found.
    """

    ABSOLUTE = "absolute"
    PERCENT = "percent"
    AMOUNT_OFF = "amount_off"
    CEILING = "ceiling"
    FLOOR = "floor"


@attrs.frozen(kw_only=True)
class RateRow:
    """A price of an hour; the dimensions that are filled say for whom and what, empty ones do not matter.

    Attributes:
        timekeeper: code of the person.
        classification: class of the person.
        group: group that the person belongs to.
        office: the person's office.
        client: code of the client.
        client_group: group of clients, as the agreement's terms say it.
        matter: the firm's code of the matter.
        practice: practice area, as the agreement's terms say it.
        task: task code; ``L1*`` stands for all that begin so.
        activity: activity code; ``A10*`` stands for all that begin so.
        sort: what `value` is.
        value: price of an hour in major units, a percent, or an amount.
        starts_on: first date of work that it prices.
        ends_on: the date after the last, or empty for open end.
    """

    timekeeper: str = ""
    classification: str = ""
    group: str = ""
    office: str = ""
    client: str = ""
    client_group: str = ""
    matter: str = ""
    practice: str = ""
    task: str = ""
    activity: str = ""
    sort: RateSort = RateSort.ABSOLUTE
    value: Fraction
    starts_on: date
    ends_on: date | None = None

    @property
    def level(self) -> frozenset[str]:
        """The dimensions that are filled."""
        return frozenset(name for name in DIMENSIONS if getattr(self, name))


@attrs.frozen(kw_only=True)
class ExpenseRate:
    """The price of one page, mile or search.

    Attributes:
        code: expense code.
        client: code of the client, or empty for all.
        matter: the firm's code of the matter, or empty for all.
        unit: what one is: ``page``, ``mile``.
        price: price of one in major units.
        starts_on: first date of the expense that it prices.
        ends_on: the date after the last, or empty for open end.
    """

    code: str
    client: str = ""
    matter: str = ""
    unit: str = "unit"
    price: Fraction
    starts_on: date
    ends_on: date | None = None


class CodeSort(enum.Enum):
    """What a code names."""

    TASK = "task"
    ACTIVITY = "activity"
    EXPENSE = "expense"
    CLASSIFICATION = "classification"


@attrs.frozen(kw_only=True)
class CodeRow:
    """A code of a set that a client uses.

    Attributes:
        sort: what it names.
        code: the code.
        label: short label for people.
        starts_on: first date on which it may be used, or empty.
        ends_on: the date after the last, or empty.
    """

    sort: CodeSort
    code: str
    label: str
    starts_on: date | None = None
    ends_on: date | None = None


def holds(row: Any, day: date) -> bool:
    """True where a dated row is in force on a day."""
    return (row.starts_on is None or row.starts_on <= day) and (row.ends_on is None or day < row.ends_on)


@functools.lru_cache(maxsize=32)
def rows_by_code(table: RateTable) -> Mapping[str, tuple[tuple[int, Any], ...]]:
    """Return the rows of a table by their code, each with its 1-based place, in the order of the file."""
    found: dict[str, list[tuple[int, Any]]] = {}
    for number, row in enumerate(table.rows, start=1):
        found.setdefault(row.code, []).append((number, row))
    return MappingProxyType({code: tuple(rows) for code, rows in found.items()})


def _findings(table: RateTable, names: tuple[str, ...]) -> tuple[Finding, ...]:
    return (*_ends_before_start(table), *_overlaps(table, names))


def _ends_before_start(table: RateTable) -> Iterator[Finding]:
    for number, row in enumerate(table.rows, start=1):
        if row.ends_on is not None and row.starts_on is not None and row.ends_on <= row.starts_on:
            what = f"the row ends on {row.ends_on}, before it begins"
            yield _row_finding(number, what, "The end is the date after the last")


def _overlaps(table: RateTable, names: tuple[str, ...]) -> Iterator[Finding]:
    """Yield rows that say the same of the same day: nothing could choose between them."""
    open_start, open_end = date.min, date.max
    by_name: dict[tuple[object, ...], list[tuple[date, date, int]]] = {}
    for number, row in enumerate(table.rows, start=1):
        key = tuple(getattr(row, name) for name in names)
        by_name.setdefault(key, []).append((row.starts_on or open_start, row.ends_on or open_end, number))
    for spans in by_name.values():
        spans.sort()
        for (_, end, first), (start, _, second) in pairwise(spans):
            if start < end:
                what = f"the row holds from {start} on, when the one in row {first} still holds"
                yield _row_finding(second, what, "End the earlier row on the day on which the later begins")


def _row_finding(number: int, what: str, remedy: str) -> Finding:
    return Finding(code="LEGAL08", severity=Severity.BLOCKING, what=what, remedy=remedy, line=number)


def _check_rates(table: RateTable) -> tuple[Finding, ...]:
    found = list(_findings(table, (*DIMENSIONS, "sort")))
    for number, row in enumerate(table.rows, start=1):
        if row.value < 0:
            found.append(
                _row_finding(number, "a value below zero is no rate", "Give the price of an hour, a percent or an amount")
            )
        if not row.level and row.sort is RateSort.PERCENT:
            found.append(_row_finding(number, "a percent for everybody has nothing to be a percent of", "Fill a dimension"))
    return tuple(found)


def _check(*names: str) -> Any:
    return lambda table: _findings(table, names)


TIMEKEEPERS = RateTableKind(
    name="legal_timekeeping.timekeeper",
    title="People who record time, with their classes",
    row=Timekeeper,
    key=("code", "starts_on"),
    check=_check("code"),
)
RATES = RateTableKind(
    name="legal_timekeeping.rate",
    title="Prices of an hour by person, class, client, matter, task and more",
    row=RateRow,
    key=(*DIMENSIONS, "sort", "starts_on"),
    prices=("value",),
    check=_check_rates,
)
EXPENSE_RATES = RateTableKind(
    name="legal_timekeeping.expense_rate",
    title="Prices of the firm's own costs: pages, miles, searches",
    row=ExpenseRate,
    key=("code", "client", "matter", "starts_on"),
    prices=("price",),
    check=_check("code", "client", "matter"),
)
CODES = RateTableKind(
    name="legal_timekeeping.codes",
    title="A set of task, activity, expense and class codes that a client uses",
    row=CodeRow,
    key=("sort", "code", "starts_on"),
    check=_check("sort", "code"),
)


def rate_table_kinds() -> Iterable[RateTableKind]:
    """Return the kinds that the plugin offers."""
    return TIMEKEEPERS, RATES, EXPENSE_RATES, CODES
