"""Time entries become lines: billed hours times the price of an hour, each entry a line of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import Finding, Money, Quantity, Step, UnitPrice, exact_text
from billing_legal_timekeeping.kinds import Status, TimeEntry
from billing_legal_timekeeping.params import Time
from billing_legal_timekeeping.rates.choose import HourPrice, hour_price
from billing_legal_timekeeping.rates.facts import work
from billing_legal_timekeeping.rating.line import Line, of_day
from billing_legal_timekeeping.rating.matter import Matter, payable
from billing_legal_timekeeping.rating.pick import Picked, shown_codes, table_for
from billing_legal_timekeeping.tables import CodeSort, Timekeeper, holds, rows_by_code
from billing_legal_timekeeping.time.hours import Billed, Spent, billed_hours
from billing_legal_timekeeping.unpriceable import Unpriceable
from billing_legal_timekeeping.wording import SEPARATOR, word

HOUR = "h"


def fee_lines(picked: Sequence[Picked], matter: Matter, *, covered: frozenset[int]) -> tuple[list[Line], list[Finding]]:
    """Return the lines of time entries, and what stands against those that could not be priced.

    Args:
        picked: the entries with their components, in the order of the bill.
        matter: the matter.
        covered: keys of entries behind a flat fee; they need no price.
    """
    by_component: dict[tuple[str, str], list[Picked]] = {}
    for one in picked:
        by_component.setdefault((one.plan.name, one.component.code), []).append(one)
    hours: dict[int, Billed] = {}
    for together in by_component.values():
        params: Time = together[0].component.params
        hours.update(billed_hours([_spent(one) for one in together], params.increment))
    lines: list[Line] = []
    findings: list[Finding] = []
    for one in picked:
        subject = one.record.usage.external_id
        try:
            line, told = _line(one, matter, hours[one.record.key], is_covered=one.record.key in covered)
            lines.append(line)
            findings.extend(told)
        except Unpriceable as error:
            findings.append(error.finding(subject))
    return lines, findings


def _spent(one: Picked) -> Spent:
    entry: TimeEntry = one.record.usage.body
    return Spent(
        key=one.record.key,
        minutes=entry.entered_hours * 60,
        timekeeper=entry.timekeeper,
        matter=one.record.usage.subject,
        day=one.day,
        activity=entry.activity,
        status=entry.status.value,
    )


def _line(one: Picked, matter: Matter, billed: Billed, *, is_covered: bool) -> tuple[Line, tuple[Finding, ...]]:
    entry: TimeEntry = one.record.usage.body
    params: Time = one.component.params
    person = _person(one, matter)
    classification = entry.classification or person.classification
    codes = {CodeSort.TASK: entry.task, CodeSort.ACTIVITY: entry.activity, CodeSort.CLASSIFICATION: classification}
    shown, findings = shown_codes(matter.usage, one, params.codes, codes)
    try:
        price = _price(one, matter, person)
    except Unpriceable:
        if not is_covered:
            raise
        price = HourPrice(rate=Fraction(0))
    locale = matter.account.locale
    details = {word(locale, "timekeeper"): SEPARATOR.join((entry.timekeeper, person.name, classification))}
    details.update({word(locale, sort.value): shown[sort] for sort in (CodeSort.TASK, CodeSort.ACTIVITY) if sort in shown})
    currency = one.plan.currency
    value = payable(price.rate * billed.hours, one.plan)
    product = f"{exact_text(billed.hours)} h × {exact_text(price.rate)} {currency}"
    line = Line(
        source=str(one.record.key),
        component=one.component,
        plan=one.plan,
        service=of_day(one.day),
        record=one.record.key,
        description=entry.narrative or one.component.title(locale),
        quantity=_quantity(billed.hours),
        unit_price=UnitPrice(price.rate, currency, HOUR) if _quantity(billed.hours) else None,
        value=value,
        task=entry.task,
        steps=(
            *_worked(one),
            *billed.steps,
            *price.steps,
            Step(label="value", formula=product, result=str(value)),
            *_standard(price, billed, one),
        ),
        details=details,
    )
    return _adjusted(line, entry, price, billed, one), findings


def _adjusted(line: Line, entry: TimeEntry, price: HourPrice, billed: Billed, one: Picked) -> Line:
    """Return the line after its ceiling, its own write-down or write-up, and its status."""
    if price.off:
        off = payable(price.off * billed.hours, one.plan)
        line = line.adjusted("ceiling", off, f"{exact_text(price.off)} × {exact_text(billed.hours)} h")
    if entry.status is Status.NO_CHARGE:
        return line.adjusted("no_charge", -line.net, f"-({line.net}): no charge")
    return adjusted_by_entry(line, entry.adjustment, one)


def adjusted_by_entry(line: Line, adjustment: Fraction | None, one: Picked) -> Line:
    """Return a line with the adjustment that its entry bears.

    Raises:
        Unpriceable: ``LEGAL17`` where it would turn a charge into a credit.
    """
    money: Money = payable(adjustment or Fraction(0), one.plan)
    if money.minor < 0 and line.net.minor + money.minor < min(line.net.minor, 0):
        raise Unpriceable(
            "LEGAL17", f"the adjustment of {money} is more than the {line.net} of the entry", remedy="Adjust by less"
        )
    return line.adjusted("write_down" if money.minor < 0 else "write_up", money, f"{money} by the entry")


def _price(one: Picked, matter: Matter, person: Timekeeper) -> HourPrice:
    entry: TimeEntry = one.record.usage.body
    params: Time = one.component.params
    described = work(
        entry,
        person,
        matter=one.record.usage.subject,
        agreement=matter.usage.agreement,
        account=matter.account,
        on=_rate_date(one.day, matter.terms),
        subject=one.record.usage.external_id,
    )
    return hour_price(described, table_for(matter.usage, params.rates, one), params)


def _rate_date(day: date, terms: Mapping[str, str]) -> date:
    """Return the date by which rows are chosen: that of the work, or of the matter's opening while its rates are frozen.

    Raises:
        Unpriceable: ``LEGAL20`` where a term is no date.
    """
    opened, until = terms.get("rates_of", ""), terms.get("rates_frozen_until", "")
    if not opened:
        return day
    try:
        is_frozen = not until or day < date.fromisoformat(until)
        return date.fromisoformat(opened) if is_frozen else day
    except ValueError as error:
        what = f"the terms rates_of and rates_frozen_until are no dates: {opened[:30]!r}, {until[:30]!r}"
        raise Unpriceable("LEGAL20", what, remedy="Write them as 2026-07-31") from error


def _person(one: Picked, matter: Matter) -> Timekeeper:
    entry: TimeEntry = one.record.usage.body
    params: Time = one.component.params
    table = table_for(matter.usage, params.timekeepers, one)
    for _, row in rows_by_code(table).get(entry.timekeeper, ()):
        if holds(row, one.day):
            found: Timekeeper = row
            return found
    what = f"the timekeeper {entry.timekeeper!r} is not in {table.name} on {one.day}"
    raise Unpriceable("LEGAL10", what, remedy="Correct the entry, or load a version of the table with the person")


def _worked(one: Picked) -> tuple[Step, ...]:
    """Return what was worked, and what a reviewer made of the entry, beside what is billed."""
    entry: TimeEntry = one.record.usage.body
    steps = []
    if entry.worked_seconds is not None:
        hours = exact_text(Fraction(entry.worked_seconds, 3600))
        steps.append(Step(label="worked", formula=f"{entry.worked_seconds} s", result=f"{hours} h"))
    if one.record.original is not None:
        before: TimeEntry = one.record.original.body
        changed = [name.name for name in attrs.fields(TimeEntry) if getattr(before, name.name) != getattr(entry, name.name)]
        hours = exact_text(before.entered_hours)
        steps.append(Step(label="as delivered", formula=f"changed in review: {', '.join(changed)}", result=f"{hours} h"))
    return tuple(steps)


def _standard(price: HourPrice, billed: Billed, one: Picked) -> tuple[Step, ...]:
    """Return what the hours are worth at the person's standard rate, where they are billed at another."""
    if price.standard is None or price.standard == price.rate:
        return ()
    value = payable(price.standard * billed.hours, one.plan)
    formula = f"{exact_text(billed.hours)} h × {exact_text(price.standard)} {one.plan.currency}"
    return (Step(label="standard value", formula=formula, result=str(value)),)


def _quantity(hours: Fraction) -> Quantity | None:
    """Return hours as a quantity that can be printed; None where their decimals never end."""
    return None if "/" in exact_text(hours) else Quantity(hours, HOUR)
