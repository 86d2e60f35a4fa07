"""One cell of a delimited file: its text becomes the value of a field, or the reason why it cannot."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import attrs

from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.values.errors import ValueRefused
from billing_framework.values.number import exact
from billing_framework.values.period import midnight
from billing_framework.values.spelling import did_you_mean

_WHOLE = re.compile(r"[+-]?\d{1,19}", re.ASCII)

YES = ("true", "1", "yes")
NO = ("false", "0", "no")


@attrs.frozen(kw_only=True)
class CellRules:
    """How the cells of a file are written.

    Attributes:
        zone: zone of local times without an offset.
        decimal_comma: True where decimals are written with a comma; separators of thousands are refused in either case.
        date_format: `strptime` format of dates, ISO 8601 where empty.
        time_format: `strptime` format of instants, ISO 8601 where empty.
    """

    zone: ZoneInfo
    decimal_comma: bool = False
    date_format: str = ""
    time_format: str = ""


class BadCell(ValueError):
    """A cell is not what its field needs; the message says why, the remedy what to do."""

    def __init__(self, what: str, remedy: str) -> None:
        self.what = what
        self.remedy = remedy
        super().__init__(what)


def cell_value(text: str, field: BodyField, rules: CellRules) -> Any:
    """Return the value that the text of a cell says for a field; an empty cell is None, or empty text.

    Raises:
        BadCell: the text is no such value.
    """
    text = text.strip()
    if not text and field.sort is not Sort.TEXT:
        if field.optional:
            return None
        raise BadCell("a value is missing", "Fill the cell")
    match field.sort:
        case Sort.TEXT:
            return text
        case Sort.WHOLE:
            return whole(text)
        case Sort.EXACT:
            return number(text, rules)
        case Sort.FLAG:
            return flag(text)
        case Sort.DAY:
            return day(text, rules)
        case Sort.INSTANT:
            return instant(text, rules)
        case Sort.CHOICE:
            return _choice(text, field)
        case _:
            raise BadCell(f"a cell cannot hold {field.sort.value}", "Write a reader of its own for this kind")


def whole(text: str) -> int:
    """Return a whole number."""
    if _WHOLE.fullmatch(text):
        return int(text)
    raise BadCell("a whole number is needed here", "Write digits only")


def number(text: str, rules: CellRules) -> Fraction:
    """Return an exact number."""
    plain = text
    if rules.decimal_comma:
        if "." in text:
            raise BadCell("the number has a point, but decimals are written with a comma", "Leave separators of thousands out")
        plain = text.replace(",", ".", 1)
    try:
        return exact(plain.replace("/", "|"))  # a ratio is exact too, but no source means one
    except ValueRefused as error:
        mark = "comma" if rules.decimal_comma else "point"
        raise BadCell("an exact number is needed here", f"Write digits and at most one decimal {mark}") from error


def day(text: str, rules: CellRules) -> date:
    """Return a date."""
    try:
        if rules.date_format:
            return datetime.strptime(text, rules.date_format).date()  # noqa: DTZ007  only its date is taken
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadCell("a date is needed here", f"Write it as {rules.date_format or '2026-07-31'}") from error


def instant(text: str, rules: CellRules) -> datetime:
    """Return an instant in UTC: with its offset as written, else as local time; a date alone is its local midnight."""
    try:
        found = datetime.strptime(text, rules.time_format) if rules.time_format else datetime.fromisoformat(text)  # noqa: DTZ007
        return found.astimezone(UTC) if found.tzinfo is not None else _local(found, rules)
    except (ValueError, OverflowError) as error:  # the latter for the edges of the calendar, which no zone can shift
        if isinstance(error, BadCell):
            raise
        shown = rules.time_format or "2026-07-31T23:59:00+02:00"
        raise BadCell("an instant is needed here", f"Write it as {shown}") from error


def _local(found: datetime, rules: CellRules) -> datetime:
    if found.time() == time.min:
        return midnight(found.date(), rules.zone)
    early, late = (found.replace(tzinfo=rules.zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    if early.astimezone(rules.zone).replace(tzinfo=None) != found:
        raise BadCell("this local time does not exist: the clocks were put forward", "Write the offset")
    if early != late:
        raise BadCell("this local time occurs twice: the clocks were put back", "Write the offset")
    return early


def flag(text: str) -> bool:
    """Return whether a cell says yes."""
    if text.lower() in (*YES, *NO):
        return text.lower() in YES
    raise BadCell("true or false is needed here", "Write true or false")


def _choice(text: str, field: BodyField) -> Any:
    if field.choices is None:
        raise AssertionError(field)  # the sort and the enumeration come from one place
    known = {str(member.value): member for member in field.choices}
    if text in known:
        return known[text]
    raise BadCell(f"{text[:60]!r} is none of the known values", did_you_mean(text, known))
