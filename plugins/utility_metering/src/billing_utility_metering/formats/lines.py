"""Lines of text from any stream of bytes, one at a time: bounded, decoded strictly, out of a zip file where it is one."""

from __future__ import annotations

import codecs
import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

from billing_framework import ReadRequest
from billing_utility_metering.formats.refusal import refuse_file

LONGEST_LINE = 1_000_000
"""Bytes; a month of one-minute values in one record would still fit."""

_LARGEST_ZIP = 500_000_000
_CHUNK = 1 << 16
_WRONG_MARKS = {
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    b"\x1f\x8b": "gzip",
    b"%PDF": "PDF",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
}


def text_lines(stream: BinaryIO, request: ReadRequest) -> Iterator[tuple[int, str]]:
    """Yield 1-based line number and text without its line end, blank lines too.

    A zip file with one member is unpacked on the way.

    Raises:
        InputRefused: ``UTIL01`` for an empty file, a line longer than a million bytes, bytes that are no UTF-8 text, or a zip
            file that is damaged, encrypted or holds more than one file.
    """
    head = stream.read(4)
    if head == b"PK\x03\x04":
        yield from _zipped_lines(stream, head, request)
        return
    for mark, what in _WRONG_MARKS.items():
        if head.startswith(mark):
            raise _refused(request, f"the file is {what}, not plain text", 0)
    yield from decoded(_cut(head, stream.read, request), request)


def _refused(request: ReadRequest, what: str, line: int) -> Exception:
    return refuse_file(
        request, "UTIL01", what, line=line, remedy="Give the file as the sender made it: UTF-8 or ASCII text, or a zip of it"
    )


def _cut(head: bytes, read: Callable[[int], bytes], request: ReadRequest) -> Iterator[tuple[int, bytes]]:
    rest, number = head, 0
    while chunk := read(_CHUNK):
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            number += 1
            yield number, line
        if len(rest) > LONGEST_LINE:
            raise _refused(request, f"a line is longer than {LONGEST_LINE} bytes", number + 1)
    if rest:
        yield number + 1, rest
    elif not number:
        raise _refused(request, "the file is empty", 0)


def decoded(lines: Iterator[tuple[int, bytes]], request: ReadRequest) -> Iterator[tuple[int, str]]:
    """Yield the text of lines that were cut at their line feeds.

    Raises:
        InputRefused: ``UTIL01`` for what is no line of UTF-8 text.
    """
    for number, line in lines:
        if len(line) > LONGEST_LINE:
            raise _refused(request, f"the line is longer than {LONGEST_LINE} bytes", number)
        if b"\0" in line:
            raise _refused(request, "the line holds zero bytes, so this is no text", number)
        try:
            text = line.removeprefix(codecs.BOM_UTF8).decode() if number == 1 else line.decode()
        except UnicodeDecodeError as error:
            raise _refused(request, f"byte {error.start + 1} of the line is no UTF-8", number) from error
        text = text.rstrip("\r")
        if "\r" in text.strip():
            raise _refused(request, "a carriage return stands within the line; lines end at a line feed", number)
        yield number, text


def _zipped_lines(stream: BinaryIO, head: bytes, request: ReadRequest) -> Iterator[tuple[int, str]]:
    packed = head + stream.read(_LARGEST_ZIP)
    if len(packed) > _LARGEST_ZIP:
        raise _refused(request, f"the zip file is larger than {_LARGEST_ZIP} bytes", 0)
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if len(members) != 1:
                raise _refused(request, f"the zip file holds {len(members)} files instead of one", 0)
            if members[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise _refused(request, "the zip file is packed by a rare method", 0)
            with archive.open(members[0]) as member:
                yield from decoded(_cut(b"", member.read, request), request)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        # zipfile answers a damaged or encrypted archive with any of these
        raise _refused(request, f"the zip file cannot be read: {error}", 0) from error
