"""Stamps of a file become instants by columns, with the zones of the standard library, as `delimited_cell.instant` reads one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import polars as pl

from billing_framework.values.period import EARLIEST, LATEST

Numbers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_EPOCH = date(1970, 1, 1)
_LOCAL, _UTC = len("2026-07-31T23:59:00"), len("2026-07-31T23:59:00Z")
_DIGITS = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
_MARKS = ((4, "-"), (7, "-"), (13, ":"), (16, ":"))
_DAYS_OF_MONTH = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
_DAYS_BEFORE = np.concatenate([[0, 0], np.cumsum(_DAYS_OF_MONTH[1:-1])])


@attrs.frozen(kw_only=True, eq=False)
class Instants:
    """Instants of some cells.

    Attributes:
        microseconds: since 1970, 0 where `is_known` is false.
        is_known: false where the cell is empty, or has to be looked at by itself.
    """

    microseconds: Numbers
    is_known: Flags


def instants_of(texts: pl.Series, zone: ZoneInfo) -> Instants:
    """Return the instants of stamps such as ``2026-07-31T23:59:00``, with a blank for the ``T``, a ``Z`` behind, or neither.

    Times without a ``Z`` are local. Other forms, and local times on a day on which the clocks are changed, are not known.

    Args:
        texts: the cells.
        zone: zone of local times.
    """
    count = len(texts)
    microseconds, is_known = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.bool_)
    lengths = texts.str.len_bytes().to_numpy()
    for length in (_LOCAL, _UTC):
        chosen = lengths == length
        if not chosen.any():
            continue
        alike = chosen.all()
        found, is_stamp = _stamps(texts if alike else texts.filter(pl.Series(chosen)), length)
        if length == _LOCAL:
            found, is_plain = _to_utc(found, zone)
            is_stamp &= is_plain
        found[~is_stamp] = 0
        if alike:
            return Instants(microseconds=found, is_known=is_stamp)
        microseconds[chosen], is_known[chosen] = found, is_stamp
    return Instants(microseconds=microseconds, is_known=is_known)


def _stamps(texts: pl.Series, length: int) -> tuple[Numbers, Flags]:
    """Return what texts of one length say, as if in UTC, and which of them are stamps."""
    joined = texts.str.join("").item()
    letters = np.frombuffer(joined.encode(), dtype=np.uint8).reshape(len(texts), length)
    digits = [letters[:, place] - np.uint8(ord("0")) for place in _DIGITS]  # what is no digit becomes more than 9
    is_stamp = np.maximum.reduce(digits) <= 9
    for place, mark in _MARKS:
        is_stamp &= letters[:, place] == ord(mark)
    is_stamp &= (letters[:, 10] == ord("T")) | (letters[:, 10] == ord(" "))
    if length == _UTC:
        is_stamp &= letters[:, _UTC - 1] == ord("Z")
    pair = [digits[place].astype(np.int64) * 10 + digits[place + 1] for place in range(0, len(digits), 2)]
    year, (month, day, hour, minute, second) = pair[0] * 100 + pair[1], pair[2:]
    is_leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    month_or_0 = np.where(month <= 12, month, 0)
    last = _DAYS_OF_MONTH[month_or_0] + (is_leap & (month == 2))
    is_stamp &= (day >= 1) & (day <= last) & (hour <= 23) & (minute <= 59) & (second <= 59)
    is_stamp &= (year >= EARLIEST.year) & (year <= LATEST.year)
    before = year - 1
    days = before * 365 + before // 4 - before // 100 + before // 400 + _DAYS_BEFORE[month_or_0] + (is_leap & (month > 2)) + day
    seconds = (days - _EPOCH.toordinal()) * 86_400 + hour * 3_600 + minute * 60 + second
    return seconds * _SECOND, is_stamp


def _to_utc(local: Numbers, zone: ZoneInfo) -> tuple[Numbers, Flags]:
    """Return instants of local times, and which of them lie on a day without a change of the clocks."""
    first, last = _to_day(EARLIEST), _to_day(LATEST)
    days = np.clip(local // _DAY, first, last)
    known, places = np.unique(days, return_inverse=True)
    offsets = [_offset_on(zone, int(day)) for day in known.tolist()]
    seconds = np.array([offset or 0 for offset in offsets], dtype=np.int64)
    is_plain = np.array([offset is not None for offset in offsets], dtype=np.bool_)
    return local - (seconds * _SECOND)[places], is_plain[places]


def _to_day(day: date) -> int:
    return (day - _EPOCH).days


@lru_cache(maxsize=4_096)
def _offset_on(zone: ZoneInfo, day: int) -> int | None:
    """Return the offset of local time from UTC in seconds on a day since 1970; None where it is not the same all day long."""
    start = datetime.combine(_EPOCH + timedelta(days=day), time.min)
    offsets = {
        (start + timedelta(minutes=15 * quarter)).replace(tzinfo=zone, fold=fold).utcoffset()
        for quarter in range(97)
        for fold in (0, 1)
    }
    offset = offsets.pop()
    second = timedelta(seconds=1)
    return None if offsets or offset is None or offset % second else offset // second
