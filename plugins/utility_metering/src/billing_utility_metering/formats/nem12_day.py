"""The values and quality codes of one NEM12 day: a 300 record with the 400 records after it."""

from __future__ import annotations

import re

from billing_utility_metering.formats.mdff import QUALITY, Record
from billing_utility_metering.formats.refusal import RecordRefused

_VALUE = re.compile(r"(-?)(\d{1,15})(?:\.(\d{0,9}))?", re.ASCII)
_PLAIN = re.compile(r"\d{1,15}(?:\.\d{0,9})?(?:,\d{1,15}(?:\.\d{0,9})?)*", re.ASCII)
_LARGEST_VALUE = 2**62
_DAY_MINUTES = 1_440


def values_of(record: Record, count: int) -> tuple[int, list[int], list[int]]:
    """Return scale, scaled values and missing positions of a day.

    Args:
        record: the 300 record.
        count: how many intervals the day has.

    Raises:
        RecordRefused: ``UTIL04``, ``UTIL05`` or ``UTIL07`` for values that none can bill.
    """
    texts = record.fields[2 : 2 + count]
    strange = [text for text in texts if text[:1].isalpha()]
    if not QUALITY.fullmatch(record.at(2 + count)) or any(map(QUALITY.fullmatch, strange)):
        raise _wrong_count(record, count)
    if _PLAIN.fullmatch(",".join(texts)):
        parts = [(whole, decimals.rstrip("0")) for whole, _, decimals in (text.partition(".") for text in texts)]
    else:
        parts = [_digits(text, position) for position, text in enumerate(texts)]
    scale = max(len(decimals) for _, decimals in parts)
    values = [int((whole or "0") + decimals.ljust(scale, "0")) for whole, decimals in parts]
    if max(values) >= _LARGEST_VALUE:
        raise RecordRefused(
            "UTIL04",
            "the values are larger than any meter counts",
            remedy="Ask the sender for the day",
            field="IntervalValue",
            value=max(texts, key=len),
        )
    return scale, values, [position for position, (whole, _) in enumerate(parts) if not whole]


def _wrong_count(record: Record, count: int) -> RecordRefused:
    place = next((place for place, text in enumerate(record.fields[2:]) if QUALITY.fullmatch(text)), None)
    found = f"{place} before its quality"
    if place is None:
        found = f"no quality, but {record.at(2 + count)!r}" if record.at(2 + count) else "no quality"
    return RecordRefused(
        "UTIL05",
        f"a day of {_DAY_MINUTES // count}-minute intervals has {count} values and a quality, this one has {found}",
        remedy="Ask the sender for the complete day; nothing of it is billed before",
        field="IntervalValue",
    )


def _digits(text: str, position: int) -> tuple[str, str]:
    """Return the whole digits and the significant decimals of a value, both empty where it has none."""
    if not text:
        return "", ""
    match = _VALUE.fullmatch(text)
    if not match:
        raise RecordRefused(
            "UTIL04",
            "this is no plain number",
            remedy="Ask the sender for the day",
            field=f"IntervalValue{position + 1}",
            value=text,
        )
    if match[1]:
        raise RecordRefused(
            "UTIL07",
            "an interval value is negative",
            remedy="A channel counts one way; what flows back comes in a channel of its own. Ask the sender for the day",
            field=f"IntervalValue{position + 1}",
            value=text,
        )
    return match[2], (match[3] or "").rstrip("0")


def qualities_of(record: Record, details: list[Record], count: int) -> list[str]:
    """Return the quality code of each interval; 400 records tell it where the day's own is V.

    Args:
        record: the 300 record.
        details: the 400 records after it.
        count: how many intervals the day has.

    Raises:
        RecordRefused: ``UTIL08`` for 400 records that contradict it or each other.
    """
    overall = record.at(2 + count)
    codes = [overall] * count
    if details and overall[:1] != "V":
        raise RecordRefused(
            "UTIL08",
            "400 records follow a day whose quality is not V",
            remedy="Ask the sender for the day",
            field="QualityMethod",
            value=overall,
        )
    told = [False] * count
    for detail in details:
        first, last = _place(detail, 1, count), _place(detail, 2, count)
        quality = detail.needed(3, "QualityMethod")
        if first > last or any(told[first - 1 : last]) or not QUALITY.fullmatch(quality) or quality[:1] == "V":
            raise RecordRefused(
                "UTIL08",
                f"the 400 record of line {detail.line} runs backwards, overlaps another or names no quality",
                remedy="Ask the sender for the day",
                field="QualityMethod",
                value=f"{first}-{last} {quality}",
            )
        codes[first - 1 : last] = [quality] * (last - first + 1)
        told[first - 1 : last] = [True] * (last - first + 1)
    return codes


def _place(detail: Record, position: int, count: int) -> int:
    text = detail.at(position)
    if not re.fullmatch(r"\d{1,4}", text, re.ASCII) or not 1 <= int(text) <= count:
        raise RecordRefused(
            "UTIL08",
            f"a 400 record names an interval from 1 to {count}",
            remedy="Ask the sender for the day",
            field="StartInterval" if position == 1 else "EndInterval",
            value=text,
        )
    return int(text)
