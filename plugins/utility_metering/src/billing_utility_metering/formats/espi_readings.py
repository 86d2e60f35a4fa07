"""The readings of one Green Button meter reading, block by block: placed on one grid, each place filled once or not at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from billing_framework import BadRecord, Finding, ReadRequest, Severity
from billing_utility_metering.formats.espi_channel import ReadingChannel
from billing_utility_metering.formats.espi_feed import NO_QUALITY, Entry, whole
from billing_utility_metering.formats.refusal import RecordRefused, bad_record
from billing_utility_metering.time_cover import TimeCover

_LATEST = 7_258_118_400  # the year 2200
_LONGEST_BLOCK = 20 * 366 * 86_400
_SHORTEST, _LONGEST_INTERVAL = 60, 86_400
_LARGEST_VALUE = 2**62
_LISTED = 50


@attrs.frozen(kw_only=True)
class Place:
    """One reading on the grid: scaled value, quality code, and the block that it came in."""

    value: int
    quality: str
    block: int


@attrs.define
class Placed:
    """The readings of one channel by start (seconds since 1970).

    Attributes:
        seconds: length of an interval; 0 before the first reading.
        anchor: start of the first reading; all others lie whole intervals away.
        claimed: the time that the blocks declare, and that of the readings.
        places: the readings.
        refused: starts that two readings claim with different values; neither counts.
    """

    seconds: int = 0
    anchor: int = 0
    claimed: TimeCover = attrs.field(factory=TimeCover)
    places: dict[int, Place] = attrs.field(factory=dict)
    refused: set[int] = attrs.field(factory=set)


def place_readings(
    placed: Placed, blocks: Sequence[Entry], channel: ReadingChannel, request: ReadRequest, subject: str
) -> Iterator[BadRecord | Finding]:
    """Fill `placed` from the blocks; yield readings that cannot be used, and what the blocks promise or repeat.

    A reading of another length than its channel's, off the grid, or with other content than an earlier one of the same start is
    bad; a repeated one counts once (``UTIL10``); one outside of its block's declared time counts and is told (``UTIL14``).
    """
    for number, entry in enumerate(blocks):
        try:
            start, duration = _declared(entry)
        except RecordRefused as refused:
            yield bad_record(request, entry.line, _raw(entry), refused, subject)
            continue
        placed.claimed.add(start, start + duration)
        block = _Block(number=number, entry=entry, start=start, end=start + duration, channel=channel)
        problems, told = _fill(placed, block)
        for line, raw, problem in problems:
            yield bad_record(request, line, raw, problem, subject)
        for code, what in told:
            yield Finding(
                code=code, severity=Severity.INFORMATION, what=what, file=request.file, line=entry.line, subject=subject
            )
    for start in placed.refused:
        placed.places.pop(start, None)


def _declared(block: Entry) -> tuple[int, int]:
    start, duration = whole(block.fields.get("interval/start")), whole(block.fields.get("interval/duration"))
    if start is None and duration is None and block.readings.starts and block.readings.starts[0] >= 0:
        start, duration = block.readings.starts[0], 0
    if start is None or duration is None or not 0 <= start < _LATEST or not 0 <= duration <= _LONGEST_BLOCK:
        raise RecordRefused(
            "UTIL04",
            "the interval of a block has no sound start and duration",
            remedy="Ask the utility for the file again",
            field="interval",
            value=f"{block.fields.get('interval/start', '')}+{block.fields.get('interval/duration', '')}",
        )
    return start, duration


def _raw(block: Entry) -> str:
    return f"<IntervalBlock href={block.own!r}> with {len(block.readings.values)} readings"


@attrs.frozen(kw_only=True)
class _Block:
    """One interval block with the time that it declares."""

    number: int
    entry: Entry
    start: int
    end: int
    channel: ReadingChannel

    def declares(self, begin: int, end: int) -> bool:
        """True where the block declares that time, or declares none."""
        return self.start == self.end or (self.start <= begin and end <= self.end)


def _fill(placed: Placed, block: _Block) -> tuple[list[tuple[int, str, RecordRefused]], list[tuple[str, str]]]:
    """Place the block's readings; return line, text and refusal of the bad ones, and code and text of what is to be told."""
    readings, channel = block.entry.readings, block.channel
    remedy = "Ask the utility for the file again"
    problems = [
        (line, raw, RecordRefused("UTIL04", "a reading is no whole number, or its time is negative", remedy=remedy))
        for line, raw in readings.broken
    ]
    repeated = beyond = negative = 0
    position = block.start
    for index, value in enumerate(readings.values):
        begin = position if readings.starts[index] < 0 else readings.starts[index]
        length = readings.durations[index] if readings.durations[index] >= 0 else (channel.seconds or placed.seconds)
        position = begin + length
        try:
            quality = _code(readings.qualities[index], channel)
            place = Place(value=_scaled(value, channel.power), quality=quality, block=block.number)
            fresh = _place(placed, begin, length, place)
        except RecordRefused as refused:
            problems.append((block.entry.line, f"start={begin} duration={length} value={value}", refused))
            continue
        repeated += not fresh
        negative += value < 0
        beyond += not block.declares(begin, position)
    told = (
        (repeated, "UTIL10", "readings are repeated with the same value; each counts once"),
        (beyond, "UTIL14", "readings lie outside of the time that their block declares; they count"),
        (negative, "UTIL07", "readings are negative; they count as they are"),
    )
    return problems, [(code, f"{count} {what}") for count, code, what in told if count]


def _code(quality: int, channel: ReadingChannel) -> str:
    return str(quality) if quality != NO_QUALITY else channel.default_quality


def _scaled(value: int, power: int) -> int:
    scaled: int = value * 10 ** max(power, 0)
    if abs(scaled) >= _LARGEST_VALUE:
        raise RecordRefused("UTIL04", "the value is larger than any meter counts", remedy="Ask the utility", value=str(value))
    return scaled


def _place(placed: Placed, begin: int, length: int, place: Place) -> bool:
    """Put a reading on the grid; False where the same one stood there already."""
    if not placed.places and not placed.refused:
        placed.seconds, placed.anchor = length, begin
    if length != placed.seconds or not _SHORTEST <= length <= _LONGEST_INTERVAL:
        raise RecordRefused(
            "UTIL14",
            f"the reading covers {length} seconds where its channel has intervals of {placed.seconds}",
            remedy="Ask the utility for intervals of one length from a minute to a day",
            field="timePeriod",
        )
    if not 0 <= begin < _LATEST:
        raise RecordRefused("UTIL04", "the reading's start is no sound time", remedy="Ask the utility", field="start")
    earlier = placed.places.get(begin)
    if earlier is None and begin not in placed.refused:
        if (begin - placed.anchor) % length:
            raise RecordRefused(
                "UTIL14", "the reading overlaps another one", remedy="Ask the utility for the file again", field="start"
            )
        placed.places[begin] = place
        placed.claimed.add(begin, begin + length)
        return True
    if earlier is not None and (earlier.value, earlier.quality) == (place.value, place.quality):
        return False
    placed.refused.add(begin)
    placed.places.pop(begin, None)
    raise RecordRefused(
        "UTIL10",
        "two readings of one interval have different values; neither counts",
        remedy="Ask the utility which one is right",
        field="value",
        value=str(place.value),
    )
