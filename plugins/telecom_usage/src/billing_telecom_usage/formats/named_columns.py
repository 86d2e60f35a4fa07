"""Columns by name: where they stand, and rows that have too few or too many of them."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from billing_framework import ReadRequest
from billing_telecom_usage.formats.refusal import RecordRefused, refuse_file
from billing_telecom_usage.formats.rows import Row


def is_of_width(row: Row, width: int) -> bool:
    """Return whether a row has as many cells as its file, or is refused already."""
    return row.refused is not None or len(row.cells) == width


def width_refused(row: Row, width: int) -> Row:
    """Return the row, refused because it has another number of cells than its file."""
    what = f"the line has {len(row.cells)} columns instead of {width}; it is cut, or a cell is not quoted"
    return attrs.evolve(row, refused=RecordRefused("TEL02", what, remedy="Ask for the file again, whole"))


def named_ids(ids: Sequence[str], names: Sequence[str], request: ReadRequest) -> tuple[int, ...]:
    """Return the places of the columns that name a record.

    Raises:
        InputRefused: ``TEL07`` for a name that is no column of the file.
    """
    for name in ids:
        if name not in names:
            raise unknown_column(name, names, request)
    return tuple(names.index(name) for name in ids)


def unknown_column(name: str, names: Sequence[str], request: ReadRequest) -> Exception:
    """Return the refusal of a file that has not a column which the settings name."""
    what = f"the file has no column {name!r}, which the settings of source {request.source!r} name"
    return refuse_file(request, "TEL07", what, remedy=f"Its columns are {', '.join(names)}")
