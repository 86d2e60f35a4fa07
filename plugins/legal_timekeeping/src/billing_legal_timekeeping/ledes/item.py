"""One line of a document as a line item: its type, its units and costs, and who worked on what."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import attrs

from billing_framework import DocumentKind, ExportDocument, ExportLine, RoundingMode, to_places
from billing_legal_timekeeping.kinds import Expense, TimeEntry
from billing_legal_timekeeping.ledes.layout import (
    DECIMALS,
    EXPENSE,
    EXPENSE_ADJUSTMENT,
    FEE,
    FEE_ADJUSTMENT,
    decimals_of,
)
from billing_legal_timekeeping.wording import SEPARATOR, word


@attrs.frozen(kw_only=True)
class Amounts:
    """What a line item says in numbers: units times cost and adjustment make the total.

    Attributes:
        units: units, None for an adjustment of the invoice.
        cost: cost of one, None for an adjustment of the invoice.
        adjustment: what is added; what other payers bear is taken off here.
        total: what the line comes to.
        is_exact: False where units or cost had to be rounded to be written; the adjustment makes up for it.
    """

    units: Fraction | None = None
    cost: Fraction | None = None
    adjustment: Fraction
    total: Fraction
    is_exact: bool = True


@attrs.frozen(kw_only=True)
class Person:
    """Who worked.

    Attributes:
        code: the firm's code of the person.
        name: ``Surname, First``.
        classification: class, as the firm has it.
    """

    code: str = ""
    name: str = ""
    classification: str = ""


@attrs.frozen(kw_only=True)
class Item:
    """A line item before it is written.

    Attributes:
        number: number in the invoice.
        sort: F, E, IF or IE.
        line: the line of the document, None for one that the document has elsewhere (a tax).
        matter: the firm's code of the matter.
        amounts: the numbers.
        description: the text.
        task: task code.
        expense: expense code.
        activity: activity code.
        person: who worked.
    """

    number: int
    sort: str
    line: ExportLine | None = None
    matter: str
    amounts: Amounts
    description: str
    task: str = ""
    expense: str = ""
    activity: str = ""
    person: Person = Person()


def items_of(document: ExportDocument) -> Iterator[Item]:
    """Yield the line items of a document: its lines, then its taxes, for which the format has no field of their own."""
    content = document.document.content
    expense_codes = {
        line.line.charge_code
        for line in document.lines
        if any(isinstance(document.records[key].body, Expense) for key in line.records if key in document.records)
    }
    matters = [_matter(line, document) for line in document.lines]
    for line, matter in zip(document.lines, matters, strict=True):
        yield _item(line, matter, document, expense_codes)
    for number, tax in enumerate((tax for tax in content.taxes if tax.tax), start=len(document.lines) + 1):
        yield Item(
            number=number,
            sort=EXPENSE_ADJUSTMENT,
            matter=matters[-1] if matters else "",
            amounts=Amounts(adjustment=tax.tax.major, total=tax.tax.major),
            description=f"{tax.title} {_percent(tax.rate)} on {tax.taxable}",
        )


def _percent(rate: Fraction) -> str:
    hundredfold = rate * 100
    return f"{hundredfold.numerator}%" if hundredfold.denominator == 1 else f"{to_places(hundredfold, 4, RoundingMode.HALF_UP)}%"


def _matter(line: ExportLine, document: ExportDocument) -> str:
    """Return the firm's code of the matter that a line is for."""
    for key in line.records:
        if key in document.assignments:
            return document.assignments[key].subject
    own = [key for key, agreement in document.record_agreements.items() if agreement == line.line.agreement]
    subjects = sorted({document.assignments[key].subject for key in own if key in document.assignments})
    return subjects[0] if subjects else line.line.agreement


def _item(line: ExportLine, matter: str, document: ExportDocument, expense_codes: set[str]) -> Item:
    record = next((document.records[key].body for key in line.records if key in document.records), None)
    is_cost = isinstance(record, Expense) or (record is None and line.line.charge_code in expense_codes)
    is_credit = document.document.content.kind is DocumentKind.CREDIT_NOTE
    net = line.line.net.major
    base = Item(
        number=line.line.number,
        sort=EXPENSE_ADJUSTMENT if is_cost else FEE_ADJUSTMENT,
        line=line,
        matter=matter,
        amounts=Amounts(adjustment=net, total=net),
        description=line.line.description,
    )
    if is_credit or net < 0 or not isinstance(record, TimeEntry | Expense):
        return base
    amounts = _amounts(line, record)
    if isinstance(record, Expense):
        return attrs.evolve(base, sort=EXPENSE, amounts=amounts, expense=record.code)
    return attrs.evolve(
        base, sort=FEE, amounts=amounts, task=record.task, activity=record.activity, person=_person(line, record, document)
    )


def _person(line: ExportLine, record: TimeEntry, document: ExportDocument) -> Person:
    """Return who worked, as the line prints it."""
    label = word(document.document.content.locale, "timekeeper")
    locales = {label, word("en", "timekeeper"), word("de", "timekeeper")}
    shown = next((value for name, value in line.line.details if name in locales), "")
    code, _, rest = shown.partition(SEPARATOR)
    name, _, classification = rest.partition(SEPARATOR)
    return Person(code=code or record.timekeeper, name=name, classification=classification or record.classification)


def _amounts(line: ExportLine, record: TimeEntry | Expense) -> Amounts:
    """Return the numbers of a fee or expense: the undivided units and cost, and what was added or taken off as adjustment."""
    printed, share = line.line, line.line.share
    quantity = share.quantity if share else printed.quantity
    price = share.unit_price if share else printed.unit_price
    whole = share.whole.value if share else printed.net.major
    total = printed.net.major
    units = quantity.value if quantity is not None else _units(record)
    if not units:
        units = Fraction(1) if not isinstance(record, TimeEntry) else Fraction(0)
    cost = price.value if price is not None else (whole / units if units else Fraction(0))
    return written_amounts(units, cost, total)


def _units(record: TimeEntry | Expense) -> Fraction:
    return record.entered_hours if isinstance(record, TimeEntry) else record.quantity


def written_amounts(units: Fraction, cost: Fraction, total: Fraction) -> Amounts:
    """Return units and cost that can be written with four decimals, as their product can, and what is missing to the total."""
    for places in (DECIMALS, 3, 2, 1, 0):
        some = to_places(units, places, RoundingMode.HALF_UP)
        for cost_places in (DECIMALS, 2):
            price = to_places(cost, cost_places, RoundingMode.HALF_UP)
            if decimals_of(some * price) <= DECIMALS:
                exact = some == units and price == cost
                return Amounts(units=some, cost=price, adjustment=total - some * price, total=total, is_exact=exact)
    return Amounts(units=Fraction(1), cost=total, adjustment=Fraction(0), total=total, is_exact=False)
