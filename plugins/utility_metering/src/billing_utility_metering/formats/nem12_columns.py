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
from billing_utility_metering.formats.day_matrix import DayMatrix, day_matrices
from billing_utility_metering.formats.lines import decoded
from billing_utility_metering.formats.mdff import QUALITY, market_time, version_of
from billing_utility_metering.formats.nem12 import Channel, MeterFile, read_nem12
from billing_utility_metering.formats.refusal import RecordRefused
from billing_utility_metering.formats.tally import ChannelTally
from billing_utility_metering.kinds import INTERVAL_DAY
from billing_utility_metering.time_cover import seconds_of

_HEADER = b"100,"
_DATE = slice(4, 12)
_DAY = 86_400
_MICROSECONDS = 10**6


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


@attrs.define
class _Days:
    """Days of a matrix that were taken, a list for each column; rows of the matrix in `rows`."""

    matrix: DayMatrix
    rows: list[int] = attrs.field(factory=list)
    dates: list[str] = attrs.field(factory=list)
    starts: list[int] = attrs.field(factory=list)
    tails: list[_Tail] = attrs.field(factory=list)
    channels: list[Channel] = attrs.field(factory=list)


class _Walk:
    """One walk over the lines of a block, in their order, for what a line means depends on the lines before it."""

    def __init__(self, file: MeterFile, first: int, data: bytes) -> None:
        self.file = file
        self.first = first
        self.data = data
        self.lines = data.split(b"\n")[:-1]
        self.days = [_Days(matrix) for matrix in day_matrices(data)]
        self._starts: dict[bytes, int | None] = {}
        self._tails: dict[bytes, _Tail | None] = {}
        self._channel: Channel | None = None
        self._tally: ChannelTally | None = None

    def items(self) -> Iterator[ReadItem | RecordColumns]:
        """Yield the columns of the block, then the other items."""
        owners: npt.NDArray[np.int64] = np.full(len(self.lines), -1, dtype=np.int64)
        rows = np.zeros_like(owners)
        for place, days in enumerate(self.days):
            owners[days.matrix.lines], rows[days.matrix.lines] = place, np.arange(len(days.matrix.lines))
        found: list[ReadItem] = []
        for place, (line, owner, row) in enumerate(zip(self.lines, owners.tolist(), rows.tolist(), strict=True)):
            if owner >= 0:
                if self.file.day is not None:
                    found.extend(self.file.finish_day())
                if self._is_taken(self.days[owner], row, line, self.first + place):
                    continue
            found.extend(self.file.take(self.first + place, line.decode()))
        for days in self.days:
            if days.rows:
                yield self._columns(days)
        yield from found

    def _is_taken(self, days: _Days, row: int, line: bytes, number: int) -> bool:
        """Take a day in, and return whether it was plain in every way."""
        file, channel = self.file, self.file.channel
        if channel is None or not file.frame.is_open or channel.intervals != days.matrix.values.shape[1]:
            return False
        start, tail = self._start(line[_DATE]), self._tail(days.matrix, row)
        if start is None or tail is None:
            return False
        if channel is not self._channel or self._tally is None:
            self._channel, self._tally = channel, file.tally.channel(channel.name, channel.seconds, number)
        tally = self._tally
        if tally.claimed.ends and start < tally.claimed.ends[-1]:
            return False
        tally.claimed.add(start, start + _DAY)
        tally.received.add(start, start + _DAY)
        file.frame.last = number
        days.rows.append(row)
        days.dates.append(line[_DATE].decode())
        days.starts.append(start)
        days.tails.append(tail)
        days.channels.append(channel)
        return True

    def _start(self, date: bytes) -> int | None:
        if date not in self._starts:
            try:
                self._starts[date] = seconds_of(market_time(date.decode(), "IntervalDate", self.file.options.zone))
            except RecordRefused:
                self._starts[date] = None
        return self._starts[date]

    def _tail(self, matrix: DayMatrix, row: int) -> _Tail | None:
        start = int(matrix.ends[row]) + 1
        text = self.data[start : self.data.index(b"\n", start)]
        if text not in self._tails:
            quality, _, _, update, _ = (field.strip() for field in text.decode().split(","))
            is_whole = QUALITY.fullmatch(quality) is not None and quality[0] not in "NV"
            try:
                self._tails[text] = _Tail(quality, update, version_of(update, "UpdateDateTime")) if is_whole else None
            except RecordRefused:
                self._tails[text] = None
        return self._tails[text]

    def _columns(self, days: _Days) -> RecordColumns:
        """Return the days that were taken."""
        matrix, channels, tails = days.matrix, days.channels, days.tails
        whole = len(days.rows) == len(matrix.lines)
        chosen = np.array(days.rows, dtype=np.int64)
        values = matrix.values if whole else matrix.values[chosen]
        starts = np.array(days.starts, dtype=np.int64) * _MICROSECONDS
        count = values.shape[1]
        slots = [f"{channel.name}/{date}" for channel, date in zip(channels, days.dates, strict=True)]
        frame = pl.DataFrame(
            {
                "line": matrix.lines[chosen] + self.first,
                "external_id": [f"{slot}/{tail.version}" for slot, tail in zip(slots, tails, strict=True)],
                "subject": [channel.point for channel in channels],
                "start": starts,
                "end": starts + _DAY * _MICROSECONDS,
                "slot": slots,
                "version": [tail.version for tail in tails],
                "channel": [channel.suffix for channel in channels],
                "register": [channel.register for channel in channels],
                "meter": [channel.meter for channel in channels],
                "unit": [channel.unit for channel in channels],
                "flow": [channel.flow.value for channel in channels],
                "interval_seconds": [channel.seconds for channel in channels],
                "scale": matrix.scales[chosen],
                "values": pl.Series(values, dtype=pl.Array(pl.Int64, count)).arr.to_list(),
                "qualities": [f"{tail.quality}*{count}" for tail in tails],
                "updated": [tail.update for tail in tails],
            }
        )
        return RecordColumns(kind=INTERVAL_DAY.name, source=self.file.request.source, frame=frame)
