"""Priced calls become charges: one line for each destination, the calls themselves listed below the bill."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from fractions import Fraction
from functools import partial
from typing import Any

import attrs

from billing_framework import (
    AgreementUsage,
    Amount,
    Charge,
    ChargeItem,
    Component,
    DateSpan,
    Step,
    Tile,
    exact_text,
)
from billing_telecom_usage.deck.table import DeckRow
from billing_telecom_usage.rating.item import lengths_of, seconds_of
from billing_telecom_usage.wording import clock, shown_number, word

StateRead = Callable[[AgreementUsage, Component], tuple[str, ...]]
"""Tells the names of carried state that the prices of a component's calls rest on."""


@attrs.frozen(kw_only=True)
class RatedCall:
    """A call with its final price.

    Attributes:
        key: key of its record.
        usage: the agreement that it belongs to.
        tile: plan version in force when it starts.
        component: component of the plan that prices it.
        deck: name of the deck in force when it starts.
        billed: the billing period of the bill that it stands on.
        local: start by the clock of the account.
        number: number at the other end.
        seconds: seconds to charge; 0 for a call that nobody answered.
        row: row of the deck that prices it, that of its first tariff period.
        billed_s: seconds that are charged or covered.
        free_s: seconds of these that allowances cover.
        amount: its price.
    """

    key: int
    usage: AgreementUsage
    tile: Tile
    component: Component
    deck: str
    billed: DateSpan
    local: datetime
    number: str
    seconds: int
    row: DeckRow
    billed_s: int
    free_s: int = 0
    amount: Fraction

    @property
    def is_late(self) -> bool:
        """True where the call starts before the period of its bill, as all calls do of an agreement that had ended before."""
        return self.local.date() < self.billed.start

    @property
    def line(self) -> tuple[str, str, date, bool, bool, str]:
        """What line of the bill it stands in: agreement, component, plan dates, late or not, answered or not, destination."""
        dates = self.tile.dates.start
        return self.usage.agreement.code, self.component.code, dates, self.is_late, not self.seconds, self.row.destination


@attrs.frozen(kw_only=True)
class LineHead:
    """What the lines of one destination say alike, on whichever bill they stand.

    Attributes:
        component: component of the plan that prices their calls.
        plan: code and version of the plan.
        currency: its currency.
        dates: dates of the plan version; None for late calls, whose service dates are those on which they were made.
        description: what is printed.
        source: what tells them from other lines of the component.
        rounding: how each call is rounded, in words.
        locale: language of the account.
    """

    component: Component
    plan: str
    currency: str
    dates: DateSpan | None
    description: str
    source: str
    rounding: str
    locale: str

    def service(self, first: date, last: date) -> DateSpan:
        """Return the service dates of calls from a first to a last date, as far as one plan version reaches."""
        return self.dates or DateSpan.inclusive(first, last)


def line_head(
    tile: Tile, component: Component, destination: str, *, billed: DateSpan, is_late: bool, is_answered: bool, locale: str
) -> LineHead:
    """Return what all lines of a destination say.

    Args:
        tile: plan version in force when their calls start.
        component: component that prices them.
        destination: name of the destination.
        billed: billing period of the bill.
        is_late: whether the calls start before it.
        is_answered: whether somebody answered.
        locale: language of the account.
    """
    shown = destination
    if is_late:  # their days are the service dates of the line
        shown = word(locale, "late", destination=destination)
    elif not is_answered:
        shown = word(locale, "attempts", destination=destination)
    # Late calls are told from others by the period that bills them, too.
    source = destination.replace("|", "/") + (f" billed with {billed}" if is_late else "")
    params = component.params
    return LineHead(
        component=component,
        plan=tile.plan.name,
        currency=tile.plan.currency,
        dates=None if is_late else tile.dates,
        description=f"{component.title(locale)}: {shown}",
        source=source + ("" if is_answered else " attempts"),
        rounding="" if params.places is None else f", each rounded {params.mode.value} to {params.places} decimals",
        locale=locale,
    )


def line_charge(
    head: LineHead,
    *,
    agreement: str,
    billed_s: int,
    free_s: int,
    amount: Amount,
    amount_text: str,
    service: DateSpan,
    records: tuple[int, ...],
    state_read: tuple[str, ...],
    rows: Iterable[Step],
    items: tuple[ChargeItem, ...],
) -> Charge:
    """Return the charge of the calls of one line.

    Args:
        head: what it says like all lines of its destination.
        agreement: code of the agreement.
        billed_s: seconds that are charged or covered.
        free_s: seconds of these that allowances cover.
        amount: price of its calls.
        amount_text: the same as a step writes it.
        service: its service dates.
        records: keys of the records of the calls.
        state_read: names of the carried state that their prices rest on.
        rows: a step for each row of the deck that prices some of them.
        items: the calls as they are listed.
    """
    locale, component = head.locale, head.component
    details = {word(locale, "calls"): str(len(records)), word(locale, "charged"): clock(billed_s)}
    if free_s:
        details[word(locale, "included")] = clock(free_s)
    added = Step(label="sum of the calls", formula=f"{len(records)} calls{head.rounding}", result=amount_text)
    return Charge(
        agreement=agreement,
        component=component.code,
        code=component.charge_code,
        description=head.description,
        service=service,
        source=head.source,
        quantity=seconds_of(billed_s),
        amount=amount,
        tax_category=component.tax_category,
        plan=head.plan,
        records=records,
        state_read=state_read,
        steps=(*rows, added),
        details=details,
        items=items,
    )


@attrs.frozen
class RowWords:
    """What a line says of a row of a deck: by which names it is one, how it is called, and its prices."""

    key: tuple[str, str, str]
    label: str
    prices: str


def row_words(deck: str, field: Callable[[str], Any]) -> RowWords:
    """Return what lines say of a row of the deck of a name.

    Args:
        deck: the name.
        field: gives a field of the row by its name.
    """
    prefix, period = field("prefix"), field("period")
    label = f"{deck}, prefix {prefix}" + (f", {period}" if period else "")
    return RowWords((deck, prefix, period), label, _prices(field))


def row_step(words: RowWords, calls: int, billed_s: int, free_s: int, amount_text: str) -> Step:
    """Return the step of the calls of a line that a row of the deck prices; arguments as those of `line_charge`."""
    included = f", {free_s} s of them included" if free_s else ""
    formula = f"{calls} calls of {billed_s} s{included}: {words.prices}"
    return Step(label=words.label, formula=formula, result=amount_text)


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
    first, last = calls[0], calls[-1]
    head = line_head(
        first.tile,
        first.component,
        first.row.destination,
        billed=first.billed,
        is_late=first.is_late,
        is_answered=first.seconds > 0,
        locale=locale,
    )
    amount = Amount(_sum(calls), head.currency)
    return line_charge(
        head,
        agreement=first.usage.agreement.code,
        billed_s=sum(call.billed_s for call in calls),
        free_s=sum(call.free_s for call in calls),
        amount=amount,
        amount_text=str(amount),
        service=head.service(first.local.date(), last.local.date()),
        records=tuple(call.key for call in calls),
        state_read=state_read(first.usage, first.component),
        rows=_steps(calls, head.currency),
        items=tuple(_item(call, head, hidden_digits) for call in calls) if first.component.params.itemised else (),
    )


def _sum(calls: Sequence[RatedCall]) -> Fraction:
    """Return the sum of the prices; over one denominator, because adding fractions one by one takes ten times as long."""
    below = math.lcm(*{call.amount.denominator for call in calls})
    return Fraction(sum(call.amount.numerator * (below // call.amount.denominator) for call in calls), below)


def _steps(calls: Sequence[RatedCall], currency: str) -> Iterator[Step]:
    by_row: dict[tuple[str, str, str], list[RatedCall]] = {}
    for call in calls:
        by_row.setdefault((call.deck, call.row.prefix, call.row.period), []).append(call)
    for some in by_row.values():
        billed, free = sum(call.billed_s for call in some), sum(call.free_s for call in some)
        text = str(Amount(_sum(some), currency))
        yield row_step(row_words(some[0].deck, partial(getattr, some[0].row)), len(some), billed, free, text)


def _prices(field: Callable[[str], Any]) -> str:
    groups, fee = field("groups"), field("connect_fee")
    blocks = (
        f"groups {groups}"
        if groups
        else f"{exact_text(field('rate_per_min'))} a minute by {field('initial_s')}/{field('increment_s')} s"
    )
    return f"{exact_text(fee)} a call, {blocks}" if fee else blocks


def _item(call: RatedCall, head: LineHead, hidden_digits: int) -> ChargeItem:
    return ChargeItem(
        record=call.key,
        on=call.local.date(),
        time=call.local.time().isoformat("seconds"),
        text=shown_number(call.number, hidden_digits),
        quantity=seconds_of(call.billed_s),
        amount=Amount(call.amount, head.currency),
        details=lengths_of(head.locale, call.seconds, call.billed_s, call.free_s),
    )
