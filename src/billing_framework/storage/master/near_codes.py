"""Finds the codes that stand next to a mistyped one, of which the nearest is offered; all others are left alone."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

_EACH_WAY = 500


def near_codes(connection: Connection, column: sa.Column[Any], code: str, **having: object) -> list[str]:
    """Return a bounded number of codes before and behind a mistyped one, also as it is in capitals or small letters.

    Where there are few, these are all.

    Args:
        connection: a connection.
        column: the column of the codes, which has an index.
        code: what was typed.
        having: what other columns of the row must say; a condition in SQL might make the database look for the rows by them.
    """
    query = sa.select(column, *(column.table.c[name] for name in having))
    found: dict[str, None] = {}
    for typed in dict.fromkeys((code, code.upper(), code.lower())):
        before = query.where(column < typed).order_by(column.desc()).limit(_EACH_WAY)
        behind = query.where(column >= typed).order_by(column).limit(_EACH_WAY)
        for near, *said in (*connection.execute(before), *connection.execute(behind)):
            if said == list(having.values()):
                found[near] = None
    return list(found)
