"""Interval days cut to the billed instants, proven complete, and summed for every part of the period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import attrs

from billing_framework import DateSpan, Finding, KeyedUsage, Quantity, Step
from billing_utility_metering.kinds import INTERVAL_DAY, Flow, IntervalDay, is_estimate, runs
from billing_utility_metering.rating.contribution import Context, Contribution, point_problem
from billing_utility_metering.rating.series import Run
from billing_utility_metering.time_cover import TimeCover, seconds_of, span_of
from billing_utility_metering.wording import word

_LISTED_GAPS = 5


@attrs.frozen(kw_only=True)
class _Cut:
    """The part of a record that lies in a span of instants (seconds since 1970): positions `first` to `last`, excluded."""

    record: KeyedUsage
    first: int
    last: int

    @property
    def body(self) -> IntervalDay:
        body: IntervalDay = self.record.usage.body
        return body

    @property
    def start(self) -> int:
        return seconds_of(self.record.usage.start) + self.first * self.body.interval_seconds

    @property
    def end(self) -> int:
        return seconds_of(self.record.usage.start) + self.last * self.body.interval_seconds

    @property
    def estimates(self) -> int:
        """Number of values that were not read."""
        return estimates_in(self.body.qualities, self.first, self.last)


def estimates_in(qualities: str, first: int, last: int) -> int:
    """Return how many of the values at positions `first` to `last`, excluded, were not read, by run-length quality codes."""
    position = found = 0
    for code, length in runs(qualities):
        if is_estimate(code):
            found += max(min(position + length, last) - max(position, first), 0)
        position += length
    return found


def _cut(record: KeyedUsage, start: int, end: int) -> _Cut | None:
    """Return the intervals of a record that begin in the span; an interval belongs to where it begins, so none counts twice."""
    body: IntervalDay = record.usage.body
    begin, length = seconds_of(record.usage.start), body.interval_seconds
    first = max(-((begin - start) // length), 0)
    last = min(-((begin - end) // length), len(body.values))
    return _Cut(record=record, first=first, last=last) if first < last else None


def measure_intervals(context: Context, subject: str, window: DateSpan) -> tuple[list[Contribution], list[Finding]]:
    """Return what the interval channels of a usage point add to each tile, and what is missing or double.

    Every channel must be complete for all dates of the window: a missing interval (``UTIL21``) or
    one that two records claim (``UTIL22``) holds the account, because it would become a smaller or larger bill in silence.
    Where the assignment names ``channels``, those must be there and no other is billed.
    """
    start, end = _instants(context, window)
    channels: dict[str, list[KeyedUsage]] = {name: [] for name in _named_channels(context, subject, window)}
    is_named = bool(channels)
    for record in context.records(INTERVAL_DAY.name, subject):
        body = record.usage.body
        if body.flow is not Flow.OTHER and _cut(record, start, end) and (not is_named or body.channel in channels):
            channels.setdefault(body.channel, []).append(record)
    contributions: list[Contribution] = []
    findings: list[Finding] = []
    for channel, own in sorted(channels.items()):
        findings.extend(_incomplete(context, subject, channel, own, window))
        contributions.extend(_by_tile(context, subject, channel, own, window))
    return contributions, findings


def _instants(context: Context, dates: DateSpan) -> tuple[int, int]:
    span = dates.instants(context.zone)
    return seconds_of(span.start), seconds_of(span.end)


def _named_channels(context: Context, subject: str, window: DateSpan) -> list[str]:
    listed = context.details_on(subject, window.start).get("channels", "")
    return [name.strip() for name in listed.split(",") if name.strip()]


def _incomplete(
    context: Context, subject: str, channel: str, records: Iterable[KeyedUsage], window: DateSpan
) -> Iterator[Finding]:
    start, end = _instants(context, window)
    cover, name, shortest = TimeCover(), f"{subject}/{channel}", 86_400
    for record in records:
        cut = _cut(record, start, end)
        if cut is None:
            continue
        body = cut.body
        shortest = min(shortest, body.interval_seconds)
        if cover.overlaps(cut.start, cut.end):
            yield point_problem(
                "UTIL22",
                name,
                f"two records hold values for {span_of(cut.start, cut.end)}",
                "Take in a newer version of the wrong one, or its deletion, from its source; values are never added up",
                value=record.usage.external_id,
            )
        for first, last in _present(body, cut.first, cut.last):
            begin = cut.start + (first - cut.first) * body.interval_seconds
            cover.add(begin, begin + (last - first) * body.interval_seconds)
    gaps = [(begin, stop) for begin, stop in cover.gaps(start, end) if stop - begin >= shortest or begin > start]
    for begin, stop in gaps[:_LISTED_GAPS]:
        yield point_problem(
            "UTIL21",
            name,
            f"no values from {span_of(begin, stop)} ({(stop - begin) // shortest} intervals)",
            "Take in the missing data, or end the point's assignment on the day on which the channel ended",
        )
    if len(gaps) > _LISTED_GAPS:
        missing = sum(stop - begin for begin, stop in gaps) // shortest
        yield point_problem("UTIL21", name, f"{len(gaps)} gaps with {missing} intervals in all", "Take in the missing data")


def _present(body: IntervalDay, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the ranges of positions that have a value."""
    position = first
    for gap in (place for place in body.missing if first <= place < last):
        if position < gap:
            yield position, gap
        position = gap + 1
    if position < last:
        yield position, last


def _by_tile(context: Context, subject: str, channel: str, records: list[KeyedUsage], window: DateSpan) -> Iterator[Contribution]:
    for number, tile in enumerate(context.usage.tiles):
        dates = tile.dates.intersection(window)
        if dates is None:
            continue
        start, end = _instants(context, dates)
        cuts = [cut for record in records if (cut := _cut(record, start, end))]
        by_facts: dict[tuple[Flow, str], list[_Cut]] = {}
        for cut in cuts:
            by_facts.setdefault((cut.body.flow, cut.body.unit), []).append(cut)
        for (flow, unit), own in by_facts.items():
            found = tuple(_run(cut) for cut in own)
            total = sum((run.total for run in found), Fraction(0))
            count = sum(len(run.counts) for run in found)
            yield Contribution(
                tile=number,
                subject=subject,
                name=channel,
                flow=flow,
                unit=unit,
                quantity=total,
                records=tuple(cut.record.key for cut in own),
                estimated=any(cut.estimates for cut in own),
                runs=found,
                facts=_facts(context.locale, channel, own, count),
                steps=(channel_step(channel, count, Quantity(total, unit)),),
            )


def _run(cut: _Cut) -> Run:
    body = cut.body
    return Run(
        start=cut.start,
        seconds=body.interval_seconds,
        counts=body.values[cut.first : cut.last],
        value=Fraction(1, 10**body.scale),
    )


def _facts(locale: str, channel: str, cuts: list[_Cut], count: int) -> tuple[tuple[str, str], ...]:
    lengths = {cut.body.interval_seconds for cut in cuts}
    counted = Counted(values=count, estimated=sum(cut.estimates for cut in cuts), lengths=frozenset(lengths))
    return channel_facts(locale, channel, {cut.body.meter for cut in cuts}, counted)


@attrs.frozen(kw_only=True)
class Counted:
    """Number of values of a channel, of those that were not read, and the lengths of the intervals in seconds."""

    values: int
    estimated: int
    lengths: frozenset[int]


def channel_step(channel: str, count: int, total: Quantity) -> Step:
    """Return the step that tells the sum of a channel."""
    return Step(label=f"channel {channel}", formula=f"sum of {count} intervals", result=str(total))


def channel_facts(locale: str, channel: str, serials: Iterable[str], counted: Counted) -> tuple[tuple[str, str], ...]:
    """Return what the bill says of a channel: its meters, and how many values it gave."""
    meters = sorted(set(serials) - {""})
    minutes = "/".join(str(seconds // 60) for seconds in sorted(counted.lengths))
    count, estimated = counted.values, counted.estimated
    values = word(locale, "values_estimated" if estimated else "values", count=count, minutes=minutes, estimated=estimated)
    named = ((word(locale, "meter"), ", ".join(meters)),) if meters else ()
    return (*named, (word(locale, "channel", channel=channel), values))
