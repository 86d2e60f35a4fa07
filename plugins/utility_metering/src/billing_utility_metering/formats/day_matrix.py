"""The 300 records of a block of NEM12 lines as matrices of scaled integers, exact by their digits; what is unusual is left out.

Usual is a record that starts with ``300,`` and a date of 8 digits, has as many values as a day has intervals, each of plain
digits with at most one point, and exactly the five fields after them; the next line must show that no 400 record follows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[Any]
Flags = npt.NDArray[np.bool_]

_COMMA, _POINT, _LINE_END = b",.\n"
_COUNTS = (24, 48, 96, 144, 288, 1440)
"""How many intervals a day can have."""

_BEFORE, _AFTER = 2, 5
"""Fields before and after the values."""

_MOST_WHOLE, _MOST_DECIMALS, _MOST_DIGITS = 15, 9, 18
_DATE_DIGITS = 8


@attrs.frozen(kw_only=True, eq=False)
class DayMatrix:
    """Days of one number of intervals.

    Attributes:
        lines: 0-based numbers of their lines in the block, ascending.
        values: the scaled values, a row for each day.
        scales: decimals of the values of each day, as few as can be.
        starts: where the line of each day begins.
        ends: where its values end, and behind a comma the rest of its record begins.
        stops: where the line ends.
    """

    lines: Integers
    values: Integers
    scales: Integers
    starts: Integers
    ends: Integers
    stops: Integers


@attrs.frozen(eq=False)
class _Marks:
    """Commas, points and line ends of a block; `ends` are the line ends among them, `starts` and `stops` those of the lines."""

    buffer: npt.NDArray[np.uint8]
    places: Integers
    is_point: Flags
    ends: Integers
    starts: Integers
    stops: Integers

    @classmethod
    def of(cls, data: bytes) -> _Marks:
        buffer = np.frombuffer(data, dtype=np.uint8)
        places = np.flatnonzero((buffer == _COMMA) | (buffer == _POINT) | (buffer == _LINE_END))
        kinds = buffer[places]
        is_point = kinds == _POINT
        ends = np.flatnonzero(kinds == _LINE_END)
        return cls(
            buffer=buffer,
            places=places,
            is_point=is_point,
            ends=ends,
            starts=np.concatenate(([0], places[ends[:-1]] + 1)),
            stops=places[ends],
        )


def day_matrices(data: bytes) -> Iterator[DayMatrix]:
    """Yield the usual days among some lines of ASCII text, each ended by a line feed alone."""
    marks = _Marks.of(data)
    separators = np.flatnonzero(~marks.is_point)
    last = np.searchsorted(separators, marks.ends)  # place of each line's end among the separators
    first = np.concatenate(([0], last[:-1] + 1))
    widths = last - first + 1
    usual = _are_days(marks.buffer, marks.starts)
    usual &= marks.places[separators[np.minimum(first + 1, last)]] - marks.starts == len("300,") + _DATE_DIGITS
    for count in _COUNTS:
        lines = np.flatnonzero(usual & (widths == count + _BEFORE + _AFTER))
        if len(lines):
            fields = separators[first[lines][:, None] + np.arange(_BEFORE - 1, _BEFORE + count)]
            yield _read(marks, lines, fields)


def _are_days(buffer: npt.NDArray[np.uint8], starts: Integers) -> Flags:
    """Return which lines are 300 records, followed by a record that is no 400 record."""
    padded = np.concatenate([buffer, np.zeros(4, dtype=np.uint8)])
    heads = padded[starts[:, None] + np.arange(4)]
    codes = [heads[:, 0] == ord(digit) for digit in "2359"]
    is_record = (heads[:, 1] == ord("0")) & (heads[:, 2] == ord("0")) & ((heads[:, 3] == _COMMA) | (heads[:, 3] == _LINE_END))
    is_day = is_record & codes[1] & (heads[:, 3] == _COMMA)
    found: Flags = is_day & np.append((is_record & np.logical_or.reduce(codes))[1:], False)
    return found


def _read(marks: _Marks, lines: Integers, fields: Integers) -> DayMatrix:
    """Return the days whose values are plain.

    Args:
        marks: the marks of the block.
        lines: numbers of the lines.
        fields: for each line the mark before its first value, and those behind each value.
    """
    places = marks.places[fields]
    begins, ends, behind = places[:, :-1] + 1, places[:, 1:], fields[:, 1:]
    pointed = np.diff(fields, axis=1) - 1  # marks between two separators are points
    decimals = np.where(pointed == 1, ends - marks.places[behind - 1] - 1, 0)
    digits = ends - begins - pointed
    whole = digits - decimals
    scales, widest = decimals.max(axis=1), whole.max(axis=1)
    plain = (pointed.max(axis=1) <= 1) & (whole.min(axis=1) >= 1) & (widest <= _MOST_WHOLE)
    plain &= (scales <= _MOST_DECIMALS) & (widest + scales <= _MOST_DIGITS)
    if not plain.all():
        lines, ends, pointed, digits = lines[plain], ends[plain], pointed[plain], digits[plain]
        decimals, scales = decimals[plain], scales[plain]
    values, sound = _numbers(marks.buffer, ends, digits, decimals, pointed)
    if not sound.all():
        lines, ends, values, decimals, scales = lines[sound], ends[sound], values[sound], decimals[sound], scales[sound]
    if (decimals != scales[:, None]).any():
        values *= 10 ** (scales[:, None] - decimals)
    _shorten(values, scales)
    starts, stops = marks.starts[lines], marks.stops[lines]
    return DayMatrix(lines=lines, values=values, scales=scales, starts=starts, ends=ends[:, -1], stops=stops)


def _numbers(
    buffer: npt.NDArray[np.uint8], ends: Integers, digits: Integers, decimals: Integers, pointed: Integers
) -> tuple[Integers, Flags]:
    """Return the numbers that end before some places, and of which rows all characters are digits.

    Args:
        buffer: the text.
        ends: where each number ends.
        digits: how many digits it has.
        decimals: how many of them stand behind its point.
        pointed: 1 where it has a point, 0 where it has none.
    """
    values: Integers = np.zeros(digits.shape, dtype=np.int64)
    sound: Flags = np.ones(len(digits), dtype=np.bool_)
    least = int(digits.min(initial=_MOST_DIGITS))
    is_even = bool((decimals == decimals[:1, :1]).all()) and bool(pointed.all())
    for place in range(int(digits.max(initial=0))):
        shift = int(decimals[0, 0] <= place) if is_even else pointed * (decimals <= place)
        found = buffer[ends - (1 + place) - shift] - np.uint8(ord("0"))
        if place >= least:
            found[digits <= place] = 0
        sound &= (found < 10).all(axis=1)  # bytes below the digits wrap round to large ones
        values += found.astype(np.int64) * 10**place
    return values, sound


def _shorten(values: Integers, scales: Integers) -> None:
    """Take decimals away that are zero in all values of a day."""
    rows = np.flatnonzero((scales > 0) & (values[:, :1] % 10 == 0).all(axis=1))
    while len(rows := rows[(values[rows] % 10 == 0).all(axis=1)]):
        values[rows] //= 10
        scales[rows] -= 1
        rows = rows[scales[rows] > 0]
