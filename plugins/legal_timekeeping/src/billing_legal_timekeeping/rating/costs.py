"""Expenses become lines: a third party's cost as it is, the firm's own by a dated price and a markup."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs

from billing_framework import Finding, Quantity, RateTable, Step, UnitPrice, exact_text, figure
from billing_legal_timekeeping.kinds import Cost, Expense, Status
from billing_legal_timekeeping.params import Expenses
from billing_legal_timekeeping.rating.fees import adjusted_by_entry
from billing_legal_timekeeping.rating.line import Line, of_day
from billing_legal_timekeeping.rating.matter import Matter, payable
from billing_legal_timekeeping.rating.pick import Picked, shown_codes, table_for
from billing_legal_timekeeping.tables import CodeSort, ExpenseRate, holds, rows_by_code
from billing_legal_timekeeping.unpriceable import Unpriceable
from billing_legal_timekeeping.wording import word


@attrs.frozen(kw_only=True)
class _Priced:
    """What one expense costs before markup, and how that was found."""

    quantity: Quantity
    price: Fraction
    steps: tuple[Step, ...]


def cost_lines(picked: Sequence[Picked], matter: Matter) -> tuple[list[Line], list[Finding]]:
    """Return the lines of expenses, and what stands against those that could not be priced.

    Args:
        picked: the expenses with their components, in the order of the bill.
        matter: the matter.
    """
    lines: list[Line] = []
    findings: list[Finding] = []
    for one in picked:
        try:
            line, told = _line(one, matter)
            lines.append(line)
            findings.extend(told)
        except Unpriceable as error:
            findings.append(error.finding(one.record.usage.external_id))
    return lines, findings


def _line(one: Picked, matter: Matter) -> tuple[Line, tuple[Finding, ...]]:
    expense: Expense = one.record.usage.body
    params: Expenses = one.component.params
    locale, currency = matter.account.locale, one.plan.currency
    shown, findings = shown_codes(matter.usage, one, params.codes, {CodeSort.EXPENSE: expense.code})
    priced = _price(one, matter)
    steps, price = list(priced.steps), priced.price
    markup = figure(params.markup_percent, matter.terms)
    if markup and expense.cost is Cost.SOFT:
        price = price * (100 + markup) / 100
        steps.append(
            Step(label="markup", formula=f"{exact_text(priced.price)} + {exact_text(markup)} %", result=exact_text(price))
        )
    value = payable(price * priced.quantity.value, one.plan)
    steps.append(Step(label="value", formula=f"{priced.quantity} × {exact_text(price)} {currency}", result=str(value)))
    details = {word(locale, "expense"): shown[CodeSort.EXPENSE]} if CodeSort.EXPENSE in shown else {}
    if expense.vendor:
        details[word(locale, "vendor")] = expense.vendor
    line = Line(
        source=str(one.record.key),
        component=one.component,
        plan=one.plan,
        service=of_day(one.day),
        is_fee=False,
        record=one.record.key,
        description=expense.narrative or one.component.title(locale),
        quantity=priced.quantity,
        unit_price=UnitPrice(price, currency, priced.quantity.unit),
        value=value,
        task=expense.code,
        steps=tuple(steps),
        details=details,
    )
    if expense.status is Status.NO_CHARGE:
        return line.adjusted("no_charge", -line.net, f"-({line.net}): no charge"), findings
    return adjusted_by_entry(line, expense.adjustment, one), findings


def _price(one: Picked, matter: Matter) -> _Priced:
    expense: Expense = one.record.usage.body
    params: Expenses = one.component.params
    if expense.amount is not None:
        step = Step(label="cost", formula=f"as {expense.vendor or 'the third party'} asked", result=exact_text(expense.amount))
        return _Priced(quantity=Quantity(Fraction(1), "unit"), price=expense.amount, steps=(step,))
    if expense.cost is Cost.SOFT and params.rates:
        table = table_for(matter.usage, params.rates, one)
        number, row = _row(one, matter, table)
        step = Step(label="price", formula=f"{table.name} row {number}, from {row.starts_on}", result=exact_text(row.price))
        return _Priced(quantity=Quantity(expense.quantity, row.unit), price=row.price, steps=(step,))
    if expense.unit_cost is None:
        what = "the expense has no unit cost, and the plan names no table of the firm's prices"
        raise Unpriceable("LEGAL11", what, remedy="Give the unit cost, or name a table: rates")
    step = Step(label="price", formula="unit cost of the expense", result=exact_text(expense.unit_cost))
    return _Priced(quantity=Quantity(expense.quantity, "unit"), price=expense.unit_cost, steps=(step,))


def _row(one: Picked, matter: Matter, table: RateTable) -> tuple[int, ExpenseRate]:
    """Return the row in force on the day of the expense: the matter's, else the client's, else the general one."""
    expense: Expense = one.record.usage.body
    client = matter.terms.get("client", matter.account.code)
    rows = rows_by_code(table).get(expense.code, ())
    for wanted in (("", one.record.usage.subject), (client, ""), ("", "")):
        for number, row in rows:
            if (row.client, row.matter) == wanted and holds(row, one.day):
                return number, row
    what = f"no row of {table.name} prices the expense code {expense.code!r} on {one.day}"
    raise Unpriceable("LEGAL11", what, remedy="Add the row with its dates")
