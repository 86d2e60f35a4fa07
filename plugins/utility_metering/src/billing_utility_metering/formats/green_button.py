"""Green Button files (NAESB REQ.21 ESPI): interval data of usage points in an Atom feed.

The entries of a feed come in any order, so the readings (as plain integers) are kept until the feed ends; what a block says is
understood only with the reading type that another entry holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import BinaryIO

import attrs

from billing_framework import Finding, Reader, ReadItem, ReadRequest, Severity, Usage, timezone
from billing_utility_metering.formats.espi_channel import ReadingChannel
from billing_utility_metering.formats.espi_feed import Entry, entries, whole
from billing_utility_metering.formats.espi_links import named_by, only, parent_of
from billing_utility_metering.formats.espi_readings import Placed, place_readings
from billing_utility_metering.formats.espi_time import FileZone
from billing_utility_metering.formats.refusal import RecordRefused, bad_record, check_options, option
from billing_utility_metering.formats.tally import ChannelTally, Tally
from billing_utility_metering.kinds import INTERVAL_DAY, Flow, IntervalDay, run_length, stamp
from billing_utility_metering.time_cover import TimeCover, span_of

OPTIONS = {
    "subject": "what names a usage point: customer_point (9B6C7066/5446AF3F, the default), point (5446AF3F), id (the entry's)"
}
_SUMMARIES = ("UsageSummary", "ElectricPowerUsageSummary")
_LONGEST_PERIOD = 800 * 86_400


@attrs.define
class _Feed:
    """All entries of a feed by resource."""

    by_resource: dict[str, list[Entry]] = attrs.field(factory=dict)

    def of(self, *resources: str) -> list[Entry]:
        return [entry for resource in resources for entry in self.by_resource.get(resource, ())]


@attrs.frozen(kw_only=True)
class _Stream:
    """One meter reading with all that is needed to understand its blocks."""

    subject: str
    channel: str
    facts: ReadingChannel
    zone: FileZone
    blocks: tuple[Entry, ...]
    line: int

    @property
    def name(self) -> str:
        return f"{self.subject}/{self.channel}"


def read_green_button(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield a record per channel and local day, bad records, findings, and the coverage of every channel.

    Days are cut by the file's own LocalTimeParameters, else by the request's zone. What a block declares counts as claimed, so a
    block that declares a month and holds half of it leaves a gap; the billing period of a usage summary is a claim that is told
    but is no gap, because a summary often speaks of a time that the file was never meant to hold.

    Raises:
        InputRefused: the file is no feed; see `espi_feed.entries`.
    """
    check_options(request, tuple(OPTIONS))
    option(request, "subject", "customer_point", "customer_point", "point", "id")
    feed = _Feed()
    for entry in entries(stream, request):
        feed.by_resource.setdefault(entry.resource, []).append(entry)
    blocks: dict[int, list[Entry]] = {}
    meters = feed.of("MeterReading")
    for block in feed.of("IntervalBlock"):
        meter = parent_of(block, "IntervalBlock", meters) or only(meters)
        if meter is None:
            yield _lost(block, request, "no MeterReading of the file is linked to this block")
        else:
            blocks.setdefault(meter.line, []).append(block)
    tally = Tally()
    for meter in meters:
        yield from _meter_items(feed, meter, tuple(blocks.get(meter.line, ())), tally, request)
    yield from tally.report(request)


def _lost(block: Entry, request: ReadRequest, what: str) -> ReadItem:
    refused = RecordRefused("UTIL13", what, remedy="Ask the utility for the complete file", field="link", value=block.up)
    return bad_record(request, block.line, f"<{block.resource} href={block.own!r}>", refused)


def _meter_items(feed: _Feed, meter: Entry, blocks: tuple[Entry, ...], tally: Tally, request: ReadRequest) -> Iterator[ReadItem]:
    points, kinds = feed.of("UsagePoint"), feed.of("ReadingType")
    point = parent_of(meter, "MeterReading", points) or only(points)
    kind = named_by(meter, kinds) or only(kinds)
    if point is None or kind is None:
        missing = "UsagePoint" if point is None else "ReadingType"
        for block in blocks:
            yield _lost(block, request, f"no {missing} of the file is linked to the block's MeterReading")
        return
    subject = _subject(point, request)
    try:
        facts = ReadingChannel.of(kind)
    except RecordRefused as refused:
        for block in blocks:
            yield bad_record(request, block.line, f"<IntervalBlock href={block.own!r}>", refused, subject)
        return
    local = named_by(point, feed.of("LocalTimeParameters")) or only(feed.of("LocalTimeParameters"))
    if unsound := FileZone.unsound(local.fields if local else {}):
        yield _unsound_time(unsound, local.line if local else 0, request, subject)
    stream = _Stream(
        subject=subject,
        channel=meter.own.rpartition("/")[2] or "1",
        facts=facts,
        zone=FileZone.of(local.fields if local else {}, timezone(request.zone)),
        blocks=blocks,
        line=meter.line,
    )
    placed = Placed(seconds=facts.seconds)
    yield from place_readings(placed, blocks, facts, request, stream.name)
    if placed.places:
        yield from _days(stream, placed, request)
        channel = tally.channel(stream.name, placed.seconds, meter.line)
        _count(channel, placed)
        summaries = [entry for entry in feed.of(*_SUMMARIES) if parent_of(entry, entry.resource, points) in (point, None)]
        yield from _summary_items(stream, channel, summaries, request)


def _unsound_time(part: str, line: int, request: ReadRequest, subject: str) -> Finding:
    what = f"the file's local time cannot be used ({part[:100]}); days are cut without it"
    remedy = f"Check that the days of the file begin at midnight in {request.zone}, or ask the utility for the file again"
    return Finding(
        code="UTIL12", severity=Severity.INFORMATION, what=what, remedy=remedy, file=request.file, line=line, subject=subject
    )


def _subject(point: Entry, request: ReadRequest) -> str:
    how = request.options.get("subject", "customer_point")
    parts = point.own.split("/")
    if how == "id" or not point.own:
        return point.identity or point.own or "unnamed"
    if how == "point" or len(parts) < 3:
        return parts[-1]
    return f"{parts[-3]}/{parts[-1]}"


def _days(stream: _Stream, placed: Placed, request: ReadRequest) -> Iterator[ReadItem]:
    claimed_from, claimed_to = placed.claimed.starts[0], placed.claimed.ends[-1]
    starts, position = sorted(placed.places), 0
    while position < len(starts):
        day, begins, ends = stream.zone.day_of(starts[position])
        low, high = max(begins, claimed_from), min(ends, claimed_to)
        first = low + (placed.anchor - low) % placed.seconds
        slots = range(first, max(high, first + placed.seconds), placed.seconds)
        inside = [placed.places.get(slot) for slot in slots]
        while position < len(starts) and starts[position] < ends:
            position += 1
        blocks = {place.block for place in inside if place}
        updated = max((_version(stream.blocks[number].updated), stream.blocks[number].updated) for number in blocks)
        slot = f"{stream.name}/{day:%Y%m%d}"
        yield Usage(
            kind=INTERVAL_DAY.name,
            source=request.source,
            external_id=f"{slot}/{updated[0]}",
            subject=stream.subject,
            span=span_of(slots[0], slots[-1] + placed.seconds),
            slot=slot,
            version=updated[0],
            body=IntervalDay(
                channel=stream.channel,
                unit=stream.facts.unit,
                flow=stream.facts.flow,
                interval_seconds=placed.seconds,
                scale=max(-stream.facts.power, 0),
                values=tuple(place.value if place else 0 for place in inside),
                missing=tuple(number for number, place in enumerate(inside) if place is None),
                qualities=run_length(place.quality if place else "-" for place in inside),
                updated=updated[1],
            ),
            line=stream.blocks[min(blocks)].line,
        )


def _version(text: str) -> int:
    if not re.match(r"[12]\d{3}-", text, re.ASCII):
        return 0
    try:
        return stamp(datetime.fromisoformat(text))
    except ValueError:
        return 0


def _count(channel: ChannelTally, placed: Placed) -> None:
    channel.claimed.add(placed.claimed.starts[0], placed.claimed.ends[-1])
    for start in sorted(placed.places):
        channel.received.add(start, start + placed.seconds)


def _summary_items(stream: _Stream, channel: ChannelTally, summaries: list[Entry], request: ReadRequest) -> Iterator[ReadItem]:
    """Tell how much of a summary's billing period the file holds, where the two meet at all."""
    for summary in summaries:
        start, duration = whole(summary.fields.get("billingPeriod/start")), whole(summary.fields.get("billingPeriod/duration"))
        if start is None or duration is None or not 0 < duration <= _LONGEST_PERIOD or stream.facts.flow is not Flow.DELIVERED:
            continue
        end = start + duration
        if start < 0 or not channel.received.overlaps(start, end):
            continue
        declared = ChannelTally(seconds=channel.seconds, first_line=summary.line, received=channel.received)
        declared.claimed = TimeCover([start], [end])
        coverage = declared.coverage(f"{stream.name}/billing period")
        yield coverage
        if coverage.missing:
            yield Finding(
                code="UTIL09",
                severity=Severity.INFORMATION,
                what=f"the usage summary speaks of {coverage.expected} values, the file holds {coverage.received} of them",
                file=request.file,
                line=summary.line,
                subject=stream.name,
            )


GREEN_BUTTON = Reader(
    format="green_button",
    title="Green Button interval data (NAESB ESPI)",
    kinds=(INTERVAL_DAY.name,),
    read=read_green_button,
    options=OPTIONS,
)
