"""What the documents of a run come to, beside those of the run before."""

from __future__ import annotations

from collections import Counter

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.numbers import posts
from billing_framework.storage.billing.run_rows import Run, runs
from billing_framework.storage.billing.shared_documents import standing_among
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
    """Return what all posted runs over the period before come to together, as accounts may be billed by several of them.

    It is what stands of them: what was credited or billed anew since counts as it is now.
    """
    last: dict[str, RunTotals] = {}
    for earlier in runs(connection, book=run.book, cycle=run.cycle, period_end=run.period.start, state="posted"):
        for found in (totals_of(connection, earlier), _corrected_since(connection, earlier)):
            for currency, totals in found.items():
                before = last.get(currency)
                last[currency] = totals if before is None else _together(before, totals)
    return {currency: totals for currency, totals in last.items() if totals.documents or totals.gross.minor}


def _corrected_since(connection: Connection, run: Run) -> dict[str, RunTotals]:
    """Return what credit notes and rebills of a run's documents have added to its totals, or taken off them.

    Credit notes are of no run and have an index of their own, so that a run of which nothing was credited costs nothing.
    """
    note, bill, columns = document.alias("note"), document.alias("bill"), document.c
    sums = ("currency", "net", "tax", "gross")
    notes = connection.execute(
        sa.select(note.c.corrects_id, *(note.c[name] for name in sums))
        .join(bill, bill.c.id == note.c.corrects_id)
        .where(note.c.run_id.is_(None), note.c.posted_at >= run.started_at)
        .where(note.c.kind == "credit_note", note.c.status == "issued", bill.c.run_id == run.id)
    ).all()
    if not notes:
        return {}
    rebills = connection.execute(
        sa.select(*(columns[name] for name in sums)).where(columns.run_id == run.id, columns.status == "issued", ~posts(run))
    ).all()
    credited = {row.corrects_id: row.currency for row in notes}
    standing = standing_among(connection, credited)
    documents = Counter(row.currency for row in rebills)
    documents.subtract(currency for key, currency in credited.items() if key not in standing)
    return {
        currency: RunTotals(
            documents=documents[currency],
            net=Money(sum(row.net for row in rows), currency),
            tax=Money(sum(row.tax for row in rows), currency),
            gross=Money(sum(row.gross for row in rows), currency),
        )
        for currency in sorted({row.currency for row in (*notes, *rebills)})
        if (rows := [row for row in (*notes, *rebills) if row.currency == currency])
    }


def _together(one: RunTotals, other: RunTotals) -> RunTotals:
    return RunTotals(
        documents=one.documents + other.documents,
        net=one.net + other.net,
        tax=one.tax + other.tax,
        gross=one.gross + other.gross,
    )
