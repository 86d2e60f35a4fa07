"""Checks one line item by itself: types, sizes, required fields, codes, and the sum of the line."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import attrs

from billing_framework import Finding, Severity, exact_text
from billing_legal_timekeeping.codes_in_use import CodesInUse
from billing_legal_timekeeping.ledes.file_lines import ItemLine
from billing_legal_timekeeping.ledes.layout import (
    ADJUSTMENTS,
    DECIMALS,
    END,
    EXPENSE,
    FEE,
    FIELDS,
    TYPES,
    FieldRule,
    Sort,
    read_date,
    read_number,
)
from billing_legal_timekeeping.ledes.profile import OnUnknown, ReceiverProfile
from billing_legal_timekeeping.tables import CodeSort

UNITS, ADJUSTMENT, TOTAL, COST = (
    "LINE_ITEM_NUMBER_OF_UNITS",
    "LINE_ITEM_ADJUSTMENT_AMOUNT",
    "LINE_ITEM_TOTAL",
    "LINE_ITEM_UNIT_COST",
)
_AMOUNTS = ("INVOICE_TOTAL", ADJUSTMENT, TOTAL, COST)
_NO_PERSON = ("FLTFEE", "ADJSMT")
"""Classes that stand for fees without a person."""


@attrs.frozen(kw_only=True)
class LineCheck:
    """What lines are checked against.

    Attributes:
        file: name of the file, for messages.
        profile: the receiver.
        codes: the codes that it knows.
    """

    file: str
    profile: ReceiverProfile
    codes: CodesInUse

    def wrong(
        self, code: str, item: ItemLine, field: str, what: str, remedy: str, *, severity: Severity = Severity.ISSUE
    ) -> Finding:
        """Return a finding about one field of a line."""
        return Finding(
            code=code,
            severity=severity,
            what=what,
            remedy=remedy,
            file=self.file,
            line=item.number,
            field=field,
            value=item.values.get(field, ""),
            subject=item.values["INVOICE_NUMBER"],
        )


def line_findings(item: ItemLine, check: LineCheck) -> Iterator[Finding]:
    """Yield everything that is wrong with one line."""
    for rule in FIELDS:
        yield from _field(rule, item, check)
    kind = item.values["EXP/FEE/INV_ADJ_TYPE"]
    if kind and kind not in TYPES:
        yield check.wrong("LEDES08", item, "EXP/FEE/INV_ADJ_TYPE", "the type is none", f"Use one of {', '.join(TYPES)}")
    if kind in (FEE, EXPENSE):
        yield from _priced(item, check)
    if kind in ADJUSTMENTS:
        yield from _adjustment(item, check)
    if kind == FEE:
        yield from _fee(item, check)
    yield from _sum(item, check, kind)
    yield from _codes(item, check, kind)


def _field(rule: FieldRule, item: ItemLine, check: LineCheck) -> Iterator[Finding]:
    text, name = item.values[rule.name], rule.name
    required = (rule.required and name not in check.profile.optional) or name in check.profile.required
    if not text:
        if required:
            yield check.wrong("LEDES03", item, name, "the field is empty", "Fill it in: no line may leave it out")
        return
    if rule.sort is Sort.TEXT:
        size = check.profile.description_size if name == "LINE_ITEM_DESCRIPTION" and check.profile.description_size else rule.size
        if len(text) > size:
            yield check.wrong("LEDES04", item, name, f"{len(text)} characters are too long", f"Use at most {size}")
        if END in text:
            yield check.wrong("LEDES09", item, name, f"the text holds {END}, which ends a line", f"Take {END} out of the text")
    elif rule.sort is Sort.DATE:
        if read_date(text) is None:
            yield check.wrong("LEDES07", item, name, "this is no date", "Write year, month and day: 20260731")
    else:
        yield from _number(rule, item, check)


def _number(rule: FieldRule, item: ItemLine, check: LineCheck) -> Iterator[Finding]:
    name = rule.name
    number = read_number(item.values[name])
    if number is None:
        remedy = "Write digits, one point and a leading minus: no plus, blanks, separators or signs of currency"
        yield check.wrong("LEDES05", item, name, "this is no number", remedy)
        return
    decimals = len(item.values[name].partition(".")[2])
    most = DECIMALS
    if name == COST and item.values["EXP/FEE/INV_ADJ_TYPE"] == EXPENSE:
        most = min(most, check.profile.expense_cost_decimals)
    if decimals > most:
        yield check.wrong("LEDES06", item, name, f"the number has {decimals} decimals", f"Write at most {most}")
    digits = check.profile.money_digits or rule.size if name in _AMOUNTS else rule.size
    if abs(number) >= 10**digits:
        yield check.wrong("LEDES04", item, name, "the number is too large", f"At most {digits} digits stand before the point")
    if name == UNITS and number < 0:
        yield check.wrong("LEDES16", item, name, "units are below zero", "Take something off by an adjustment")


def _priced(item: ItemLine, check: LineCheck) -> Iterator[Finding]:
    for name in (UNITS, COST):
        if not item.values[name]:
            yield check.wrong("LEDES03", item, name, "the field is empty", "Only adjustments of an invoice may leave it out")


def _adjustment(item: ItemLine, check: LineCheck) -> Iterator[Finding]:
    cost = read_number(item.values[COST] or "0")
    if cost:
        yield check.wrong(
            "LEDES20", item, COST, "an adjustment of the invoice has a unit cost", "Leave the unit cost empty or zero"
        )
    if _read(item, ADJUSTMENT) != _read(item, TOTAL):
        what = "an adjustment of the invoice differs from the total of its line"
        yield check.wrong("LEDES20", item, ADJUSTMENT, what, "Write the amount into both fields")


def _fee(item: ItemLine, check: LineCheck) -> Iterator[Finding]:
    if not item.values["LINE_ITEM_DESCRIPTION"]:
        yield check.wrong("LEDES18", item, "LINE_ITEM_DESCRIPTION", "a fee says not what was done", "Describe it")
    if item.values["TIMEKEEPER_CLASSIFICATION"] in _NO_PERSON:
        return
    for name in ("TIMEKEEPER_ID", "TIMEKEEPER_NAME", "TIMEKEEPER_CLASSIFICATION"):
        if not item.values[name]:
            yield check.wrong("LEDES18", item, name, "a fee says not who worked", "Name the timekeeper, or use FLTFEE")


def _sum(item: ItemLine, check: LineCheck, kind: str) -> Iterator[Finding]:
    total = _read(item, TOTAL)
    if kind not in (FEE, EXPENSE) or total is None or not item.values[UNITS] or not item.values[COST]:
        return
    parts = [_read(item, name) if item.values[name] else Fraction(0) for name in (UNITS, COST, ADJUSTMENT)]
    units, cost, adjustment = parts
    if units is None or cost is None or adjustment is None:
        return
    due = units * cost + adjustment
    if due != total:
        what = f"{exact_text(units)} units at {exact_text(cost)} and {exact_text(adjustment)} make {exact_text(due)}"
        yield check.wrong("LEDES10", item, TOTAL, what, "Units times unit cost plus adjustment must be the total of the line")


def _codes(item: ItemLine, check: LineCheck, kind: str) -> Iterator[Finding]:
    task, expense = item.values["LINE_ITEM_TASK_CODE"], item.values["LINE_ITEM_EXPENSE_CODE"]
    activity = item.values["LINE_ITEM_ACTIVITY_CODE"]
    if expense and (task or kind == FEE):
        what = "a fee or a task bears an expense code"
        yield check.wrong("LEDES17", item, "LINE_ITEM_EXPENSE_CODE", what, "Use task codes for fees, expense codes for expenses")
    elif task and kind == EXPENSE:
        yield check.wrong("LEDES17", item, "LINE_ITEM_TASK_CODE", "an expense bears a task code", "Use its expense code")
    if activity and not task:
        yield check.wrong("LEDES17", item, "LINE_ITEM_ACTIVITY_CODE", "an activity has no task", "Give the task code")
    if kind == EXPENSE and not expense:
        yield check.wrong(
            "LEDES17",
            item,
            "LINE_ITEM_EXPENSE_CODE",
            "an expense has no expense code",
            "Receivers who use codes ask for it",
            severity=Severity.INFORMATION,
        )
    named = (
        (CodeSort.TASK, "LINE_ITEM_TASK_CODE"),
        (CodeSort.EXPENSE, "LINE_ITEM_EXPENSE_CODE"),
        (CodeSort.ACTIVITY, "LINE_ITEM_ACTIVITY_CODE"),
        (CodeSort.CLASSIFICATION, "TIMEKEEPER_CLASSIFICATION"),
    )
    is_error = check.profile.unknown_codes is OnUnknown.ERROR
    severity = Severity.ISSUE if is_error else Severity.INFORMATION
    for sort, name in named:
        if item.values[name] and not check.codes.knows(sort, item.values[name]):
            what = f"the {sort.value} code is in no set that this receiver uses"
            yield check.wrong("LEDES19", item, name, what, "Use a code of its sets, or load its own", severity=severity)


def _read(item: ItemLine, name: str) -> Fraction | None:
    return read_number(item.values[name]) if item.values[name] else None
