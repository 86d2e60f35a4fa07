"""The bytes of a file: unpacked, bounded, and damage told with its place."""

import gzip
import io
import zipfile
from typing import BinaryIO

import pytest

from billing_framework.usage.file_stream import LONGEST_LINE_BYTES, open_stream
from billing_framework.values.errors import InputRefused

TEXT = b"a,b\n1,2\n" * 5_000


def opened(content: bytes) -> BinaryIO:
    return open_stream(io.BytesIO(content), "f.csv")


def zipped(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, TEXT)
    return out.getvalue()


@pytest.mark.parametrize("content", [TEXT, gzip.compress(TEXT), zipped("f.csv")], ids=["plain", "gzip", "zip"])
def test_content_is_the_same_however_it_is_read(content: bytes) -> None:
    assert opened(content).read() == TEXT
    assert b"".join(opened(content)) == TEXT
    stream = opened(content)
    assert b"".join(iter(lambda: stream.read(77), b"")) == TEXT
    assert io.TextIOWrapper(opened(content), "utf-8").read() == TEXT.decode()


def test_reading_tells_how_far_it_is() -> None:
    told: list[int] = []
    open_stream(io.BytesIO(TEXT), "f", told.append).read()
    assert told[-1] == len(TEXT)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(TEXT)[:-20],
        gzip.compress(TEXT)[:-8] + b"\x00" * 8,
        b"\x1f\x8b" + b"\xff" * 20,
        zipped("f.csv")[:-30],
        zipped("f.csv")[:50] + b"\xff" * 4 + zipped("f.csv")[54:],
        zipped(),
        zipped("a.csv", "b.csv"),
    ],
    ids=["gzip cut", "gzip checksum", "no gzip", "zip cut", "zip changed", "empty zip", "two files"],
)
def test_a_damaged_file_is_refused_with_place_and_remedy(content: bytes) -> None:
    with pytest.raises(InputRefused, match=r"f\.csv") as caught:
        opened(content).read()
    assert caught.value.code == "USAGE10"
    assert caught.value.remedy


def test_an_endless_line_is_refused_without_reading_it_all() -> None:
    source = io.BytesIO(b"ok\n" + b"x" * 100_000_000)
    stream = open_stream(source, "f.csv")
    assert stream.readline() == b"ok\n"
    with pytest.raises(InputRefused, match=r"f\.csv:2") as caught:
        stream.readline()
    assert caught.value.code == "USAGE11"
    assert source.tell() < 2 * LONGEST_LINE_BYTES


def test_the_longest_line_passes() -> None:
    line = b"x" * (LONGEST_LINE_BYTES - 1) + b"\n"
    assert opened(line).readline() == line


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_a_zip_of_a_rare_method_is_refused_before_it_is_unpacked(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        archive.writestr("f.csv", TEXT)
    with pytest.raises(InputRefused, match="rare method") as caught:
        opened(out.getvalue())
    assert caught.value.code == "USAGE10"


def test_a_disk_that_fails_in_the_middle_is_told_with_the_file() -> None:
    class Failing(io.BytesIO):
        def readline(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(InputRefused, match="Input/output error") as caught:
        open_stream(Failing(TEXT), "f.csv").readline()
    assert (caught.value.code, caught.value.place) == ("USAGE12", "f.csv")
