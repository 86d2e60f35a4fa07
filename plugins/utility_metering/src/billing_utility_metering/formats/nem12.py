"""AEMO NEM12: interval data, one 300 record per channel and day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, BinaryIO

import attrs

from billing_framework import BadRecord, Finding, ReadItem, ReadRequest, Severity, Span, Usage
from billing_utility_metering.formats.lines import text_lines
from billing_utility_metering.formats.mdff import (
    Frame,
    MarketOptions,
    Record,
    canonical_unit,
    flow_of,
    market_time,
    version_of,
)
from billing_utility_metering.formats.nem12_day import qualities_of, values_of
from billing_utility_metering.formats.refusal import RecordRefused, bad_record, misplaced
from billing_utility_metering.formats.tally import Tally
from billing_utility_metering.kinds import INTERVAL_DAY, Flow, IntervalDay, run_length
from billing_utility_metering.time_cover import seconds_of

if TYPE_CHECKING:
    pass

_MINUTES = ("1", "5", "10", "15", "30", "60")
_DAY = timedelta(days=1)
_LONGEST_NAME = 200


@attrs.frozen(kw_only=True)
class Channel:
    """What a 200 record says about the 300 records after it."""

    point: str
    suffix: str
    register: str
    meter: str
    unit: str
    flow: Flow
    seconds: int

    @property
    def name(self) -> str:
        """Point and data stream."""
        return f"{self.point}/{self.suffix}"

    @property
    def intervals(self) -> int:
        """Number of intervals of a day."""
        return 86_400 // self.seconds


@attrs.define
class MeterFile:
    """Where the reader stands in the file.

    Attributes:
        request: what the reader is told.
        options: its options.
        frame: the frame of the file.
        channel: what the last 200 record says, None where it was refused or none came.
        refused: how such a 200 record shows itself.
        day: the 300 record whose 400 records may follow.
        details: these, so far.
        tally: what came of every channel.
    """

    request: ReadRequest
    options: MarketOptions
    frame: Frame
    channel: Channel | None = None
    refused: str = ""
    day: Record | None = None
    details: list[Record] = attrs.field(factory=list)
    tally: Tally = attrs.field(factory=Tally)

    @classmethod
    def of(cls, request: ReadRequest) -> MeterFile:
        """Return where the reader stands before the first line.

        Raises:
            InputRefused: ``UTIL17`` for an option that is none.
        """
        return cls(request, MarketOptions.of(request), Frame.of(request, "NEM12"))

    def take(self, number: int, text: str) -> Iterator[ReadItem]:
        """Yield what a line and those before it come to.

        Raises:
            InputRefused: the frame of the file is broken.
        """
        for record in self.frame.take(number, text):
            if not isinstance(record, Record):
                yield record
            elif record.indicator == "400" and self.day is not None:
                self.details.append(record)
            else:
                yield from self.finish_day()
                if (problem := _step(self, record)) is not None:
                    yield problem

    def finish_day(self) -> Iterator[ReadItem]:
        """Yield what the day comes to whose 400 records have all been read."""
        if self.day is not None:
            record, details = self.day, self.details
            self.day, self.details = None, []
            yield from _day(self, record, details)

    def close(self) -> Iterator[ReadItem]:
        """Yield what is left, and the coverage of every channel.

        Raises:
            InputRefused: the file does not end as it must.
        """
        self.frame.close()
        yield from self.finish_day()
        yield from self.tally.report(self.request)


def read_nem12(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield a record per channel and day, bad records, findings, and at the end the coverage of every channel.

    Raises:
        InputRefused: the file is no complete NEM12 file; see `mdff.Frame`.
    """
    file = MeterFile.of(request)
    for number, text in text_lines(stream, request):
        yield from file.take(number, text)
    yield from file.close()


def _step(file: MeterFile, record: Record) -> BadRecord | None:
    try:
        if record.indicator == "200":
            file.channel, file.refused = None, ",".join(record.fields[1:8])[:_LONGEST_NAME]
            file.channel = _channel(record, file.options)
        elif record.indicator == "300":
            file.day = record
        elif record.indicator != "500":  # index reads at transactions; the bill rests on the intervals
            return bad_record(file.request, record.line, record.raw, misplaced(record.indicator), record.at(1))
    except RecordRefused as refused:
        return bad_record(file.request, record.line, record.raw, refused, record.at(1))
    return None


def _channel(record: Record, options: MarketOptions) -> Channel:
    minutes = record.needed(8, "IntervalLength")
    if minutes not in _MINUTES:
        raise RecordRefused(
            "UTIL04",
            "the interval length is none that a day divides into",
            remedy="Known are 5, 15 and 30 minutes",
            field="IntervalLength",
            value=minutes,
        )
    suffix = record.needed(4, "NMISuffix")
    return Channel(
        point=record.needed(1, "NMI"),
        suffix=suffix,
        register=record.at(3),
        meter=record.at(6),
        unit=canonical_unit(record.at(7), options),
        flow=flow_of(suffix),
        seconds=int(minutes) * 60,
    )


def _day(file: MeterFile, record: Record, details: list[Record]) -> Iterator[ReadItem]:
    raw = "\n".join(part.raw for part in (record, *details))
    if file.channel is None:
        orphan = RecordRefused("UTIL04", "no valid 200 record says whose values these are", remedy="Correct the 200 record")
        # The refused 200 record tells equal days of two channels apart; both are kept.
        yield bad_record(file.request, record.line, raw, orphan, file.refused)
        return
    try:
        yield from _day_items(file, file.channel, record, details)
    except RecordRefused as refused:
        yield bad_record(file.request, record.line, raw, refused, file.channel.name)


def _day_items(file: MeterFile, channel: Channel, record: Record, details: list[Record]) -> Iterator[ReadItem]:
    day = market_time(record.needed(1, "IntervalDate")[:8], "IntervalDate", file.options.zone)
    tally = file.tally.channel(channel.name, channel.seconds, record.line)
    start = seconds_of(day)
    again = not tally.claimed.add(start, start + 86_400)
    scale, values, missing = values_of(record, channel.intervals)
    codes = qualities_of(record, details, channel.intervals)
    missing = sorted({*missing, *(position for position, code in enumerate(codes) if code[:1] == "N")})
    gaps = set(missing)
    update = record.at(channel.intervals + 5)
    version = version_of(update, "UpdateDateTime")
    for position in range(channel.intervals) if gaps else ():
        if position not in gaps:
            tally.received.add(start + position * channel.seconds, start + (position + 1) * channel.seconds)
    if not gaps:
        tally.received.add(start, start + 86_400)
    yield _usage(
        file,
        channel,
        line=record.line,
        day=day,
        version=version,
        body=IntervalDay(
            channel=channel.suffix,
            register=channel.register,
            meter=channel.meter,
            unit=channel.unit,
            flow=channel.flow,
            interval_seconds=channel.seconds,
            scale=scale,
            values=tuple(0 if place in gaps else value for place, value in enumerate(values)) if gaps else tuple(values),
            missing=tuple(missing),
            qualities=run_length("-" if place in gaps else code for place, code in enumerate(codes))
            if gaps
            else run_length(codes),
            updated=update,
        ),
    )
    if again:
        yield _note(
            file, record, channel, "UTIL10", "the file holds this channel and day more than once; the latest update counts"
        )
    if "V" in codes:
        yield _note(file, record, channel, "UTIL08", "the day's quality varies (V), but its 400 records leave intervals open")


def _usage(file: MeterFile, channel: Channel, *, line: int, day: datetime, version: int, body: IntervalDay) -> Usage[IntervalDay]:
    slot = f"{channel.name}/{day.astimezone(file.options.zone):%Y%m%d}"
    return Usage(
        kind=INTERVAL_DAY.name,
        source=file.request.source,
        external_id=f"{slot}/{version}",
        subject=channel.point,
        span=Span(day, day + _DAY),
        slot=slot,
        version=version,
        body=body,
        line=line,
    )


def _note(file: MeterFile, record: Record, channel: Channel, code: str, what: str) -> Finding:
    return Finding(
        code=code, severity=Severity.INFORMATION, what=what, file=file.request.file, line=record.line, subject=channel.name
    )
