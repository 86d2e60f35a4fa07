"""Readers: what turns the bytes of a file into usage records, findings and coverage, one item at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from billing_framework.usage.record import AnyUsage
from billing_framework.values.finding import Finding
from billing_framework.values.period import Span

if TYPE_CHECKING:
    from billing_framework.usage.columnar.record_columns import RecordColumns


@attrs.frozen(kw_only=True)
class BadRecord:
    """A record that could not be read; it goes to suspense with its raw text and is counted.

    Attributes:
        line: 1-based line or record number.
        raw: the record as it stood in the file, cut to 10,000 characters.
        findings: what is wrong; at least one.
    """

    line: int
    raw: str
    findings: tuple[Finding, ...]


@attrs.frozen(kw_only=True)
class Coverage:
    """How much of what a file (or period) should hold was received for one subject.

    Attributes:
        subject: the channel, meter or other identifier.
        span: from the first to the last instant that the file claims for it.
        expected: number of values that the span should hold.
        received: number of values that came.
        missing: spans without a value, in order.
    """

    subject: str
    span: Span
    expected: int
    received: int
    missing: tuple[Span, ...] = ()


ReadItem = AnyUsage | BadRecord | Finding | Coverage


@attrs.frozen(kw_only=True)
class ReadRequest:
    """What a reader is told.

    Attributes:
        file: name of the file, for messages.
        source: source name of the records that it makes.
        zone: IANA zone for local times without an offset.
        options: the reader's own options, as given on the command line (``--option name=value``).
        settings: structured settings of the reader's own plugin (an instance of its settings class), None where it has none.
    """

    file: str
    source: str
    zone: str = "UTC"
    options: Mapping[str, str] = attrs.field(factory=dict)
    settings: Any = None


@attrs.frozen(kw_only=True)
class Reader:
    """A file format that a plugin can read.

    Attributes:
        format: name for ``--format``, for example ``nem12``.
        title: one line for people.
        kinds: names of the usage kinds that it yields.
        read: takes a binary stream and the request, yields items in file order without holding the file in memory. A file
            that cannot be that format at all raises `InputRefused`; nothing of it is taken in then.
        options: name to one-line help of the options that it understands.
        read_columns: yields the very same records, many at once as columns and the unusual ones one by one, where the library
            polars is there; see `RecordColumns`. None where the request is one that it does not know, then `read` is asked.
            It yields the items of a block of lines after its columns.
    """

    format: str
    title: str
    kinds: tuple[str, ...]
    read: Callable[[BinaryIO, ReadRequest], Iterator[ReadItem]]
    options: Mapping[str, str] = attrs.field(factory=dict)
    read_columns: Callable[[BinaryIO, ReadRequest], Iterator[ReadItem | RecordColumns] | None] | None = None
