"""The bytes of a file for a reader: unpacked, with a limit on the length of a line, and damage told with its place."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, cast

from billing_framework.values.errors import InputRefused

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LONGEST_LINE_BYTES = 1_000_000
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""The others are not in every Python, and tell damage by errors of their own."""
_CHUNK = 1 << 16
_KEEP = "; nothing of the file was taken in"


class FileStream(io.BufferedIOBase):
    """A binary stream that readers are given.

    Args:
        source: where the bytes come from, already unpacked.
        file: name of the file, for messages.
        on_read: is told after each read how many bytes of the file have been read in all.
        position: returns how many bytes of the packed file have been read.
    """

    def __init__(self, source: BinaryIO, file: str, on_read: Callable[[int], None], position: Callable[[], int]) -> None:
        self._source = source
        self._file = file
        self._on_read = on_read
        self._position = position
        self._line = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return up to `size` bytes, all that are left where it is negative or None."""
        data = self._guarded(lambda: self._source.read(-1 if size is None else size))
        self._line += data.count(b"\n")
        return data

    def read1(self, size: int = -1, /) -> bytes:
        """Return some bytes; the same as `read` with a moderate size."""
        return self.read(_CHUNK if size < 0 else size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer` and return how many bytes it took."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line with its end.

        Raises:
            InputRefused: ``USAGE11`` for a line beyond the limit.
        """
        limit = LONGEST_LINE_BYTES + 1 if size is None or size < 0 else min(size, LONGEST_LINE_BYTES + 1)
        data = self._guarded(lambda: self._source.readline(limit))
        self._line += 1
        if len(data) > LONGEST_LINE_BYTES:
            raise too_long(self._file, self._line)
        return data

    def _guarded(self, read: Callable[[], bytes]) -> bytes:
        try:
            data = read()
        except (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile) as error:
            raise damaged(self._file, self._line, error) from error
        except OSError as error:
            what = f"the file cannot be read on: {error.strerror or error}"
            raise InputRefused("USAGE12", what, place=self._file, remedy=f"Check the disk or the connection{_KEEP}") from error
        self._on_read(self._position())
        return data


def too_long(file: str, line: int) -> InputRefused:
    """Return the refusal of a file with a line beyond the limit."""
    return InputRefused(
        "USAGE11",
        f"the line is longer than {LONGEST_LINE_BYTES} bytes",
        place=f"{file}:{line}",
        remedy=f"Check that the file is of the named format and that its line ends were kept{_KEEP}",
    )


def damaged(file: str, line: int, error: Exception) -> InputRefused:
    """Return the refusal of a packed file that ends early or was changed."""
    return InputRefused(
        "USAGE10",
        f"the packed file is damaged or cut off: {error}",
        place=f"{file}:{line}" if line else file,
        remedy=f"Fetch it again from the source{_KEEP}",
    )


def open_stream(raw: BinaryIO, file: str, on_read: Callable[[int], None] = lambda _: None) -> BinaryIO:
    """Return the stream of a file's content; gzip, and zip with one file in it, are unpacked on the way.

    Args:
        raw: the file, seekable, at its start.
        file: its name, for messages.
        on_read: is told how many bytes of the file have been read, for a progress bar.

    Raises:
        InputRefused: ``USAGE10`` for a damaged zip, or one with no or several files in it.
    """
    head = raw.read(4)
    raw.seek(0)
    source = raw
    if head.startswith(_GZIP):
        source = cast("BinaryIO", gzip.GzipFile(fileobj=raw, mode="rb"))
    elif head in (_ZIP, _EMPTY_ZIP):
        source = _only_member(raw, file)
    return cast("BinaryIO", FileStream(source, file, on_read, raw.tell))


def _only_member(raw: BinaryIO, file: str) -> BinaryIO:
    try:
        archive = zipfile.ZipFile(raw)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if len(members) == 1 and members[0].compress_type in _ZIP_METHODS:
            return cast("BinaryIO", archive.open(members[0]))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:  # the last two: a password, an unknown method
        raise damaged(file, 0, error) from error
    if len(members) == 1:
        raise InputRefused(
            "USAGE10", "the zip is packed by a rare method", place=file, remedy="Pack it again by deflate, or unpack it"
        )
    raise InputRefused(
        "USAGE10", f"the zip holds {len(members)} files, not one", place=file, remedy="Take its files in one by one"
    )
