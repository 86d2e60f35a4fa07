"""FreeSWITCH ``mod_cdr_csv`` by its templates ``example`` and ``asterisk`` (signalwire/freeswitch, cdr_csv.conf.xml).

A site may write any template; those that are not one of these two are read by ``mapped_csv``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import BinaryIO

import attrs

from billing_framework import Reader, ReadItem, ReadRequest
from billing_telecom_usage.formats.call_record import Shape, Sorter, source_of
from billing_telecom_usage.formats.named_columns import is_of_width, named_ids, width_refused
from billing_telecom_usage.formats.refusal import refuse_file
from billing_telecom_usage.formats.rows import rows
from billing_telecom_usage.kinds import CALL

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
    name = request.options.get("template", "example")
    if name not in TEMPLATES:
        what = f"the template {name!r} is unknown"
        raise refuse_file(request, "TEL07", what, remedy=f"Use {' or '.join(TEMPLATES)}, or the format mapped_csv for others")
    names = TEMPLATES[name].names
    ids = named_ids(source.record_id or ("uuid",), names, request)
    shape = Shape(fields={field: names.index(column) for field, column in _COMMON.items()}, ids=ids)
    sorter = Sorter(request=request, source=source)
    is_known = False
    for row in rows(stream, request, delimiter=",", encoding=source.encoding):
        if not is_known and row.refused is None and len(row.cells) != len(names):
            what = f"the line has {len(row.cells)} columns, the template {name!r} has {len(names)}"
            raise refuse_file(request, "TEL01", what, line=row.line, remedy="Name the template by --option template=")
        is_known = is_known or row.refused is None
        yield sorter.item(row if is_of_width(row, len(names)) else width_refused(row, len(names)), shape)
    yield from sorter.told()


FREESWITCH = Reader(
    format="freeswitch_cdr_csv",
    title="Call detail records of FreeSWITCH, mod_cdr_csv",
    kinds=(CALL.name,),
    read=read_freeswitch,
    options={"template": "template of mod_cdr_csv: example (default) or asterisk"},
)
