"""Priced calls become charges: one line for each destination, the calls themselves listed below the bill."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction

import attrs

from billing_framework import (
    Amount,
    Charge,
    ChargeItem,
    DateSpan,
    Quantity,
    Step,
    exact_text,
)
from billing_telecom_usage.deck.table import DeckRow
from billing_telecom_usage.rating.sorting import Task
from billing_telecom_usage.wording import clock, shown_number, word

StateRead = Callable[[Task], tuple[str, ...]]
"""Tells the names of carried state that the price of a call rests on."""


@attrs.frozen(kw_only=True)
class RatedCall:
    """A call with its final price.

    Attributes:
        task: the call.
        row: row of the deck that prices it, that of its first tariff period.
        billed_s: seconds that are charged or covered.
        free_s: seconds of these that allowances cover.
        amount: its price.
    """

    task: Task
    row: DeckRow
    billed_s: int
    free_s: int = 0
    amount: Fraction

    @property
    def destination(self) -> str:
        """Name of its destination."""
        return self.row.destination

    @property
    def line(self) -> tuple[str, str, date, bool, bool, str]:
        """What line of the bill it stands in: agreement, component, plan dates, late or not, answered or not, destination."""
        task = self.task
        dates = task.tile.dates.start
        return task.usage.agreement.code, task.component.code, dates, task.is_late, not task.seconds, self.destination


def charges_of(calls: Iterable[RatedCall], *, locale: str, hidden_digits: int, state_read: StateRead) -> Iterator[Charge]:
    """Yield a charge for each destination of each plan component, in order of agreement, component, dates and destination.

    Args:
        calls: priced calls, in order of start.
        locale: language of the account.
        hidden_digits: last digits of called numbers that the itemisation hides.
        state_read: names of the carried state that a call rests on.
    """
    lines: dict[tuple[str, str, date, bool, bool, str], list[RatedCall]] = {}
    for call in calls:
        lines.setdefault(call.line, []).append(call)
    for key in sorted(lines):
        yield _charge(lines[key], locale, hidden_digits, state_read)


def _charge(calls: Sequence[RatedCall], locale: str, hidden_digits: int, state_read: StateRead) -> Charge:
    first = calls[0]
    task, component = first.task, first.task.component
    total = sum((call.amount for call in calls), Fraction(0))
    billed, free = sum(call.billed_s for call in calls), sum(call.free_s for call in calls)
    currency = task.tile.plan.currency
    details = {word(locale, "calls"): str(len(calls)), word(locale, "charged"): clock(billed)}
    if free:
        details[word(locale, "included")] = clock(free)
    return Charge(
        agreement=task.usage.agreement.code,
        component=component.code,
        code=component.charge_code,
        description=f"{component.title(locale)}: {_destination(calls, locale)}",
        service=_service(calls),
        source=_source(first),
        quantity=Quantity(Fraction(billed), "s"),
        amount=Amount(total, currency),
        tax_category=component.tax_category,
        plan=task.tile.plan.name,
        records=tuple(call.task.record.key for call in calls),
        state_read=state_read(task),
        steps=tuple(_steps(calls, total, currency)),
        details=details,
        items=tuple(_item(call, locale, hidden_digits) for call in calls) if task.params.itemised else (),
    )


def _destination(calls: Sequence[RatedCall], locale: str) -> str:
    first = calls[0]
    if first.task.is_late:  # their days are the service dates of the line
        return word(locale, "late", destination=first.destination)
    return first.destination if first.task.seconds else word(locale, "attempts", destination=first.destination)


def _service(calls: Sequence[RatedCall]) -> DateSpan:
    """Return the dates of the plan version; of late calls the dates on which they were made, as far as one version reaches."""
    task = calls[0].task
    if not task.is_late:
        return task.tile.dates
    return DateSpan(task.local.date(), calls[-1].task.local.date() + timedelta(days=1))


def _source(call: RatedCall) -> str:
    """Return what tells the line from others of its component; late calls are told by the period that bills them, too."""
    name = call.destination.replace("|", "/")
    late = f" billed with {call.task.billed}" if call.task.is_late else ""
    return f"{name}{late}" + ("" if call.task.seconds else " attempts")


def _steps(calls: Sequence[RatedCall], total: Fraction, currency: str) -> Iterator[Step]:
    by_row: dict[tuple[str, str, str], list[RatedCall]] = {}
    for call in calls:
        by_row.setdefault((call.task.deck.name, call.row.prefix, call.row.period), []).append(call)
    for (deck, prefix, period), some in by_row.items():
        label = f"{deck}, prefix {prefix}" + (f", {period}" if period else "")
        free = sum(call.free_s for call in some)
        included = f", {free} s of them included" if free else ""
        formula = f"{len(some)} calls of {sum(call.billed_s for call in some)} s{included}: {_prices(some[0].row)}"
        amount = sum((call.amount for call in some), Fraction(0))
        yield Step(label=label, formula=formula, result=f"{exact_text(amount)} {currency}")
    params = calls[0].task.params
    rounding = "" if params.places is None else f", each rounded {params.mode.value} to {params.places} decimals"
    yield Step(label="sum of the calls", formula=f"{len(calls)} calls{rounding}", result=f"{exact_text(total)} {currency}")


def _prices(row: DeckRow) -> str:
    blocks = (
        f"groups {row.groups}"
        if row.groups
        else f"{exact_text(row.rate_per_min)} a minute by {row.initial_s}/{row.increment_s} s"
    )
    return f"{exact_text(row.connect_fee)} a call, {blocks}" if row.connect_fee else blocks


def _item(call: RatedCall, locale: str, hidden_digits: int) -> ChargeItem:
    task = call.task
    details = [(word(locale, "duration"), clock(task.seconds)), (word(locale, "charged"), clock(call.billed_s))]
    if call.free_s:
        details.append((word(locale, "included"), clock(call.free_s)))
    return ChargeItem(
        record=task.record.key,
        on=task.local.date(),
        time=task.local.strftime("%H:%M:%S"),
        text=shown_number(task.call.other_number, hidden_digits),
        quantity=Quantity(Fraction(call.billed_s), "s"),
        amount=Amount(call.amount, task.tile.plan.currency),
        details=tuple(details),
    )
