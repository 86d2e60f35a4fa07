"""NEM12 by columns: the days that are plainly good as matrices, all other lines one by one as `nem12` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import attrs
import numpy as np
import numpy.typing as npt
import polars as pl

from billing_framework import ReadItem, ReadRequest, RecordColumns, line_blocks, rejoined
from billing_utility_metering.formats.day_matrix import DayMatrix, Integers, day_matrices
from billing_utility_metering.formats.lines import decoded
from billing_utility_metering.formats.mdff import QUALITY, market_time, version_of
from billing_utility_metering.formats.nem12 import Channel, MeterFile, read_nem12
from billing_utility_metering.formats.refusal import RecordRefused
from billing_utility_metering.kinds import INTERVAL_DAY
from billing_utility_metering.time_cover import seconds_of

_HEADER = b"100,"
_DATE = slice(4, 12)
_DAY = 86_400
_MICROSECONDS = 10**6
_LINE_END = 10


def columns_of(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns]:
    """Yield the items of a file: of each block of lines the columns first, then what was read one by one.

    Raises:
        InputRefused: the file is no complete NEM12 file.
    """
    blocks = line_blocks(stream, request.file)
    head = next(blocks, None)
    if head is None or not head.data.startswith(_HEADER):
        yield from read_nem12(rejoined(chain([] if head is None else [head], blocks), request.file), request)
        return
    file = MeterFile.of(request)
    for block in chain([head], blocks):
        data = block.data.replace(b"\r\n", b"\n")
        if data.isascii() and b"\r" not in data and b"\0" not in data:
            yield from _Walk(file, block.first, data if data.endswith(b"\n") else data + b"\n").items()
        else:
            lines = enumerate(block.data.removesuffix(b"\n").split(b"\n"), start=block.first)
            for number, text in decoded(lines, request):
                yield from file.take(number, text)
    yield from file.close()


@attrs.frozen
class _Tail:
    """What the fields after the values say."""

    quality: str
    update: str
    version: int


_NO_TAIL = _Tail("", "", 0)
"""Stands where rows have none, none of which is taken."""


@attrs.frozen
class _Run:
    """Days of a channel that follow each other without a gap: rows of a matrix."""

    first: int
    count: int
    channel: Channel


@attrs.frozen(kw_only=True, eq=False)
class _Days:
    """The days of a matrix.

    Attributes:
        matrix: the matrix.
        dates: different dates, as they are written.
        tails: different ends of records; None for one that is not plain.
        date_of: place of the date of each row.
        tail_of: place of the end of each row.
        starts: where each day begins, in seconds since 1970.
        until: for each row that may be taken, the one behind the last that surely may be taken with it; 0 for all others.
        runs: what was taken.
    """

    matrix: DayMatrix
    dates: list[str]
    tails: list[_Tail | None]
    date_of: Integers
    tail_of: Integers
    starts: Integers
    until: list[int]
    runs: list[_Run] = attrs.field(factory=list)

    @classmethod
    def of(cls, matrix: DayMatrix, data: bytes, file: MeterFile) -> _Days:
        """Return the days of a matrix of a block of a file."""
        firsts, stops = matrix.starts.tolist(), matrix.stops.tolist()
        dates = _coded([data[first + _DATE.start : first + _DATE.stop] for first in firsts])
        tails = _coded([data[end + 1 : stop] for end, stop in zip(matrix.ends.tolist(), stops, strict=True)])
        starts = [_start(date, file) for date in dates.texts]
        read = [_tail(tail) for tail in tails.texts]
        start_of = np.array([0 if start is None else start for start in starts], dtype=np.int64)[dates.codes]
        is_plain = ~np.isin(dates.codes, [place for place, start in enumerate(starts) if start is None])
        is_plain &= ~np.isin(tails.codes, [place for place, tail in enumerate(read) if tail is None])
        follows = is_plain[1:] & is_plain[:-1] & (np.diff(matrix.lines) == 1) & (np.diff(start_of) == _DAY)
        ends = np.flatnonzero(np.append(~follows, True)) + 1
        until = np.where(is_plain, np.repeat(ends, np.diff(ends, prepend=0)), 0)
        return cls(
            matrix=matrix,
            dates=[date.decode() for date in dates.texts],
            tails=read,
            date_of=dates.codes,
            tail_of=tails.codes,
            starts=start_of,
            until=until.tolist(),
        )


@attrs.frozen(eq=False)
class _Coded:
    """Texts as places in a list of the different ones."""

    texts: list[bytes]
    codes: Integers


def _coded(texts: list[bytes]) -> _Coded:
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return _Coded(list(places), np.array(list(map(places.__getitem__, texts)), dtype=np.int64))


def _start(date: bytes, file: MeterFile) -> int | None:
    try:
        return seconds_of(market_time(date.decode(), "IntervalDate", file.options.zone))
    except RecordRefused:
        return None


def _tail(text: bytes) -> _Tail | None:
    quality, _, _, update, _ = (field.strip() for field in text.decode().split(","))
    if QUALITY.fullmatch(quality) is None or quality[0] in "NV":
        return None
    try:
        return _Tail(quality, update, version_of(update, "UpdateDateTime"))
    except RecordRefused:
        return None


class _Walk:
    """One walk over the lines of a block, in their order, for what a line means depends on the lines before it."""

    def __init__(self, file: MeterFile, first: int, data: bytes) -> None:
        self.file = file
        self.first = first
        self.data = data
        self.days = [_Days.of(matrix, data, file) for matrix in day_matrices(data)]

    def items(self) -> Iterator[ReadItem | RecordColumns]:
        """Yield the columns of the block, then the other items."""
        stops = np.flatnonzero(np.frombuffer(self.data, dtype=np.uint8) == _LINE_END)
        owners: npt.NDArray[np.int64] = np.full(len(stops), -1, dtype=np.int64)
        rows = np.zeros_like(owners)
        for place, days in enumerate(self.days):
            owners[days.matrix.lines], rows[days.matrix.lines] = place, np.arange(len(days.matrix.lines))
        found: list[ReadItem] = []
        line, begin, line_stops = 0, 0, stops.tolist()
        while line < len(line_stops):
            taken = 0
            if owners[line] >= 0:
                if self.file.day is not None:
                    found.extend(self.file.finish_day())
                taken = self._taken(self.days[owners[line]], int(rows[line]), self.first + line)
            if not taken:
                found.extend(self.file.take(self.first + line, self.data[begin : line_stops[line]].decode()))
            line += taken or 1
            begin = line_stops[line - 1] + 1
        for days in self.days:
            if days.runs:
                yield self._columns(days)
        yield from found

    def _taken(self, days: _Days, row: int, number: int) -> int:
        """Take in the days from a row on, and return how many were plain in every way."""
        file, channel, count = self.file, self.file.channel, days.until[row] - row
        if count <= 0 or channel is None or not file.frame.is_open or channel.intervals != days.matrix.values.shape[1]:
            return 0
        tally, start = file.tally.channel(channel.name, channel.seconds, number), int(days.starts[row])
        if tally.claimed.ends and start < tally.claimed.ends[-1]:
            return 0
        tally.claimed.add(start, start + count * _DAY)
        tally.received.add(start, start + count * _DAY)
        file.frame.last = number + count - 1
        days.runs.append(_Run(row, count, channel))
        return count

    def _columns(self, days: _Days) -> RecordColumns:
        """Return the days that were taken."""
        matrix, counts = days.matrix, np.array([run.count for run in days.runs])
        chosen = np.concatenate([np.arange(run.first, run.first + run.count) for run in days.runs])
        run_of, tail_of = np.repeat(np.arange(len(counts)), counts), days.tail_of[chosen]
        values = matrix.values if len(chosen) == len(matrix.lines) else matrix.values[chosen]
        starts, count = days.starts[chosen] * _MICROSECONDS, values.shape[1]
        channels = [run.channel for run in days.runs]
        tails = [tail or _NO_TAIL for tail in days.tails]

        def of_channels(column: list[str] | list[int]) -> pl.Series:
            return pl.Series(column).gather(run_of)

        def of_tails(column: list[str] | list[int]) -> pl.Series:
            return pl.Series(column).gather(tail_of)

        frame = pl.DataFrame(
            {
                "line": matrix.lines[chosen] + self.first,
                "subject": of_channels([channel.point for channel in channels]),
                "start": starts,
                "end": starts + _DAY * _MICROSECONDS,
                "slot": of_channels([f"{channel.name}/" for channel in channels])
                + pl.Series(days.dates).gather(days.date_of[chosen]),
                "version": of_tails([tail.version for tail in tails]),
                "channel": of_channels([channel.suffix for channel in channels]),
                "register": of_channels([channel.register for channel in channels]),
                "meter": of_channels([channel.meter for channel in channels]),
                "unit": of_channels([channel.unit for channel in channels]),
                "flow": of_channels([channel.flow.value for channel in channels]),
                "interval_seconds": of_channels([channel.seconds for channel in channels]),
                "scale": matrix.scales[chosen],
                "values": pl.Series(values, dtype=pl.Array(pl.Int64, count)).arr.to_list(),
                "qualities": of_tails([f"{tail.quality}*{count}" for tail in tails]),
                "updated": of_tails([tail.update for tail in tails]),
            }
        ).with_columns(external_id=pl.concat_str("slot", pl.lit("/"), "version"))
        return RecordColumns(kind=INTERVAL_DAY.name, source=self.file.request.source, frame=frame)
