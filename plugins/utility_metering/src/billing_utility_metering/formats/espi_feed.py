"""The frame of a Green Button file: entries of an Atom feed, read as they come, without entities and without a document type.

Only what a meter file needs is kept: interval readings become plain integers as soon as they end, so a feed of a million readings
is never held as a tree. Namespaces are dropped; utilities write them in many ways, and the local names are unambiguous.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping
from typing import BinaryIO
from urllib.parse import urlsplit
from xml.parsers import expat

import attrs

from billing_framework import ReadRequest
from billing_utility_metering.formats.refusal import refuse_file

_CHUNK = 1 << 16
_DEEPEST = 40
_LONGEST_TEXT = 20_000
_LONGEST_TAG_BYTES = 1_000_000
"""The parser reads an unfinished tag or comment again with every chunk, so a tag without end would take for ever."""

_LARGEST_FEED = 500_000_000
"""Bytes that the readings and texts of a feed may fill: some millions of readings. A feed is held until its end."""

_READING_BYTES, _TEXT_BYTES = 100, 200
_WHOLE = re.compile(r"[+-]?\d{1,17}", re.ASCII)

RESOURCES = (
    "UsagePoint",
    "MeterReading",
    "ReadingType",
    "IntervalBlock",
    "LocalTimeParameters",
    "UsageSummary",
    "ElectricPowerUsageSummary",
)
NO_QUALITY = -1


@attrs.define
class Readings:
    """The readings of one interval block, as columns; -1 stands for a start or duration that was not given.

    Attributes:
        starts: seconds since 1970.
        durations: seconds.
        values: values before any multiplier.
        qualities: quality numbers, -1 where none is stated.
        broken: line and text of readings that are no whole numbers.
    """

    starts: array[int] = attrs.field(factory=lambda: array("q"))
    durations: array[int] = attrs.field(factory=lambda: array("q"))
    values: array[int] = attrs.field(factory=lambda: array("q"))
    qualities: array[int] = attrs.field(factory=lambda: array("q"))
    broken: list[tuple[int, str]] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class Entry:
    """One entry of the feed.

    Attributes:
        resource: what it holds: ``UsagePoint``, ``IntervalBlock``.
        line: line where it begins.
        identity: the entry's ``id``.
        updated: the entry's ``updated``, as written.
        own: its own link, as a path.
        up: its link to the collection that it is in, as a path.
        related: its other links, as paths.
        fields: texts by path of element names inside the resource: ``interval/start``.
        readings: what an interval block holds.
    """

    resource: str
    line: int
    identity: str = ""
    updated: str = ""
    own: str = ""
    up: str = ""
    related: tuple[str, ...] = ()
    fields: Mapping[str, str] = attrs.field(factory=dict)
    readings: Readings = attrs.field(factory=Readings)


def path_of(href: str) -> str:
    """Return a link as a path without host and outer slashes, so that absolute and relative links of one file meet."""
    try:
        return urlsplit(href.strip()).path.strip("/")
    except ValueError:
        return href.strip().strip("/")


def whole(text: str | None) -> int | None:
    """Return the integer that `text` says, None where it says none (or one that no meter counts to)."""
    text = (text or "").strip()
    return int(text) if _WHOLE.fullmatch(text) else None


@attrs.define
class _Scan:
    """Where the parser stands."""

    request: ReadRequest
    parser: expat.XMLParserType
    path: list[str] = attrs.field(factory=list)
    texts: list[list[str]] = attrs.field(factory=list)
    length: int = 0
    entry_line: int = 0
    resource: str = ""
    depth: int = 0
    entry: dict[str, str] = attrs.field(factory=dict)
    links: list[tuple[str, str]] = attrs.field(factory=list)
    fields: dict[str, str] = attrs.field(factory=dict)
    reading: dict[str, str] | None = None
    reading_line: int = 0
    readings: Readings = attrs.field(factory=Readings)
    done: list[Entry] = attrs.field(factory=list)
    root: str = ""
    fed: int = 0
    kept: int = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self.root = self.root or local
        self.path.append(local)
        self.texts.append([])
        self.length = 0
        if len(self.path) > _DEEPEST:
            raise self.refused(f"elements are nested deeper than {_DEEPEST}")
        if local == "entry" and not self.entry_line:
            self.entry_line, self.resource, self.entry, self.links, self.fields = self.parser.CurrentLineNumber, "", {}, [], {}
            self.readings = Readings()
            self.depth = len(self.path)
        elif local == "link" and self.entry_line:
            self._keep(_TEXT_BYTES + sum(map(len, attributes.values())))
            self.links.append((attributes.get("rel", ""), path_of(attributes.get("href", ""))))
        elif local in RESOURCES and self.entry_line and not self.resource:
            self.resource = local
        elif local == "IntervalReading" and self.resource == "IntervalBlock":
            self.reading, self.reading_line = {}, self.parser.CurrentLineNumber

    def characters(self, text: str) -> None:
        if self.texts and self.entry_line:
            self.length += len(text)
            if self.length > _LONGEST_TEXT:
                raise self.refused(f"an element holds more than {_LONGEST_TEXT} characters")
            self.texts[-1].append(text)

    def end(self, _name: str) -> None:
        local, text = self.path.pop(), "".join(self.texts.pop()).strip()
        self.length = 0
        if not self.entry_line:
            return
        if local == "entry" and len(self.path) + 1 == self.depth:
            self._finish()
        elif local == "IntervalReading" and self.reading is not None:
            self._take(self.reading)
            self.reading = None
        elif self.reading is not None:
            self.reading.setdefault(local, text)
        elif self.resource and local != self.resource and self.resource in self.path:
            inner = self.path[self.path.index(self.resource) + 1 :]
            self._keep(_TEXT_BYTES + len(text))
            self.fields.setdefault("/".join([*inner, local]), text)
        elif len(self.path) == self.depth:
            self._keep(_TEXT_BYTES + len(text))
            self.entry.setdefault(local, text)

    def _keep(self, size: int) -> None:
        self.kept += size
        if self.kept > _LARGEST_FEED:
            raise self.refused("the feed holds more than can be kept until its end; give its usage points in several files")

    def _take(self, reading: dict[str, str]) -> None:
        self._keep(_READING_BYTES)
        parts = [whole(reading.get(name)) if name in reading else -1 for name in ("start", "duration")]
        value = whole(reading.get("value"))
        quality = whole(reading["quality"]) if "quality" in reading else NO_QUALITY
        negative = any((reading.get(name) or "").lstrip().startswith("-") for name in ("start", "duration"))
        if value is None or quality is None or None in parts or negative:
            shown = " ".join(f"{name}={text}" for name, text in reading.items())
            self._keep(len(shown))
            self.readings.broken.append((self.reading_line, shown))
            return
        for column, number in zip(
            (self.readings.starts, self.readings.durations, self.readings.values, self.readings.qualities),
            (*parts, value, quality),
            strict=True,
        ):
            column.append(number or 0)

    def _finish(self) -> None:
        if self.resource:
            self.done.append(
                Entry(
                    resource=self.resource,
                    line=self.entry_line,
                    identity=self.entry.get("id", ""),
                    updated=self.entry.get("updated", ""),
                    own=next((href for rel, href in self.links if rel == "self"), ""),
                    up=next((href for rel, href in self.links if rel == "up"), ""),
                    related=tuple(href for rel, href in self.links if rel == "related"),
                    fields=self.fields,
                    readings=self.readings,
                )
            )
        self.entry_line, self.resource = 0, ""

    def refused(self, what: str) -> Exception:
        return refuse_file(
            self.request,
            "UTIL12",
            what,
            line=self.parser.CurrentLineNumber,
            remedy="Give the file as the utility made it, an Atom feed without a document type",
        )


def entries(stream: BinaryIO, request: ReadRequest) -> Iterator[Entry]:
    """Yield the entries of a feed that hold a resource of metering, as they end.

    Raises:
        InputRefused: ``UTIL01`` for an empty file, ``UTIL12`` for anything that is no well-formed feed, is cut off, or brings a
            document type (which is where entity attacks live).
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    scan = _Scan(request, parser)

    def no_document_type(*_: object) -> None:
        raise scan.refused("the file declares a document type")

    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = scan.start, scan.end, scan.characters
    parser.StartDoctypeDeclHandler = no_document_type
    parser.buffer_text = True
    is_empty = True
    while chunk := stream.read(_CHUNK):
        is_empty = False
        _parse(parser, chunk, scan, is_final=False)
        yield from scan.done
        scan.done.clear()
    if is_empty:
        raise refuse_file(request, "UTIL01", "the file is empty", remedy="Give the file as the sender made it")
    _parse(parser, b"", scan, is_final=True)
    yield from scan.done
    if scan.root not in {"feed", "entry"}:
        raise scan.refused(f"the file is a {scan.root[:60]!r}, not a feed")


def _parse(parser: expat.XMLParserType, chunk: bytes, scan: _Scan, *, is_final: bool) -> None:
    scan.fed += len(chunk)
    try:
        parser.Parse(chunk, is_final)
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding that Python does not know
        raise scan.refused(f"the file is no well-formed XML: {error}") from error
    if scan.fed - parser.CurrentByteIndex > _LONGEST_TAG_BYTES:
        raise scan.refused(f"a tag or comment is longer than {_LONGEST_TAG_BYTES} bytes")
