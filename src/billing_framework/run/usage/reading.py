"""Reads a file of usage by the reader of a plugin, and holds the reader to its promises."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO, TypeVar

import attrs

from billing_framework.plugin.host import Host
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.promises import broken_promise
from billing_framework.usage.reader import Reader, ReadItem, ReadRequest
from billing_framework.usage.record import Usage
from billing_framework.usage.requirements import LONGEST_NAME
from billing_framework.usage.withheld import is_personal_kind
from billing_framework.values.clock import timezone
from billing_framework.values.errors import ContractBroken, InputRefused
from billing_framework.values.foreign_code import failures_of
from billing_framework.values.spelling import did_you_mean


def read_request(reader: Reader, *, file: str, source: str, zone: str, options: Mapping[str, str]) -> ReadRequest:
    """Return what a reader is told, after checking it.

    Args:
        reader: the reader.
        file: name of the file, for messages.
        source: source name of the records, the format where empty.
        zone: IANA zone of local times without offset.
        options: the reader's options.

    Raises:
        InputRefused: ``USAGE28`` for an option that the reader does not have, or a source that is no name.
        ValueRefused: ``VALUE15`` for an unknown zone.
    """
    for option in options:
        if option not in reader.options:
            what = f"the format {reader.format!r} has no option {option!r}"
            raise InputRefused("USAGE28", what, remedy=did_you_mean(option, reader.options))
    timezone(zone)
    if not source.isprintable() or len(source) > LONGEST_NAME:
        what = f"the source {source[:40]!r} is no name of at most {LONGEST_NAME} printable characters"
        raise InputRefused("USAGE28", what, remedy="Give a short name, such as that of the company that delivers")
    return ReadRequest(file=file, source=source or reader.format, zone=zone, options=dict(options))


def read_items(host: Host, reader: Reader, request: ReadRequest, stream: BinaryIO) -> Iterator[ReadItem]:
    """Yield what a reader makes of a file, each item checked against what the reader promises.

    Args:
        host: the host that the reader belongs to.
        reader: the reader.
        request: what it is told.
        stream: the bytes of the file.

    Raises:
        InputRefused: the file is refused as a whole.
        ContractBroken: ``PLUGIN04`` where the reader yields what it may not, ``PLUGIN05`` where it fails.
    """
    yield from read_checked(host, reader, request, stream, read=reader.read) or ()


Item = TypeVar("Item")
"""What is read: items one by one, or columns of them, too."""


def read_checked(
    host: Host,
    reader: Reader,
    request: ReadRequest,
    stream: BinaryIO,
    *,
    read: Callable[[BinaryIO, ReadRequest], Iterator[Item] | None],
    columns: Mapping[type, Callable[[Any], str]] | None = None,
) -> Iterator[Item] | None:
    """Return what one of a reader's ways of reading makes of a file, each item checked; None where it returns none.

    Args:
        host: the host that the reader belongs to.
        reader: the reader.
        request: what it is told.
        stream: the bytes of the file.
        read: the way of reading.
        columns: the class of columns, where it may yield some, with what tells which promise is broken by them.
    """
    told = attrs.evolve(request, settings=host.settings_of_reader(reader.format))
    with _faults_told(host, reader, request):
        items = read(stream, told)
    return None if items is None else _each_checked(host, reader, request, items, columns or {})


def _each_checked(
    host: Host, reader: Reader, request: ReadRequest, items: Iterator[Item], columns: Mapping[type, Callable[[Any], str]]
) -> Iterator[Item]:
    with _faults_told(host, reader, request):
        for item in items:
            broken = _broken(item, reader, columns)
            if broken:
                raise ContractBroken("PLUGIN04", f"{_who(host, reader)} yielded {broken}", place=request.file)
            yield item


def _who(host: Host, reader: Reader) -> str:
    return f"the reader {reader.format!r} of plugin {host.owners['billing_readers'][reader.format]}"


@contextmanager
def _faults_told(host: Host, reader: Reader, request: ReadRequest) -> Iterator[None]:
    """Tell whatever a reader raises as its fault, or as that of the file."""
    # The error of a reader quotes what it could not read, which may be what is told about a person.
    hidden = any(is_personal_kind(body_fields(host.kinds[kind])) for kind in reader.kinds if kind in host.kinds)
    with failures_of(_who(host, reader), place=request.file, hidden=hidden):
        try:
            yield
        except UnicodeDecodeError as error:
            what, remedy = f"the file is not {error.encoding} text", "Convert its encoding; nothing of the file was taken in"
            raise InputRefused("USAGE22", what, place=request.file, remedy=remedy) from error


def _broken(item: object, reader: Reader, columns: Mapping[type, Callable[[Any], str]]) -> str:
    tell = columns.get(type(item), broken_promise)
    if isinstance(item, Usage) or tell is not broken_promise:
        kind: object = item.kind  # type: ignore[attr-defined]  # columns have it, too
        if not isinstance(kind, str) or kind not in reader.kinds:
            shown = repr(kind) if isinstance(kind, str) else f"a {type(kind).__name__}"
            return f"the usage kind {shown}, which it does not name"
    return tell(item)
