"""The layout of a LEDES 1998B file: its 24 fields, their sizes, and how numbers and dates are written.

Source: the field table of LEDES 1998B as published by the LEDES Oversight Committee; numbers before and after the point as
receivers check them.
"""

from __future__ import annotations

import enum
import functools
import re
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import exact, exact_text

VERSION = "LEDES1998B"
END = "[]"
SEPARATOR = "|"
DECIMALS = 4
"""Most decimals of any number."""


class Sort(enum.Enum):
    """What a field holds."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"


@attrs.frozen(kw_only=True)
class FieldRule:
    """One field of a line.

    Attributes:
        name: name as the second line of the file has it.
        sort: what it holds.
        size: most characters of a text; most digits before the point of a number.
        required: True where no line may leave it empty.
        of_invoice: True where all lines of an invoice say the same.
    """

    name: str
    sort: Sort = Sort.TEXT
    size: int = 20
    required: bool = False
    of_invoice: bool = False


FIELDS: tuple[FieldRule, ...] = (
    FieldRule(name="INVOICE_DATE", sort=Sort.DATE, required=True, of_invoice=True),
    FieldRule(name="INVOICE_NUMBER", required=True, of_invoice=True),
    FieldRule(name="CLIENT_ID", required=True, of_invoice=True),
    FieldRule(name="LAW_FIRM_MATTER_ID", required=True),
    FieldRule(name="INVOICE_TOTAL", sort=Sort.NUMBER, size=12, required=True, of_invoice=True),
    FieldRule(name="BILLING_START_DATE", sort=Sort.DATE, required=True, of_invoice=True),
    FieldRule(name="BILLING_END_DATE", sort=Sort.DATE, required=True, of_invoice=True),
    FieldRule(name="INVOICE_DESCRIPTION", size=15_360, of_invoice=True),
    FieldRule(name="LINE_ITEM_NUMBER", required=True),
    FieldRule(name="EXP/FEE/INV_ADJ_TYPE", size=2, required=True),
    FieldRule(name="LINE_ITEM_NUMBER_OF_UNITS", sort=Sort.NUMBER, size=10),
    FieldRule(name="LINE_ITEM_ADJUSTMENT_AMOUNT", sort=Sort.NUMBER, size=10),
    FieldRule(name="LINE_ITEM_TOTAL", sort=Sort.NUMBER, size=10, required=True),
    FieldRule(name="LINE_ITEM_DATE", sort=Sort.DATE, required=True),
    FieldRule(name="LINE_ITEM_TASK_CODE"),
    FieldRule(name="LINE_ITEM_EXPENSE_CODE"),
    FieldRule(name="LINE_ITEM_ACTIVITY_CODE"),
    FieldRule(name="TIMEKEEPER_ID"),
    FieldRule(name="LINE_ITEM_DESCRIPTION", size=15_360),
    FieldRule(name="LAW_FIRM_ID", required=True, of_invoice=True),
    FieldRule(name="LINE_ITEM_UNIT_COST", sort=Sort.NUMBER, size=10),
    FieldRule(name="TIMEKEEPER_NAME", size=30),
    FieldRule(name="TIMEKEEPER_CLASSIFICATION", size=10),
    FieldRule(name="CLIENT_MATTER_ID"),
)
"""The fields in the order of a line."""

NAMES: tuple[str, ...] = tuple(field.name for field in FIELDS)

FEE, EXPENSE, FEE_ADJUSTMENT, EXPENSE_ADJUSTMENT = "F", "E", "IF", "IE"
TYPES = (FEE, EXPENSE, FEE_ADJUSTMENT, EXPENSE_ADJUSTMENT)
ADJUSTMENTS = (FEE_ADJUSTMENT, EXPENSE_ADJUSTMENT)

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)", re.ASCII)
_DATE = re.compile(r"\d{8}", re.ASCII)


@functools.lru_cache(maxsize=65_536)  # a file says most of its numbers and dates on many lines
def read_number(text: str) -> Fraction | None:
    """Return the number that a field says, None where it says none: digits, one point, a leading minus, and nothing else."""
    if not _NUMBER.fullmatch(text) or len(text) > 60:
        return None
    return exact(text if not text.startswith("-.") else f"-0{text[1:]}")


def decimals_of(number: Fraction) -> int:
    """Return how many decimals a number has; more than any field allows where they never end."""
    text = exact_text(number)
    return DECIMALS + 1 if "/" in text else len(text.partition(".")[2])


@functools.lru_cache(maxsize=4_096)
def read_date(text: str) -> date | None:
    """Return the date that a field says, written ``20260731``; None where it says none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def write_number(number: Fraction, least_decimals: int = 2) -> str:
    """Return a number as files have it: at least two decimals, a point, no separators."""
    text = exact_text(number)
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals.ljust(least_decimals, '0')}" if least_decimals or decimals else whole


def write_date(day: date) -> str:
    """Return a date as files have it: ``20260731``."""
    return day.strftime("%Y%m%d")
