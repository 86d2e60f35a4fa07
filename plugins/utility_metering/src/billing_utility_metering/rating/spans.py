"""Consumption between reads as the source computed it (NEM13), cut to the period by days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from zoneinfo import ZoneInfo

import attrs

from billing_framework import DateSpan, Finding, KeyedUsage, Quantity, Step, format_date, format_number, format_quantity
from billing_utility_metering.kinds import REGISTER_SPAN, Flow, RegisterSpan, is_estimate
from billing_utility_metering.rating.contribution import Context, Contribution, point_problem, tile_of
from billing_utility_metering.rating.day_shares import share_fact
from billing_utility_metering.time_cover import TimeCover
from billing_utility_metering.wording import word


@attrs.frozen(kw_only=True)
class _Dated:
    """A span with its local dates; `end` is the date after the last."""

    record: KeyedUsage
    start: date
    end: date

    @property
    def body(self) -> RegisterSpan:
        body: RegisterSpan = self.record.usage.body
        return body

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def days_in(self, dates: DateSpan) -> int:
        return max((min(self.end, dates.end) - max(self.start, dates.start)).days, 0)


def measure_spans(context: Context, subject: str, window: DateSpan) -> tuple[list[Contribution], list[Finding]]:
    """Return what the source's spans add to each tile, by days, and what is missing or double.

    A span that reaches beyond the period leaves the other days to the other periods; the shares of all periods sum to it exactly.
    """
    streams: dict[str, list[_Dated]] = {}
    for record in context.records(REGISTER_SPAN.name, subject):
        span = _dated(record, context.zone)
        if span.body.flow is not Flow.OTHER and (span.days_in(window) or (not span.days and span.start in window)):
            streams.setdefault(f"{span.body.channel}/{span.body.register}", []).append(span)
    contributions: list[Contribution] = []
    findings: list[Finding] = []
    for name, spans in sorted(streams.items()):
        findings.extend(_holes(f"{subject}/{name}", spans, window))
        for span in spans:
            contributions.extend(_shared(context, subject, span, window, several=len(streams) > 1))
    return contributions, findings


def _dated(record: KeyedUsage, zone: ZoneInfo) -> _Dated:
    span = record.usage.span
    return _Dated(record=record, start=span.start.astimezone(zone).date(), end=span.end.astimezone(zone).date())


def _holes(name: str, spans: list[_Dated], window: DateSpan) -> Iterator[Finding]:
    cover = TimeCover()
    for span in spans:
        if not cover.add(span.start.toordinal(), span.end.toordinal()):
            yield point_problem(
                "UTIL22",
                name,
                f"two records hold consumption from {span.start} to {span.end}",
                "Take in a newer version of the wrong one, or its deletion, from its source; consumption is never added up",
                value=span.record.usage.external_id,
            )
    for start, end in cover.gaps(window.start.toordinal(), window.end.toordinal()):
        yield point_problem(
            "UTIL24",
            name,
            f"no consumption is known from {date.fromordinal(start)} to {date.fromordinal(end - 1)}",
            "Take in the reads of these dates",
        )


def _shared(context: Context, subject: str, span: _Dated, window: DateSpan, *, several: bool) -> Iterator[Contribution]:
    body, tiles = span.body, [tile.dates for tile in context.usage.tiles]
    for number, tile in enumerate(tiles):
        dates = tile.intersection(window)
        days = span.days_in(dates) if dates else 0
        if not days and (span.days or tile_of(span.start, tiles) != number):
            continue
        quantity = body.quantity * Fraction(days, span.days) if span.days else body.quantity
        facts = _facts(context.locale, span, several=several)
        part = share_fact(context.locale, body.register if several else "", days, span.days, Quantity(quantity, body.unit))
        yield Contribution(
            tile=number,
            subject=subject,
            name=body.register,
            flow=body.flow,
            unit=body.unit,
            quantity=quantity,
            records=(span.record.key,),
            estimated=is_estimate(body.current_quality) or is_estimate(body.previous_quality),
            facts=(*facts, part) if days < span.days else facts,
            steps=(
                Step(
                    label=f"span {body.channel}/{body.register} from {span.start} to {span.end}",
                    formula=f"{Quantity(body.quantity, body.unit)} x {days}/{span.days} days",
                    result=str(Quantity(quantity, body.unit)),
                ),
            ),
        )


def _facts(locale: str, span: _Dated, *, several: bool) -> tuple[tuple[str, str], ...]:
    body = span.body
    prefix = f"{body.register} " if several else ""
    facts = (
        [(word(locale, "meter"), word(locale, "meter_register", meter=body.meter, register=body.register))] if body.meter else []
    )
    for key, value, on, quality in (
        ("previous", body.previous_value, span.start, body.previous_quality),
        ("current", body.current_value, span.end, body.current_quality),
    ):
        shown = word(locale, "not_given") if value is None else format_number(value, locale)
        mark = word(locale, "estimated" if is_estimate(quality) else "actual")
        facts.append((word(locale, key), word(locale, "read", value=shown, date=format_date(on, locale), quality=mark)))
    facts.append((word(locale, "quantity_given"), format_quantity(Quantity(body.quantity, body.unit), locale)))
    return tuple((prefix + label, text) for label, text in facts)
