"""Finds the references of open items by what is printed of them, however they are punctuated, along the index of references."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import Key
from billing_framework.storage.many import chunks, one_of
from billing_framework.storage.receivable.tables import open_item

_AT_A_TIME = 500


def debits_spelling(connection: Connection, book: str, bodies: set[str]) -> Iterator[tuple[str, str]]:
    """Yield reference and account of what was ever owed to a book under a reference with these letters and digits.

    Args:
        connection: a connection.
        book: code of the book.
        bodies: the letters and digits of references, in capitals, without what is between them.
    """
    columns = open_item.c
    for some in chunks(bodies, _AT_A_TIME):
        references = _references(connection, some)
        query = sa.select(columns.reference, columns.account).where(one_of(columns.reference, references))
        for row in connection.execute(query.where(columns.book == book, columns.original > 0)).all():
            yield row.reference, row.account


def _references(connection: Connection, bodies: list[str]) -> set[str]:
    """Return the references that spell one of the bodies.

    The index is walked for all bodies at once: what stands at or behind a place tells how far none can spell the body, so that a
    few steps pass over all references there are.
    """
    found: set[str] = set()
    places = dict.fromkeys(bodies, "")
    while places:
        met = _first_from(connection, places)
        places = {}
        for body, reference in met.items():
            spelt, places[body] = next_spelling(body, reference)
            if spelt:
                found.add(reference)
    return found


def _first_from(connection: Connection, places: Mapping[str, str]) -> dict[str, str]:
    """Return the first reference at or behind the place of each body; a body with none is left out."""
    wanted = sa.values(sa.column("body", Key), sa.column("place", Key), name="wanted").data(list(places.items())).cte()
    columns = open_item.c
    first = sa.select(sa.func.min(columns.reference)).where(columns.reference >= wanted.c.place).scalar_subquery()
    return {body: first for body, first in connection.execute(sa.select(wanted.c.body, first)) if first is not None}


def next_spelling(body: str, reference: str) -> tuple[bool, str]:
    """Return whether a reference spells a body, and the first text behind it that could begin a reference that does.

    Args:
        body: letters and digits, in capitals.
        reference: any text; of it count the letters A to Z and the digits, in either case.
    """
    spelt = 0
    for place, sign in enumerate(reference):
        if not (sign.isascii() and sign.isalnum()):
            continue
        if body[spelt : spelt + 1] != sign.upper():
            wanted = {body[spelt : spelt + 1], body[spelt : spelt + 1].lower(), _behind(sign)}
            return False, reference[:place] + min(one for one in wanted if one > sign)
        spelt += 1
    return spelt == len(body), f"{reference}\x01"


def _behind(sign: str) -> str:
    """Return the first character behind a letter or digit that is none."""
    return ":" if sign <= "9" else "[" if sign <= "Z" else "{"
