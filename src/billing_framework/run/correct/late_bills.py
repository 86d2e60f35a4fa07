"""Finds the later invoices that bill the difference of an invoice's period: late usage, which a rebill of it would bill again."""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.correct.dependents import Dependent
from billing_framework.run.draft.manifest import manifest_from_text
from billing_framework.storage.billing.documents import StoredDocument, load_inputs
from billing_framework.storage.billing.tables import charge_key, document
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.errors import Refused
from billing_framework.values.period import DateSpan


def late_bills_of(connection: Connection, group: Collection[StoredDocument]) -> tuple[Dependent, ...]:
    """Return the standing invoices that bill late usage of some invoices' periods, by period and number.

    Args:
        connection: a connection.
        group: the invoices that bear parts of the same charges.
    """
    numbers = {one.number for one in group}
    columns = document.c
    query = (
        sa.select(columns.id, columns.number, columns.account, columns.period_start, columns.period_end)
        .where(
            columns.account_id.in_(sorted({account_id(one.content.account) for one in group})),
            columns.kind == "invoice",
            columns.status == "issued",
            columns.period_start >= min(one.content.period.end for one in group),
            sa.exists().where(charge_key.c.document_id == columns.id, charge_key.c.reversed_by.is_(None)),
        )
        .order_by(columns.period_start, columns.number)
    )
    rows = list(connection.execute(query))
    texts = load_inputs(connection, [row.id for row in rows])
    return tuple(
        Dependent(
            key=row.id,
            number=row.number,
            account=row.account,
            period=DateSpan(row.period_start, row.period_end),
            states=(),
        )
        for row in rows
        if any(_corrected(text) & numbers for text, _ in texts.get(row.id, {}).values())
    )


def _corrected(manifest: str) -> set[str]:
    """Return the numbers of the invoices of whose periods a manifest bills late usage."""
    if '"late":[{' not in manifest:
        return set()
    return {one.document for one in manifest_from_text(manifest).late}


def refuse_billed_late(connection: Connection, group: Collection[StoredDocument]) -> None:
    """Refuse to credit an invoice in full while later ones bill late usage of its period.

    Raises:
        Refused: ``LATE05`` with the invoice to credit first.
    """
    later = late_bills_of(connection, group)
    if later:
        first = next(iter(group)).number
        raise Refused(
            "LATE05",
            f"{later[-1].number} bills late usage of the period of {first}, by its difference to {first}",
            remedy=f"Credit {later[-1].number} first; or bill the period anew, which mends both: billing invoice rebill {first}",
        )
