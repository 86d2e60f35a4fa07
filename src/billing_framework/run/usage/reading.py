"""Reads a file of usage by the reader of a plugin, and holds the reader to its promises."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import BinaryIO

import attrs

from billing_framework.plugin.host import Host
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.reader import BadRecord, Coverage, Reader, ReadItem, ReadRequest
from billing_framework.usage.record import Usage
from billing_framework.usage.requirements import LONGEST_NAME
from billing_framework.usage.withheld import is_personal_kind
from billing_framework.values.clock import timezone
from billing_framework.values.errors import BillingError, ContractBroken, InputRefused
from billing_framework.values.finding import Finding
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
    who = f"the reader {reader.format!r} of plugin {host.owners['billing_readers'][reader.format]}"
    try:
        for item in reader.read(stream, attrs.evolve(request, settings=host.settings_of_reader(reader.format))):
            broken = _broken(item, reader)
            if broken:
                raise ContractBroken("PLUGIN04", f"{who} yielded {broken}", place=request.file)  # noqa: TRY301  it ends the loop
            yield item
    except BillingError:
        raise
    except UnicodeDecodeError as error:
        what, remedy = f"the file is not {error.encoding} text", "Convert its encoding; nothing of the file was taken in"
        raise InputRefused("USAGE22", what, place=request.file, remedy=remedy) from error
    except Exception as error:  # noqa: BLE001  whatever a plugin raises is its fault, told as such
        # The error of a reader quotes what it could not read, which may be what is told about a person.
        hidden = any(is_personal_kind(body_fields(host.kinds[kind])) for kind in reader.kinds if kind in host.kinds)
        what = f"{who} failed: {type(error).__name__}{'' if hidden else f': {error}'}"
        raise ContractBroken("PLUGIN05", what, place=request.file) from (None if hidden else error)


def _broken(item: object, reader: Reader) -> str:
    if isinstance(item, Usage):
        return "" if item.kind in reader.kinds else f"the usage kind {item.kind!r}, which it does not name"
    if isinstance(item, BadRecord):
        return "" if item.findings else f"an unreadable record without a finding (line {item.line})"
    return "" if isinstance(item, Coverage | Finding) else f"a {type(item).__name__}"
