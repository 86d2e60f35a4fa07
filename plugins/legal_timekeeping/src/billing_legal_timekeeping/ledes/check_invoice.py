"""Checks the lines of each invoice together: sums, constant fields, dates, numbers, and people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from billing_framework import Finding, Severity, exact_text
from billing_legal_timekeeping.ledes.check_line import TOTAL, LineCheck
from billing_legal_timekeeping.ledes.file_lines import ItemLine
from billing_legal_timekeeping.ledes.layout import ADJUSTMENTS, FIELDS, read_date, read_number


def invoice_findings(items: Sequence[ItemLine], check: LineCheck) -> Iterator[Finding]:
    """Yield what is wrong between the lines of invoices, and between invoices."""
    invoices: dict[str, list[ItemLine]] = {}
    last = ""
    for item in items:
        number = item.values["INVOICE_NUMBER"]
        if number and number in invoices and last != number:
            what = "the number of this invoice was used before, and another invoice stands between"
            yield check.wrong("LEDES13", item, "INVOICE_NUMBER", what, "Give every invoice a number of its own, once for ever")
        invoices.setdefault(number, []).append(item)
        last = number
    for number, lines in invoices.items():
        if number:
            yield from _constant(lines, check)
            yield from _total(lines, check)
            yield from _numbers(lines, check)
            yield from _negative(lines, check)
    for item in items:
        yield from _dates(item, check)
    yield from _people(items, check)


def _constant(lines: Sequence[ItemLine], check: LineCheck) -> Iterator[Finding]:
    first = lines[0]
    for item in lines[1:]:
        for rule in FIELDS:
            if rule.of_invoice and item.values[rule.name] != first.values[rule.name]:
                what = f"the lines of the invoice differ: line {first.number} says {first.values[rule.name][:60]!r}"
                yield check.wrong("LEDES12", item, rule.name, what, "Let all lines of an invoice say the same")


def _total(lines: Sequence[ItemLine], check: LineCheck) -> Iterator[Finding]:
    totals = [read_number(item.values[TOTAL]) for item in lines]
    stated = read_number(lines[0].values["INVOICE_TOTAL"])
    known = [total for total in totals if total is not None]
    if stated is None or len(known) < len(totals):
        return
    due = sum(known, Fraction(0))
    if due != stated:
        what = f"the lines of the invoice make {exact_text(due)}"
        yield check.wrong("LEDES11", lines[0], "INVOICE_TOTAL", what, "The total of an invoice is the sum of its lines")


def _numbers(lines: Sequence[ItemLine], check: LineCheck) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for item in lines:
        number = item.values["LINE_ITEM_NUMBER"]
        if number and number in seen:
            what = f"line {seen[number]} of the file has this number, too"
            yield check.wrong("LEDES13", item, "LINE_ITEM_NUMBER", what, "Number the lines of an invoice, each once")
        seen.setdefault(number, item.number)


def _negative(lines: Sequence[ItemLine], check: LineCheck) -> Iterator[Finding]:
    most = check.profile.most_negative_adjustments
    below = [
        item
        for item in lines
        if item.values["EXP/FEE/INV_ADJ_TYPE"] in ADJUSTMENTS and (read_number(item.values[TOTAL]) or 0) < 0
    ]
    for item in below[most:] if most else ():
        what = f"the receiver takes {most} negative adjustment of an invoice"
        yield check.wrong("LEDES23", item, TOTAL, what, "Put them together in one line")


def _dates(item: ItemLine, check: LineCheck) -> Iterator[Finding]:
    names = ("BILLING_START_DATE", "BILLING_END_DATE", "LINE_ITEM_DATE", "INVOICE_DATE")
    start, end, day, issued = (read_date(item.values[name]) for name in names)
    if start and end and end < start:
        what = f"the period ends before it starts on {start}"
        yield check.wrong("LEDES14", item, "BILLING_END_DATE", what, "Give the period in its order")
    elif start and end and day and not start <= day <= end:
        what = f"the date is outside the period from {start} to {end}"
        yield check.wrong("LEDES15", item, "LINE_ITEM_DATE", what, "Correct the date, or let the period reach to it")
    if issued and end and issued < end:
        what = f"the invoice is older than the end of its period, {end}"
        remedy = "Receivers may send it back"
        yield check.wrong("LEDES14", item, "INVOICE_DATE", what, remedy, severity=Severity.INFORMATION)


def _people(items: Sequence[ItemLine], check: LineCheck) -> Iterator[Finding]:
    """Yield where one person has two names or classes; the first line of the file that names the person counts."""
    first: dict[tuple[str, str], ItemLine] = {}
    for item in items:
        person = item.values["TIMEKEEPER_ID"]
        for name in ("TIMEKEEPER_NAME", "TIMEKEEPER_CLASSIFICATION"):
            if not person or not item.values[name]:
                continue
            before = first.setdefault((person, name), item)
            if before.values[name] != item.values[name]:
                what = f"line {before.number} says {before.values[name][:40]!r} of the same timekeeper"
                yield check.wrong(
                    "LEDES21", item, name, what, "Let one person have one name and class", severity=Severity.INFORMATION
                )
