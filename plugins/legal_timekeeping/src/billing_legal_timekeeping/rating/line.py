"""A line of a matter's bill while it is put together: its value, what was added or taken off, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import attrs

from billing_framework import (
    Charge,
    Component,
    DateSpan,
    Money,
    PlanVersion,
    Quantity,
    Step,
    UnitPrice,
    allocate,
    format_money,
)
from billing_legal_timekeeping.wording import SEPARATOR, word


@attrs.frozen(kw_only=True)
class Adjustment:
    """What is added to a line or taken off it.

    Attributes:
        reason: key of the wording that says why.
        money: signed; below zero where something is taken off.
        formula: how it came to be.
    """

    reason: str
    money: Money
    formula: str


@attrs.frozen(kw_only=True)
class Line:
    """A line: one entry, or a fee or deduction that is about many.

    Attributes:
        source: what tells it apart from others of its component and date.
        component: the component that it is of.
        plan: its plan version.
        service: dates that it is for.
        is_fee: True for fees, False for costs.
        record: key of its entry, None for a line about many.
        description: what is printed.
        quantity: hours or pieces.
        unit_price: price of one.
        value: quantity times price, in whole minor units.
        adjustments: what was added or taken off since.
        task: task or expense code, by which arrangements choose.
        steps: how the value came to be.
        details: facts that are printed beside it.
        state_read: carried state that it rests on.
    """

    source: str
    component: Component
    plan: PlanVersion
    service: DateSpan
    is_fee: bool = True
    record: int | None = None
    description: str
    quantity: Quantity | None = None
    unit_price: UnitPrice | None = None
    value: Money
    adjustments: tuple[Adjustment, ...] = ()
    task: str = ""
    steps: tuple[Step, ...] = ()
    details: Mapping[str, str] = attrs.field(factory=dict)
    state_read: tuple[str, ...] = ()

    @property
    def net(self) -> Money:
        """The value with all adjustments."""
        return Money.total((self.value, *(one.money for one in self.adjustments)), self.value.currency)

    def adjusted(self, reason: str, money: Money, formula: str, *, state_read: tuple[str, ...] = ()) -> Line:
        """Return the line with one more adjustment; the same line where nothing is adjusted."""
        if not money:
            return self
        adjustment = Adjustment(reason=reason, money=money, formula=formula)
        read = tuple(dict.fromkeys((*self.state_read, *state_read)))
        return attrs.evolve(self, adjustments=(*self.adjustments, adjustment), state_read=read)

    def charge(self, agreement: str, locale: str) -> Charge:
        """Return the line as a charge."""
        shown: dict[str, str] = {}
        if self.adjustments:
            shown = {word(locale, "value"): format_money(self.value, locale), word(locale, "adjustment"): self._said(locale)}
        steps = tuple(Step(label=word("en", one.reason), formula=one.formula, result=f"{one.money}") for one in self.adjustments)
        return Charge(
            agreement=agreement,
            component=self.component.code,
            code=self.component.charge_code,
            description=self.description,
            service=self.service,
            source=self.source,
            quantity=self.quantity,
            unit_price=self.unit_price,
            amount=self.net.amount,
            tax_category=self.component.tax_category,
            plan=self.plan.name,
            records=() if self.record is None else (self.record,),
            state_read=self.state_read,
            steps=(*self.steps, *steps),
            details={**self.details, **shown},
        )

    def _said(self, locale: str) -> str:
        return SEPARATOR.join(f"{format_money(one.money, locale)} {word(locale, one.reason)}" for one in self.adjustments)


def of_day(day: date) -> DateSpan:
    """Return the service dates of one day."""
    return DateSpan(day, date.fromordinal(day.toordinal() + 1))


def total(lines: Sequence[Line], currency: str) -> Money:
    """Return the sum of what the lines come to."""
    return Money.total((line.net for line in lines), currency)


def spread(lines: Sequence[Line], off: Money, reason: str, formula: str, *, state_read: tuple[str, ...] = ()) -> list[Line]:
    """Take money off lines in proportion to what they come to: largest remainder, ties to the earlier line.

    The parts are whole minor units, or whole steps where the plan rounds to steps such as 0.05, and sum to `off` exactly.
    Lines of nothing stay at nothing; lines below zero are left alone.

    Args:
        lines: the lines, whose sum above zero is at least `off`.
        off: what to take off, above zero.
        reason: key of the wording that says why.
        formula: how `off` came to be.
        state_read: carried state that it rests on.
    """
    step = max(line.plan.rounding.step_minor for line in lines)
    if off.minor % step:
        step = 1
    parts = allocate(off.minor // step, [max(line.net.minor, 0) for line in lines])
    return [
        line.adjusted(reason, Money(-part * step, off.currency), f"{formula}; this line's part of {off}", state_read=state_read)
        for line, part in zip(lines, parts, strict=True)
    ]
