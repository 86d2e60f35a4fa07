"""Who is billed by a document: kept beside it and outside its digest, sealed where the deployment has a key for personal data."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.document import Buyer, Seller
from billing_framework.storage.billing.tables import document_party
from billing_framework.storage.column_types import canonical_json
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_party
from billing_framework.storage.personal.vault import vault_of
from billing_framework.values.personal import ERASED
from billing_framework.values.plain_form import from_plain, to_plain


def plain_buyers(connection: Connection, buyers: Sequence[tuple[int, Buyer]]) -> list[dict[str, Any]]:
    """Return buyers as they are stored: sealed under the key of their account's party, or as they are.

    Args:
        connection: a connection with an open write transaction.
        buyers: key of the document and its buyer.
    """
    if vault_of(connection) is None:
        return [to_plain(buyer) for _, buyer in buyers]
    owners = _owners(connection, {buyer.account for _, buyer in buyers})
    desk = KeyDesk.of(connection)
    desk.load(owners.values())
    sealed = [_sealed(desk, owners[buyer.account], key, buyer) for key, buyer in buyers]
    desk.save()
    return sealed


def _sealed(desk: KeyDesk, owner: str, key: int, buyer: Buyer) -> dict[str, Any]:
    if buyer.name == ERASED:  # nothing is left to be sealed, and nobody comes back by it
        return dict(to_plain(Buyer(account=buyer.account, name=ERASED)))
    return {
        "account": buyer.account,
        "owner": owner,
        "sealed": desk.seal_text(owner, _place(key), canonical_json(to_plain(buyer))),
    }


def _owners(connection: Connection, accounts: set[str]) -> dict[str, str]:
    rows = rows_of(
        connection, accounts, lambda some: sa.select(account.c.code, account.c.party).where(one_of(account.c.code, some))
    )
    return {row.code: owner_of_party(row.party) for row in rows}


def parties_of(connection: Connection, keys: Iterable[int]) -> dict[int, tuple[Seller, Buyer]]:
    """Return who bills whom on these documents, as it was printed; a buyer whose data were erased says so."""
    found = list(_rows(connection, keys))
    sealed = [row.buyer["owner"] for row in found if "sealed" in row.buyer]
    desk = KeyDesk.of(connection) if sealed else None
    if desk is not None:
        desk.load(sealed)
    return {row.document_id: (from_plain(row.seller, Seller), _buyer(desk, row.document_id, row.buyer)) for row in found}


def buyer_owners(connection: Connection, keys: Iterable[int]) -> dict[int, str]:
    """Return whom the sealed buyers of these documents are about; documents whose buyer stands in the clear are left out."""
    return {row.document_id: row.buyer["owner"] for row in _rows(connection, keys) if "sealed" in row.buyer}


def _rows(connection: Connection, keys: Iterable[int]) -> Iterable[sa.Row[Any]]:
    return rows_of(connection, keys, lambda some: sa.select(document_party).where(one_of(document_party.c.document_id, some)))


def _buyer(desk: KeyDesk | None, key: int, stored: Mapping[str, Any]) -> Buyer:
    if desk is None or "sealed" not in stored:
        return from_plain(stored, Buyer)
    text = desk.unseal_text(stored["owner"], _place(key), stored["sealed"])
    return Buyer(account=stored["account"], name=ERASED) if text is None else from_plain(json.loads(text), Buyer)


def _place(key: int) -> str:
    return f"document_party|{key}|buyer"
