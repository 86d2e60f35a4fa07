"""Loads shares of agreements, in bulk, and tells who bears charges of whom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.share import Share
from billing_framework.accounts.share_form import SHARE
from billing_framework.storage.master.account_rows import rows_of
from billing_framework.storage.master.account_tables import account, agreement
from billing_framework.storage.master.master_kind import MasterKind
from billing_framework.storage.master.share_tables import share as table


def _row(share: Share) -> dict[str, Any]:
    return {
        "agreement": share.agreement,
        "payer": share.payer,
        "starts_on": share.starts_on,
        "codes": " ".join(share.codes),
        "percent": share.percent,
        "ends_on": share.ends_on,
    }


def _share(row: Mapping[str, Any]) -> Share:
    return Share(
        agreement=row["agreement"],
        payer=row["payer"],
        percent=row["percent"],
        codes=tuple(row["codes"].split()),
        starts_on=row["starts_on"],
        ends_on=row["ends_on"],
    )


SHARES = MasterKind[Share](
    form=SHARE,
    table=table,
    keys=("agreement", "payer", "starts_on", "codes"),
    identity=lambda share: (share.agreement, share.payer, share.starts_on, " ".join(share.codes)),
    to_row=_row,
    from_row=_share,
)


def load_shares(connection: Connection, agreements: Collection[str]) -> dict[str, tuple[Share, ...]]:
    """Return the shares of `agreements`, by agreement and in order of payer and date, whatever their dates."""
    found: dict[str, list[Share]] = defaultdict(list)
    for stored in rows_of(connection, SHARES, "agreement", agreements):
        found[stored.value.agreement].append(stored.value)
    return {code: tuple(found[code]) for code in sorted(found)}


def sharing_accounts(connection: Connection, book: str) -> list[tuple[str, str]]:
    """Return each account of a book whose charges another one shares in, with that other, whatever the dates, in order."""
    query = (
        sa.select(agreement.c.account, table.c.payer, account.c.book)
        .join(agreement, agreement.c.code == table.c.agreement)
        .join(account, account.c.code == agreement.c.account)
    )
    # Few accounts are shared in: were the book asked for, SQLite would look at the agreements of all of its accounts.
    return sorted({(row.account, row.payer) for row in connection.execute(query).all() if row.book == book})
