"""What the documents of a run come to, beside those of the run before."""

from __future__ import annotations

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import Run, runs
from billing_framework.storage.billing.tables import document, run_account
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class RunTotals:
    """What the documents of a run come to, in one currency.

    Attributes:
        documents: number of documents.
        net: sum without tax.
        tax: sum of the taxes.
        gross: sum with tax.
    """

    documents: int
    net: Money
    tax: Money
    gross: Money


def totals_of(connection: Connection, run: Run) -> dict[str, RunTotals]:
    """Return the totals of a run's documents that are drafted, approved or posted, by currency."""
    columns, accounts = document.c, run_account.c
    query = (
        sa.select(
            columns.currency,
            sa.func.count().label("documents"),
            *(sa.func.sum(columns[name]).label(name) for name in ("net", "tax", "gross")),
        )
        .where(
            columns.run_id == run.id,
            columns.status != "void",
            sa.exists().where(
                accounts.run_id == run.id,
                accounts.document_id == columns.id,
                accounts.state.in_(("drafted", "approved", "posted")),
            ),
        )
        .group_by(columns.currency)
        .order_by(columns.currency)
    )
    return {
        row.currency: RunTotals(
            documents=row.documents,
            net=Money(int(row.net), row.currency),
            tax=Money(int(row.tax), row.currency),
            gross=Money(int(row.gross), row.currency),
        )
        for row in connection.execute(query)
    }


def last_totals(connection: Connection, run: Run) -> dict[str, RunTotals]:
    """Return what all posted runs over the period before come to together, as accounts may be billed by several of them."""
    last: dict[str, RunTotals] = {}
    for earlier in runs(connection, book=run.book, cycle=run.cycle, period_end=run.period.start, state="posted"):
        for currency, found in totals_of(connection, earlier).items():
            before = last.get(currency)
            last[currency] = found if before is None else _together(before, found)
    return last


def _together(one: RunTotals, other: RunTotals) -> RunTotals:
    return RunTotals(
        documents=one.documents + other.documents,
        net=one.net + other.net,
        tax=one.tax + other.tax,
        gross=one.gross + other.gross,
    )
