"""Priced calls become charges: one line for each destination, the calls themselves listed below the bill."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from fractions import Fraction

import attrs

from billing_framework import (
    AgreementUsage,
    Amount,
    Charge,
    ChargeItem,
    Component,
    DateSpan,
    Quantity,
    Step,
    Tile,
    exact_text,
)
from billing_telecom_usage.deck.table import DeckRow
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
    def destination(self) -> str:
        """Name of its destination."""
        return self.row.destination

    @property
    def is_late(self) -> bool:
        """True where the call starts before the period of its bill, as all calls do of an agreement that had ended before."""
        return self.local.date() < self.billed.start

    @property
    def line(self) -> tuple[str, str, date, bool, bool, str]:
        """What line of the bill it stands in: agreement, component, plan dates, late or not, answered or not, destination."""
        dates = self.tile.dates.start
        return self.usage.agreement.code, self.component.code, dates, self.is_late, not self.seconds, self.destination


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
        yield charge_of(lines[key], locale=locale, hidden_digits=hidden_digits, state_read=state_read)


def charge_of(calls: Sequence[RatedCall], *, locale: str, hidden_digits: int, state_read: StateRead) -> Charge:
    """Return the charge of the calls of one line; arguments as for `charges_of`."""
    first = calls[0]
    component = first.component
    total = _sum(calls)
    billed, free = sum(call.billed_s for call in calls), sum(call.free_s for call in calls)
    currency = first.tile.plan.currency
    details = {word(locale, "calls"): str(len(calls)), word(locale, "charged"): clock(billed)}
    if free:
        details[word(locale, "included")] = clock(free)
    return Charge(
        agreement=first.usage.agreement.code,
        component=component.code,
        code=component.charge_code,
        description=f"{component.title(locale)}: {_destination(calls, locale)}",
        service=_service(calls),
        source=_source(first),
        quantity=Quantity(Fraction(billed), "s"),
        amount=Amount(total, currency),
        tax_category=component.tax_category,
        plan=first.tile.plan.name,
        records=tuple(call.key for call in calls),
        state_read=state_read(first.usage, component),
        steps=tuple(_steps(calls, total, currency)),
        details=details,
        items=tuple(_item(call, locale, hidden_digits) for call in calls) if component.params.itemised else (),
    )


def _sum(calls: Sequence[RatedCall]) -> Fraction:
    """Return the sum of the prices; over one denominator, because adding fractions one by one takes ten times as long."""
    below = math.lcm(*{call.amount.denominator for call in calls})
    return Fraction(sum(call.amount.numerator * (below // call.amount.denominator) for call in calls), below)


def _destination(calls: Sequence[RatedCall], locale: str) -> str:
    first = calls[0]
    if first.is_late:  # their days are the service dates of the line
        return word(locale, "late", destination=first.destination)
    return first.destination if first.seconds else word(locale, "attempts", destination=first.destination)


def _service(calls: Sequence[RatedCall]) -> DateSpan:
    """Return the dates of the plan version; of late calls the dates on which they were made, as far as one version reaches."""
    first = calls[0]
    if not first.is_late:
        return first.tile.dates
    return DateSpan(first.local.date(), calls[-1].local.date() + timedelta(days=1))


def _source(call: RatedCall) -> str:
    """Return what tells the line from others of its component; late calls are told by the period that bills them, too."""
    name = call.destination.replace("|", "/")
    late = f" billed with {call.billed}" if call.is_late else ""
    return f"{name}{late}" + ("" if call.seconds else " attempts")


def _steps(calls: Sequence[RatedCall], total: Fraction, currency: str) -> Iterator[Step]:
    by_row: dict[tuple[str, str, str], list[RatedCall]] = {}
    for call in calls:
        by_row.setdefault((call.deck, call.row.prefix, call.row.period), []).append(call)
    for (deck, prefix, period), some in by_row.items():
        label = f"{deck}, prefix {prefix}" + (f", {period}" if period else "")
        free = sum(call.free_s for call in some)
        included = f", {free} s of them included" if free else ""
        formula = f"{len(some)} calls of {sum(call.billed_s for call in some)} s{included}: {_prices(some[0].row)}"
        amount = _sum(some)
        yield Step(label=label, formula=formula, result=f"{exact_text(amount)} {currency}")
    params = calls[0].component.params
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
    details = [(word(locale, "duration"), clock(call.seconds)), (word(locale, "charged"), clock(call.billed_s))]
    if call.free_s:
        details.append((word(locale, "included"), clock(call.free_s)))
    return ChargeItem(
        record=call.key,
        on=call.local.date(),
        time=call.local.time().isoformat("seconds"),
        text=shown_number(call.number, hidden_digits),
        quantity=Quantity(Fraction(call.billed_s), "s"),
        amount=Amount(call.amount, call.tile.plan.currency),
        details=tuple(details),
    )
