"""Segments of an X12 interchange, read from a stream: the file says itself by which characters it is cut."""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator, Sequence
from typing import BinaryIO

import attrs

from billing_framework import InputRefused

ISA_LENGTH = 106
_CHUNK_BYTES = 1 << 16
_LONGEST_SEGMENT = 100_000
_SEPARATOR_PLACES = (3, 6, 17, 20, 31, 34, 50, 53, 69, 76, 81, 83, 89, 99, 101, 103)
"""Where the element separator stands in an ISA segment, counted from 0."""


@attrs.frozen(kw_only=True)
class Delimiters:
    """The characters that cut an interchange; the ISA segment names them by its own places 3, 104, 82 and 105.

    Attributes:
        element: between the elements of a segment.
        component: between the parts of a composite element.
        repetition: between repeated elements.
        terminator: after a segment; a line feed may be it, or follow it.
    """

    element: str = "*"
    component: str = ":"
    repetition: str = "^"
    terminator: str = "~"

    @property
    def characters(self) -> str:
        """All four; no value may contain one of them."""
        return self.element + self.component + self.repetition + self.terminator


@attrs.frozen
class Segment:
    """One segment. Its elements may name a patient, so they never show themselves.

    Attributes:
        name: segment identifier, for example ``CLM``.
        elements: the elements in order; element 01 of the standard is at place 0.
        number: 1-based position in the file, for messages.
        component: separator of the parts of a composite.
    """

    name: str
    elements: tuple[str, ...] = attrs.field(repr=False)
    number: int
    component: str = attrs.field(default=":", repr=False)

    def at(self, element: int) -> str:
        """Return an element by its number in the standard (from 1), empty where the segment ends before it."""
        return self.elements[element - 1].strip() if element <= len(self.elements) else ""

    def parts(self, element: int) -> tuple[str, ...]:
        """Return the parts of a composite element."""
        return tuple(self.at(element).split(self.component))

    def part(self, element: int, number: int) -> str:
        """Return one part of a composite (from 1), empty where it is not there."""
        found = self.parts(element)
        return found[number - 1] if number <= len(found) else ""


def read_delimiters(header: str, *, file: str) -> Delimiters:
    """Return the delimiters that an ISA segment of 106 characters names.

    Raises:
        InputRefused: ``HEALTH01`` where it is no such segment, or two of the characters are one.
    """
    remedy = "Give the interchange as it was sent, from ISA to IEA"
    if len(header) < ISA_LENGTH or not header.startswith("ISA"):
        raise InputRefused("HEALTH01", "the file does not begin with an ISA segment of 106 characters", place=file, remedy=remedy)
    element = header[3]
    wrong = [place for place in _SEPARATOR_PLACES if header[place] != element]
    if wrong:
        what = f"the ISA segment has no element separator at its place {wrong[0] + 1}"
        raise InputRefused("HEALTH01", what, place=file, remedy=remedy)
    found = Delimiters(element=element, repetition=header[82], component=header[104], terminator=header[105])
    if len(set(found.characters)) < len(found.characters) or any(one.isalnum() or one == " " for one in found.characters):
        raise InputRefused("HEALTH01", "the ISA segment names no four different delimiters", place=file, remedy=remedy)
    return found


def read_segments(stream: BinaryIO, *, file: str) -> Iterator[Segment]:
    """Yield the segments of a file, one by one; the file is never held as a whole.

    Several interchanges may follow each other, each with delimiters of its own.

    Args:
        stream: bytes of the file, UTF-8.
        file: its name, for messages.

    Raises:
        InputRefused: ``HEALTH01`` where the text is no X12, is not UTF-8, or ends within a segment.
    """
    text = _Text(stream=stream, file=file)
    number = 0
    while text.begins():
        delimiters = read_delimiters(text.peek(ISA_LENGTH), file=file)
        while True:
            raw = text.segment(delimiters.terminator)
            number += 1
            name, *elements = raw.split(delimiters.element)
            yield Segment(name.strip(), tuple(elements), number, delimiters.component)
            if name.strip() == "IEA" or not text.begins():
                break


@attrs.define
class _Text:
    """The characters of a stream, as far as they are needed."""

    stream: BinaryIO
    file: str
    _rest: str = ""
    _is_read: bool = False
    _decoder: codecs.IncrementalDecoder = attrs.field(factory=codecs.getincrementaldecoder("utf-8-sig"))

    def begins(self) -> bool:
        """True where anything but line ends follows."""
        while True:
            self._rest = self._rest.lstrip("\r\n \x1a")
            if self._rest or not self._more():
                return bool(self._rest)

    def peek(self, length: int) -> str:
        """Return the next characters without taking them."""
        while len(self._rest) < length and self._more():
            pass
        return self._rest[:length]

    def segment(self, terminator: str) -> str:
        """Take the text up to the next terminator."""
        searched = 0
        while (end := self._rest.find(terminator, searched)) < 0:
            searched = len(self._rest)
            if searched > _LONGEST_SEGMENT or not self._more():
                remedy = "Ask the sender for the complete file"
                raise InputRefused("HEALTH01", "the file ends within a segment", place=self.file, remedy=remedy)
        found, self._rest = self._rest[:end], self._rest[end + 1 :]
        return found.strip("\r\n")

    def _more(self) -> bool:
        if self._is_read:
            return False
        chunk = self.stream.read(_CHUNK_BYTES)
        self._is_read = not chunk
        try:
            self._rest += self._decoder.decode(chunk, final=self._is_read)
        except UnicodeDecodeError as error:
            raise InputRefused("HEALTH01", "the file is not UTF-8 text", place=self.file, remedy="Ask the sender") from error
        return bool(chunk)


def loops(segments: Sequence[Segment], name: str) -> tuple[tuple[Segment, ...], ...]:
    """Return segments cut before each one called `name`; what stands before the first is left out."""
    starts = [place for place, segment in enumerate(segments) if segment.name == name]
    return tuple(tuple(segments[start:end]) for start, end in itertools.pairwise([*starts, len(segments)]))
