"""Register reads to consumption: spans between readings, across meters, proven without a hole, shared to parts of the period."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

import attrs

from billing_framework import CarriedState, DateSpan, Finding, Quantity, Severity, Step, ValueRefused, exact_text
from billing_utility_metering.kinds import REGISTER_READ, Flow
from billing_utility_metering.rating.contribution import Context, Contribution, point_problem
from billing_utility_metering.rating.day_shares import day_shares, share_fact
from billing_utility_metering.rating.multiplier import multiplier
from billing_utility_metering.rating.read_chain import (
    Reading,
    ReadSpan,
    carried,
    chain,
    opening_from,
    reading_of,
    span_between,
    state_name,
)
from billing_utility_metering.rating.read_facts import read_facts
from billing_utility_metering.units import family_of


@attrs.frozen(kw_only=True)
class RegisterUse:
    """The consumption of one register of one meter in the window.

    Attributes:
        meter: serial number of the meter, or empty.
        register: the register.
        flow: which way it flows.
        unit: unit after the multiplier.
        spans: the spans between its readings, each beginning where the one before ends.
        state_read: names of the carried state that it depends on.
    """

    meter: str
    register: str
    flow: Flow
    unit: str
    spans: tuple[ReadSpan, ...]
    state_read: tuple[str, ...] = ()

    @property
    def dates(self) -> tuple[Reading, Reading]:
        """First and last reading."""
        return self.spans[0].first, self.spans[-1].last


@attrs.define
class RegisterOutcome:
    """What the registers of a usage point came to."""

    contributions: list[Contribution] = attrs.field(factory=list)
    state: list[CarriedState] = attrs.field(factory=list)
    findings: list[Finding] = attrs.field(factory=list)


def measure_registers(context: Context, subject: str, window: DateSpan) -> RegisterOutcome:
    """Return what the registers of a usage point add to each tile.

    The readings of all meters of the point must follow each other without a hole from the first to the last billed date
    (``UTIL23``, ``UTIL24``); a meter exchange gives two spans, each with its own multiplier.
    """
    outcome = RegisterOutcome()
    uses: list[RegisterUse] = []
    for (meter, register, flow, unit), readings in sorted(_registers(context, subject).items(), key=lambda item: item[0][:2]):
        name = state_name(subject, meter, register)
        opening = opening_from(context.usage.state, name, readings) if window.start == context.usage.period.start else None
        bounds = chain(readings, opening, window)
        try:
            spans = tuple(_span(context, subject, meter, first, last) for first, last in pairwise(bounds))
        except ValueRefused as refused:
            outcome.findings.append(point_problem(refused.code, f"{subject}/{register}", refused.what, refused.remedy))
            continue
        if spans:
            read = (name,) if opening else ()
            uses.append(RegisterUse(meter=meter, register=register, flow=flow, unit=unit, spans=spans, state_read=read))
            outcome.state.append(carried(bounds[-1], context, name))
    if uses or not outcome.findings:
        outcome.findings.extend(_holes(context, subject, uses, window))
    for use in uses:
        outcome.contributions.extend(_shared(context, subject, use, several=len(uses) > 1))
    return outcome


def _registers(context: Context, subject: str) -> dict[tuple[str, str, Flow, str], list[Reading]]:
    found: dict[tuple[str, str, Flow, str], list[Reading]] = {}
    for record in context.records(REGISTER_READ.name, subject):
        body = record.usage.body
        if body.flow is not Flow.OTHER and not family_of(body.unit).endswith("power"):
            found.setdefault((body.meter, body.register, body.flow, body.unit), []).append(reading_of(record, context))
    return found


def _span(context: Context, subject: str, meter: str, first: Reading, last: Reading) -> ReadSpan:
    details = context.details_on(subject, first.on, meter)
    until = context.details_on(subject, last.on - timedelta(days=1), meter)
    if multiplier(details) != multiplier(until):
        raise ValueRefused(
            "UTIL26",
            f"the multiplier changes between the readings of {first.on} and {last.on}",
            remedy="Take in a reading of the day of the change",
        )
    return span_between(first, last, details, context.settings.rollover_factor)


def _holes(context: Context, subject: str, uses: Sequence[RegisterUse], window: DateSpan) -> Iterator[Finding]:
    """Yield what is missing before, between and after the meters of a point, and registers of one meter that do not agree."""
    tolerance = timedelta(days=context.settings.read_window_days)
    meters: dict[str, list[RegisterUse]] = {}
    for use in uses:
        meters.setdefault(use.meter, []).append(use)
    if not meters:
        yield point_problem("UTIL24", subject, f"no two readings bound {window}", "Take in the readings of the period")
        return
    spans: list[tuple[Reading, Reading]] = []
    for meter, own in meters.items():
        dates = {(use.dates[0].on, use.dates[1].on) for use in own}
        if len(dates) > 1:
            yield point_problem(
                "UTIL24",
                f"{subject}/{meter}",
                "the registers of the meter were not all read on the same dates",
                "Take in the missing readings",
            )
        spans.append(own[0].dates)
    spans.sort(key=lambda pair: pair[0].on)
    opening, closing = spans[0][0], max((last for _, last in spans), key=lambda reading: reading.on)
    if opening.on > window.start:
        late = opening.on - window.start > tolerance
        yield Finding(
            code="UTIL23",
            severity=Severity.ISSUE if late else Severity.INFORMATION,
            what=f"the first reading is of {opening.on}, the point is billed from {window.start}",
            remedy="Take in an opening reading",
            subject=subject,
        )
    for (_, last), (first, _) in pairwise(spans):
        if first.on != last.on:
            yield point_problem(
                "UTIL23",
                subject,
                f"one meter was read last on {last.on}, the next one first on {first.on}",
                "Take in the closing reading of the old and the opening reading of the new meter for one date",
            )
    if window.end - closing.on > tolerance:
        yield point_problem(
            "UTIL24",
            subject,
            f"the last reading is of {closing.on}, the period ends on {window.last}",
            f"Take in a reading of the last {tolerance.days} days",
        )


def _shared(context: Context, subject: str, use: RegisterUse, *, several: bool) -> Iterator[Contribution]:
    tiles = [tile.dates for tile in context.usage.tiles]
    total = sum((span.quantity for span in use.spans), Fraction(0))
    shares = [Fraction(0)] * len(tiles)
    days = [0] * len(tiles)
    for span in use.spans:
        dates = DateSpan(span.first.on, span.last.on) if span.first.on < span.last.on else None
        parts = day_shares(span.quantity, span.first.on, dates, tiles, context.settings.sharing)
        shares = [share + part.quantity for share, part in zip(shares, parts, strict=True)]
        days = [count + part.days for count, part in zip(days, parts, strict=True)]
    keys = tuple(dict.fromkeys(one.key for span in use.spans for one in (span.first, span.last) if one.key is not None))
    facts = read_facts(context.locale, use.meter, use.register, use.unit, use.spans, several=several)
    for number, (share, count) in enumerate(zip(shares, days, strict=True)):
        if not count and not share and len(tiles) > 1:
            continue
        part = share_fact(context.locale, use.register if several else "", count, sum(days), Quantity(share, use.unit))
        yield Contribution(
            tile=number,
            subject=subject,
            name=use.register,
            flow=use.flow,
            unit=use.unit,
            quantity=share,
            records=keys,
            estimated=any(span.estimated for span in use.spans),
            facts=(*facts, *((part,) if count < sum(days) else ())),
            steps=(*_steps(use), *_share_steps(total, share, count, sum(days), use.unit)),
            state_read=use.state_read,
        )


def _steps(use: RegisterUse) -> Iterator[Step]:
    for span in use.spans:
        formula = f"{exact_text(span.last.value)} - {exact_text(span.first.value)}"
        if span.rolled:
            formula += ", across zero"
        if span.multiplier != 1:
            formula += f", times {exact_text(span.multiplier)}"
        yield Step(
            label=f"register {use.meter}/{use.register} from {span.first.on} to {span.last.on}",
            formula=formula,
            result=str(Quantity(span.quantity, use.unit)),
        )


def _share_steps(total: Fraction, share: Fraction, days: int, all_days: int, unit: str) -> tuple[Step, ...]:
    if days == all_days:
        return ()
    formula = f"{exact_text(total)} {unit} x {days}/{all_days}"
    return (Step(label="share by days", formula=formula, result=str(Quantity(share, unit))),)
