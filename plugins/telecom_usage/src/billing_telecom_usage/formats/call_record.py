"""The cells of one call detail record become a call, whatever the format."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from zoneinfo import ZoneInfo

import attrs

from billing_framework import Finding, ReadItem, ReadRequest, Severity, Span, Usage, ValueRefused, exact, timezone, to_places
from billing_telecom_usage.formats.refusal import RecordRefused, bad_record
from billing_telecom_usage.formats.rows import Row
from billing_telecom_usage.formats.stamps import Stamps, parsed, resolved
from billing_telecom_usage.kinds import CALL, LONGEST_SECONDS, Call, Direction
from billing_telecom_usage.numbers import Number, NumberClass, normalised
from billing_telecom_usage.settings import Source, Start, TelecomSettings

_VERSION_DIGITS = 18
_AT_SOURCE = "Correct the record at its source"
YES = frozenset({"1", "true", "yes"})


@attrs.frozen(kw_only=True)
class Shape:
    """How the records of a file are laid out.

    Attributes:
        fields: field of a call to the position of its cell from 0.
        ids: positions of the cells that together name a record.
        time_format: format of stamps, as `parsed` knows it.
        answered: dispositions of answered calls where no cell holds the answer stamp; empty for any with billed seconds.
        per_second: units of time in a second.
        deletion: what the cell of ``deleted`` says where a call is taken back; a word for yes where empty.
    """

    fields: Mapping[str, int]
    ids: tuple[int, ...]
    time_format: str = ""
    answered: tuple[str, ...] = ()
    per_second: int = 1
    deletion: str = ""


@attrs.frozen(kw_only=True)
class Opened:
    """What the first line of a file says.

    Attributes:
        shape: how its records are laid out.
        width: how many cells they have.
        skipped: number of lines before the first record.
    """

    shape: Shape
    width: int
    skipped: int = 0


def source_of(request: ReadRequest) -> Source:
    """Return what is set for the source of a file, the defaults where nothing is."""
    settings = request.settings if isinstance(request.settings, TelecomSettings) else TelecomSettings()
    return settings.source.get(request.source, Source())


@attrs.define(kw_only=True)
class Sorter:
    """Makes calls of the rows of one file.

    Attributes:
        request: what the reader was told.
        source: settings of the switch.
        zone: zone of stamps without one.
        guesses: calls whose hour occurs twice and was taken by rule.
    """

    request: ReadRequest
    source: Source
    zone: ZoneInfo = attrs.field(init=False)
    guesses: int = 0

    def __attrs_post_init__(self) -> None:
        self.zone = timezone(self.request.zone)

    def item(self, row: Row, shape: Shape) -> ReadItem:
        """Return the call of a row, or the record that cannot be read."""
        try:
            if row.refused is not None:
                raise row.refused
            return self._call(row, shape)
        except RecordRefused as refused:
            return bad_record(self.request, row.line, row.raw, refused)

    def told(self) -> Iterator[Finding]:
        """Yield how many calls a rule placed in a repeated hour."""
        if self.guesses:
            yield Finding(
                code="TEL08",
                severity=Severity.INFORMATION,
                what=f"{self.guesses} calls begin in an hour that occurs twice; they were taken as its "
                f"{self.source.repeated_hour.value} passing",
                remedy="Let the switch write its stamps in UTC, or set repeated_hour of the source",
                file=self.request.file,
            )

    def _call(self, row: Row, shape: Shape) -> ReadItem:
        cell = {name: row.cells[place].strip() for name, place in shape.fields.items()}
        name = "/".join(row.cells[place].strip() for place in shape.ids)
        if not name.strip("/"):
            raise RecordRefused("TEL06", "the record has no identifier", remedy="Let the switch write one, or name other columns")
        duration, billed = self._lengths(cell, shape)
        stamps = self._stamps(cell, shape, max(duration, billed))
        answered = self._answered(cell, shape, stamps, billed)
        body = self._body(cell, stamps, answered=answered, duration=duration, billed=billed)
        start = stamps.answer if self.source.start is Start.ANSWER and stamps.answer and answered else stamps.start
        version = _version(cell["version"]) if "version" in cell else None
        deleted = _takes_back(cell.get("deleted", ""), shape.deletion)
        return Usage(
            kind=CALL.name,
            source=self.request.source,
            external_id=name if version is None else f"{name}/{version}",
            subject=body.b_number if body.direction is Direction.INCOMING else body.a_number,
            span=Span(start, stamps.start + timedelta(seconds=max(duration, billed))),
            slot="" if version is None else name,
            version=version or 0,
            body=None if deleted else body,
            deleted=deleted,
            line=row.line,
        )

    def _lengths(self, cell: Mapping[str, str], shape: Shape) -> tuple[int, int]:
        billed = self._seconds(cell, "billed", shape) if "billed" in cell else None
        duration = self._seconds(cell, "duration", shape) if "duration" in cell else None
        if billed is None and duration is None:
            raise AssertionError(shape)  # every format maps one of them
        return (duration if duration is not None else billed or 0, billed if billed is not None else duration or 0)

    def _seconds(self, cell: Mapping[str, str], name: str, shape: Shape) -> int:
        text = cell[name]
        try:
            number = to_places(exact(text or "0") / shape.per_second, 0, self.source.subseconds)
        except ValueRefused as error:
            raise RecordRefused("TEL05", "this is no number of seconds", remedy=_AT_SOURCE, field=name, value=text) from error
        if not 0 <= number <= LONGEST_SECONDS:
            raise RecordRefused("TEL05", "no call lasts so long", remedy=_AT_SOURCE, field=name, value=text)
        return int(number)

    def _stamps(self, cell: Mapping[str, str], shape: Shape, seconds: int) -> Stamps:
        times = {
            name: parsed(cell[name], shape.time_format, name) if cell.get(name) else None for name in ("start", "answer", "end")
        }
        start = times["start"]
        if start is None:
            raise RecordRefused("TEL04", "the start is missing", remedy=_AT_SOURCE, field="start")
        found = resolved(start, times["answer"], times["end"], seconds=seconds, zone=self.zone, rule=self.source.repeated_hour)
        self.guesses += found.is_guess
        return found

    def _answered(self, cell: Mapping[str, str], shape: Shape, stamps: Stamps, billed: int) -> bool:
        if "answer" in shape.fields:
            return stamps.answer is not None
        return billed > 0 and (not shape.answered or cell.get("disposition", "") in shape.answered)

    def _body(self, cell: Mapping[str, str], stamps: Stamps, *, answered: bool, duration: int, billed: int) -> Call:
        spoken = answered and billed > 0
        caller, called = (normalised(cell[name], self.source.numbers) for name in ("caller", "called"))
        direction = self._direction(cell)
        owner = (called, "called") if direction is Direction.INCOMING else (caller, "caller")
        if owner[0].kind is NumberClass.OTHER:
            raise _bad_number(owner[1], cell[owner[1]])
        if spoken and called.kind is NumberClass.OTHER:
            raise _bad_number("called", cell["called"])
        return Call(
            a_number=caller.digits,
            b_number=_kept(called),
            b_class=called.kind,
            direction=direction,
            answered_at=(stamps.answer or stamps.start) if answered else None,
            duration_seconds=duration,
            billed_seconds=billed if answered else 0,
            disposition=cell.get("disposition", ""),
            continuation=cell.get("continuation", "").casefold() in YES,
            account_code=cell.get("account_code", ""),
        )

    def _direction(self, cell: Mapping[str, str]) -> Direction:
        text = cell.get("direction", "").casefold()
        if not text:
            return self.source.direction
        try:
            return Direction(text)
        except ValueError:
            remedy = "Write outgoing or incoming"
            raise RecordRefused("TEL05", "the direction is unknown", remedy=remedy, field="direction", value=text) from None


def _version(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _VERSION_DIGITS):
        raise RecordRefused("TEL05", "this is no version", remedy="Write a whole number", field="version", value=text)
    return int(text)


def _takes_back(text: str, deletion: str) -> bool:
    return text == deletion if deletion else text.casefold() in YES


def _kept(number: Number) -> str:
    return number.digits or "-"


def _bad_number(field: str, text: str) -> RecordRefused:
    remedy = "Correct the number, or the number plan in the settings of the source"
    return RecordRefused("TEL03", "this is no telephone number", remedy=remedy, field=field, value=text)
