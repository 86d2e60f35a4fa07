"""The lines of a file in large blocks, with their numbers; what the reference reads line by line, a columnar reader takes so."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import attrs
import numpy as np

from billing_framework.usage.file_stream import LONGEST_LINE_BYTES, FileStream, too_long

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BLOCK_BYTES = 3 << 20
_LINE_END = 10
_PARTS = 1 << 20

Places = np.ndarray[Any, np.dtype[np.int64]]


@attrs.frozen(kw_only=True, eq=False)
class LineBlock:
    """Some whole lines of a file.

    Attributes:
        data: the lines with their ends; the last line of a file may have none.
        first: 1-based number of the first.
        starts: where each line starts, and the end of the last.
    """

    data: bytes
    first: int
    starts: Places

    def __len__(self) -> int:
        return len(self.starts) - 1

    def line(self, number: int) -> bytes:
        """Return a line with its end, by its number in the file."""
        place = number - self.first
        return self.data[self.starts[place] : self.starts[place + 1]]

    def without_first(self, count: int) -> LineBlock:
        """Return the block without its first lines, such as a header."""
        cut = int(self.starts[count])
        return LineBlock(data=self.data[cut:], first=self.first + count, starts=self.starts[count:] - cut)


def line_blocks(stream: BinaryIO, file: str, *, size: int = 0) -> Iterator[LineBlock]:
    """Yield the lines of a file in blocks.

    Args:
        stream: the bytes.
        file: name of the file, for messages.
        size: bytes of a block, about; what is usual where 0.

    Raises:
        InputRefused: ``USAGE11`` for a line beyond the limit.
    """
    size = size or BLOCK_BYTES
    number, rest = 1, b""
    while True:
        parts, length = [rest], 0
        ended = False
        while length < size and not ended:
            part = stream.read(min(_PARTS, size))
            ended = not part
            parts.append(part)
            length += len(part)
        data = b"".join(parts)
        cut = len(data) if ended else data.rfind(b"\n") + 1
        rest = data[cut:]
        if len(rest) > LONGEST_LINE_BYTES:
            raise too_long(file, number + data.count(b"\n", 0, cut))
        if cut:
            block = _block(data if cut == len(data) else data[:cut], number, file)
            yield block
            number += len(block)
        if ended:
            return


def _block(data: bytes, first: int, file: str) -> LineBlock:
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == _LINE_END) + 1
    last = [] if len(ends) and ends[-1] == len(data) else [len(data)]
    starts = np.concatenate([[0], ends, last]).astype(np.int64)
    lengths = np.diff(starts)
    if len(lengths) and int(lengths.max()) > LONGEST_LINE_BYTES:
        raise too_long(file, first + int(lengths.argmax()))
    return LineBlock(data=data, first=first, starts=starts)


def rejoined(blocks: Iterable[LineBlock], file: str) -> BinaryIO:
    """Return a stream of what is left of a file, for a reader that takes it line by line."""
    joined = io.BufferedReader(_Joined(iter(blocks)), _PARTS)
    return cast("BinaryIO", FileStream(cast("BinaryIO", joined), file, lambda _: None, lambda: 0))


class _Joined(io.RawIOBase):
    def __init__(self, blocks: Iterator[LineBlock]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        if not self._rest:
            self._rest = memoryview(next((block.data for block in self._blocks), b""))
        view = memoryview(buffer).cast("B")
        part = self._rest[: len(view)]
        view[: len(part)] = part
        self._rest = self._rest[len(part) :]
        return len(part)
