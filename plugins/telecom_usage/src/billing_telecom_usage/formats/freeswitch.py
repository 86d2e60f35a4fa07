"""FreeSWITCH ``mod_cdr_csv`` by its templates ``example`` and ``asterisk`` (signalwire/freeswitch, cdr_csv.conf.xml).

A site may write any template; those that are not one of these two are read by ``mapped_csv``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, BinaryIO

import attrs

from billing_framework import Reader, ReadItem, ReadRequest
from billing_telecom_usage.formats.call_record import Opened, Shape, Sorter, source_of
from billing_telecom_usage.formats.named_columns import is_of_width, named_ids, width_refused
from billing_telecom_usage.formats.refusal import refuse_file
from billing_telecom_usage.formats.rows import Row, rows
from billing_telecom_usage.kinds import CALL

if TYPE_CHECKING:
    from billing_framework import RecordColumns

_COMMON = {
    "caller": "caller_id_number",
    "called": "destination_number",
    "start": "start_stamp",
    "answer": "answer_stamp",
    "end": "end_stamp",
    "duration": "duration",
    "billed": "billsec",
    "disposition": "hangup_cause",
    "account_code": "accountcode",
}


@attrs.frozen
class Template:
    """Names of the columns of a template."""

    names: tuple[str, ...]


TEMPLATES: Mapping[str, Template] = MappingProxyType(
    {
        "example": Template(
            (
                "caller_id_name",
                "caller_id_number",
                "destination_number",
                "context",
                "start_stamp",
                "answer_stamp",
                "end_stamp",
                "duration",
                "billsec",
                "hangup_cause",
                "uuid",
                "bleg_uuid",
                "accountcode",
                "read_codec",
                "write_codec",
            )
        ),
        "asterisk": Template(
            (
                "accountcode",
                "caller_id_number",
                "destination_number",
                "context",
                "caller_id",
                "channel_name",
                "bridge_channel",
                "last_app",
                "last_arg",
                "start_stamp",
                "answer_stamp",
                "end_stamp",
                "duration",
                "billsec",
                "hangup_cause",
                "amaflags",
                "uuid",
                "userfield",
            )
        ),
    }
)


def read_freeswitch(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem]:
    """Yield a call per line, named by its ``uuid``.

    A call is answered where it has an answer stamp and billed seconds; the hang-up cause alone does not say so.

    Raises:
        InputRefused: ``TEL01`` for a file that is no text or whose first line has not the template's columns, ``TEL07`` for an
            unknown template or a column of the settings that the file has not.
    """
    source = source_of(request)
    told = _told(request)
    sorter = Sorter(request=request, source=source)
    is_known = False
    for row in rows(stream, request, delimiter=",", encoding=source.encoding):
        if not is_known and row.refused is None:
            _refuse_other(row, told, request)
        is_known = is_known or row.refused is None
        yield sorter.item(row if is_of_width(row, told.width) else width_refused(row, told.width), told.shape)
    yield from sorter.told()


def read_freeswitch_columns(stream: BinaryIO, request: ReadRequest) -> Iterator[ReadItem | RecordColumns]:
    """Return the same calls as `read_freeswitch`, as columns."""
    from billing_telecom_usage.formats.column_file import column_items  # noqa: PLC0415 - needs polars

    told = _told(request)

    def opened(row: Row) -> Opened:
        _refuse_other(row, told, request)
        return told

    return column_items(stream, request, source_of(request), opened, read_freeswitch, delimiter=",")


def _told(request: ReadRequest) -> Opened:
    """Return what the options say of the columns."""
    name = request.options.get("template", "example")
    if name not in TEMPLATES:
        what = f"the template {name!r} is unknown"
        raise refuse_file(request, "TEL07", what, remedy=f"Use {' or '.join(TEMPLATES)}, or the format mapped_csv for others")
    names = TEMPLATES[name].names
    ids = named_ids(source_of(request).record_id or ("uuid",), names, request)
    return Opened(
        shape=Shape(fields={field: names.index(column) for field, column in _COMMON.items()}, ids=ids), width=len(names)
    )


def _refuse_other(row: Row, told: Opened, request: ReadRequest) -> None:
    if len(row.cells) != told.width:
        name = request.options.get("template", "example")
        what = f"the line has {len(row.cells)} columns, the template {name!r} has {told.width}"
        raise refuse_file(request, "TEL01", what, line=row.line, remedy="Name the template by --option template=")


FREESWITCH = Reader(
    format="freeswitch_cdr_csv",
    title="Call detail records of FreeSWITCH, mod_cdr_csv",
    kinds=(CALL.name,),
    read=read_freeswitch,
    read_columns=read_freeswitch_columns,
    options={"template": "template of mod_cdr_csv: example (default) or asterisk"},
)
