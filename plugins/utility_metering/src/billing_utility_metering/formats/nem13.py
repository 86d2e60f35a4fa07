"""AEMO NEM13: accumulation data, one 250 record per register and read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO

from billing_framework import Finding, Reader, ReadItem, ReadRequest, Severity, Span, Usage, exact, exact_text
from billing_utility_metering.formats.mdff import (
    OPTIONS,
    QUALITY,
    MarketOptions,
    Record,
    canonical_unit,
    market_time,
    records,
    version_of,
)
from billing_utility_metering.formats.refusal import RecordRefused, bad_record, misplaced
from billing_utility_metering.kinds import REGISTER_SPAN, Flow, RegisterSpan, stamp

_NUMBER = re.compile(r"\d{1,15}(?:\.\d{0,9})?", re.ASCII)
_DIRECTIONS = {"E": Flow.DELIVERED, "I": Flow.RECEIVED}  # seen from the market: export leaves it, towards the customer


def read_nem13(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield the consumption of every 250 record, bad records and findings.

    The quantity counts as it is given; where it is not the difference of the reads, that is told (``UTIL11``). Times are market
    time; a span without interval values has no coverage of its own.

    Raises:
        InputRefused: the file is no complete NEM13 file; see `mdff.records`.
    """
    options = MarketOptions.of(request)
    for record in records(stream, request, "NEM13"):
        if not isinstance(record, Record):
            yield record
            continue
        try:
            if record.indicator == "250":
                usage = _usage(record, request, options)
                yield usage
                if (finding := _disagreement(usage, request)) is not None:
                    yield finding
            elif record.indicator != "550":  # codes of the transactions behind the reads; nothing to bill
                yield bad_record(request, record.line, record.raw, misplaced(record.indicator), record.at(1))
        except RecordRefused as refused:
            yield bad_record(request, record.line, record.raw, refused, record.at(1))


def _usage(record: Record, request: ReadRequest, options: MarketOptions) -> Usage[RegisterSpan]:
    point, suffix, register = record.needed(1, "NMI"), record.needed(4, "NMISuffix"), record.at(3)
    start = market_time(record.needed(9, "PreviousRegisterReadDateTime"), "PreviousRegisterReadDateTime", options.zone)
    end = market_time(record.needed(14, "CurrentRegisterReadDateTime"), "CurrentRegisterReadDateTime", options.zone)
    if start >= end:
        raise RecordRefused(
            "UTIL04",
            "the current read is not later than the previous one",
            remedy="Ask the sender for the record",
            field="CurrentRegisterReadDateTime",
            value=record.at(14),
        )
    direction = record.needed(7, "DirectionIndicator").upper()
    if direction not in _DIRECTIONS:
        raise RecordRefused(
            "UTIL04",
            "the direction is neither E nor I",
            remedy="Ask the sender for the record",
            field="DirectionIndicator",
            value=direction,
        )
    version = version_of(record.at(21), "UpdateDateTime")
    slot = f"{point}/{suffix}/{register}/{stamp(start)}"
    return Usage(
        kind=REGISTER_SPAN.name,
        source=request.source,
        external_id=f"{slot}/{stamp(end)}/{version}",
        subject=point,
        span=Span(start, end),
        slot=slot,
        version=version,
        body=RegisterSpan(
            register=register,
            channel=suffix,
            meter=record.at(6),
            unit=canonical_unit(record.at(19), options),
            flow=_DIRECTIONS[direction],
            previous_value=_number(record.at(8), "PreviousRegisterRead"),
            previous_quality=_quality(record, 10, "PreviousQualityMethod"),
            current_value=_number(record.at(13), "CurrentRegisterRead"),
            current_quality=_quality(record, 15, "CurrentQualityMethod"),
            quantity=exact(_number_text(record.needed(18, "Quantity"), "Quantity")),
            updated=record.at(21),
        ),
        line=record.line,
    )


def _number_text(text: str, name: str) -> str:
    if not _NUMBER.fullmatch(text):
        raise RecordRefused(
            "UTIL07" if text.startswith("-") else "UTIL04",
            "a quantity or read must be a plain number, not negative",
            remedy="Ask the sender for the record",
            field=name,
            value=text,
        )
    return text


def _number(text: str, name: str) -> Fraction | None:
    return exact(_number_text(text, name)) if text else None


def _quality(record: Record, position: int, name: str) -> str:
    quality = record.needed(position, name)
    if not QUALITY.fullmatch(quality):
        raise RecordRefused(
            "UTIL04", "this is no quality code", remedy="Ask the sender for the record", field=name, value=quality
        )
    return quality


def _disagreement(usage: Usage[RegisterSpan], request: ReadRequest) -> Finding | None:
    body = usage.body
    if body.previous_value is None or body.current_value is None:
        return None
    difference = body.current_value - body.previous_value
    if body.quantity == difference:
        return None
    return Finding(
        code="UTIL11",
        severity=Severity.INFORMATION,
        what=(
            f"the quantity {exact_text(body.quantity)} is not the difference of the reads {exact_text(difference)}; "
            "the quantity counts"
        ),
        file=request.file,
        line=usage.line,
        field="Quantity",
        value=exact_text(body.quantity),
        subject=f"{usage.subject}/{body.channel}",
    )


NEM13 = Reader(
    format="nem13",
    title="AEMO NEM13 accumulation data (Meter Data File Format)",
    kinds=(REGISTER_SPAN.name,),
    read=read_nem13,
    options=OPTIONS,
)
