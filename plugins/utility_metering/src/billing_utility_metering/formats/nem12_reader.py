"""NEM12 as a deployment reads it: by columns where their library is installed, else line by line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO

from billing_framework import Reader, ReadItem, ReadRequest
from billing_utility_metering.formats.mdff import OPTIONS
from billing_utility_metering.formats.nem12 import read_nem12
from billing_utility_metering.kinds import INTERVAL_DAY

if TYPE_CHECKING:
    from billing_framework import RecordColumns


def read_nem12_columns(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns]:
    """Yield the same records, the days that are plainly good as columns.

    Raises:
        InputRefused: the file is no complete NEM12 file.
    """
    from billing_utility_metering.formats.nem12_columns import columns_of  # noqa: PLC0415  polars, only where it is used

    return columns_of(stream, request)


NEM12 = Reader(
    format="nem12",
    title="AEMO NEM12 interval data (Meter Data File Format)",
    kinds=(INTERVAL_DAY.name,),
    read=read_nem12,
    options=OPTIONS,
    read_columns=read_nem12_columns,
)
