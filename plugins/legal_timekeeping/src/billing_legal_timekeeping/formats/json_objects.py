"""Reads a JSON file object by object: an array of objects, or one object a line, without holding the file in memory."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import attrs

_CHUNK = 1 << 16
_LONGEST_OBJECT = 1_000_000
_BLANK = " \t\r\n\ufeff"


class JsonBroken(ValueError):
    """The text is no array or sequence of JSON objects; `line` says where."""

    def __init__(self, what: str, line: int) -> None:
        self.line = line
        super().__init__(what)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice in one object")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


class JsonNumber(str):
    """A number with decimals as it stood in the file: neither a float, which is inexact, nor text."""

    __slots__ = ()


DECODER = json.JSONDecoder(parse_float=JsonNumber, parse_constant=_no_constant, object_pairs_hook=_pairs)
"""Numbers stay exact; doubled keys, NaN and infinities are refused."""


@attrs.define
class _Text:
    """The part of the text that is being read, and the line on which it begins."""

    more: Callable[[], str]
    held: str = ""
    line: int = 1
    ended: bool = False

    def fill(self) -> bool:
        """Read on; False at the end."""
        if self.ended:
            return False
        chunk = self.more()
        self.ended = not chunk
        self.held += chunk
        return not self.ended

    def drop(self, count: int) -> None:
        """Leave characters behind."""
        self.line += self.held.count("\n", 0, count)
        self.held = self.held[count:]

    def peek(self) -> str:
        """Return the next character that is not blank, empty at the end."""
        while True:
            rest = self.held.lstrip(_BLANK)
            self.drop(len(self.held) - len(rest))
            if rest or not self.fill():
                return rest[:1]


def json_objects(stream: BinaryIO) -> Iterator[tuple[int, str, Any]]:
    """Yield line, text and value of each object of a file.

    Raises:
        JsonBroken: the file is not UTF-8, no JSON, cut off, or one of its values is larger than a megabyte.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    text = _Text(more=lambda: _chunk(stream, decoder, text))
    listed = text.peek() == "["
    if listed:
        text.drop(1)
    first = True
    while True:
        mark = text.peek()
        if listed and mark == "]":
            text.drop(1)
            if text.peek():
                raise JsonBroken("there is more after the end of the array", text.line)
            return
        if not mark:
            if listed:
                raise JsonBroken("the array has no end, so a part of the file may be lost", text.line)
            return
        if listed and not first:
            if mark != ",":
                raise JsonBroken("a comma is missing between two objects", text.line)
            text.drop(1)
            text.peek()
        yield _value(text)
        first = False


def _chunk(stream: BinaryIO, decoder: codecs.IncrementalDecoder, text: _Text) -> str:
    try:
        while data := stream.read(_CHUNK):
            if decoded := decoder.decode(data):
                return decoded
        return decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise JsonBroken("the file is not UTF-8 text", text.line) from error


def _value(text: _Text) -> tuple[int, str, Any]:
    while True:
        try:
            value, end = DECODER.raw_decode(text.held)
        except json.JSONDecodeError as error:
            # What is cut by the edge of a chunk reads well once there is more of it.
            if len(text.held) <= _LONGEST_OBJECT and text.fill():
                continue
            raise JsonBroken(f"this is no JSON: {error.msg}", text.line + error.lineno - 1) from error
        except (ValueError, RecursionError) as error:
            raise JsonBroken(f"this is no JSON: {error}", text.line) from error
        if end == len(text.held) and text.fill():
            continue  # a number may go on in the next chunk
        line, raw = text.line, text.held[:end]
        text.drop(end)
        return line, raw, value
