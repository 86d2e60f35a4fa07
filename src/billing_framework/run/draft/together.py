"""Accounts that share charges are billed together or not at all: where one of them is held, the others wait with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.billing_group import linked
from billing_framework.run.draft.bill_result import BillResult
from billing_framework.storage.billing.run_rows import HoldEvidence, RunAccount
from billing_framework.storage.billing.tables import document_input
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.finding import Finding

TOGETHER = "together"
"""Name of the check that holds an account with another one with which it shares charges."""
_ALONE = ("period", TOGETHER)
"""Checks whose holds keep nobody else back: what another run bills is not on these drafts at all."""


def heads_of_results(results: Iterable[BillResult]) -> dict[str, str]:
    """Return for each account the first code of those that are billed together with it."""
    pairs = [(one.account, other) for one in results for other in (one.account, one.payer, *one.bearers)]
    return linked(pairs)


def heads_of_drafts(connection: Connection, rows: Sequence[RunAccount]) -> dict[str, str]:
    """Return the same for accounts of a run that are drafted already, by what their drafts were made from."""
    names = {account_id(row.account): row.account for row in rows}
    documents = {row.document: row.account for row in rows if row.document}
    columns = document_input.c
    pairs = [(row.account, row.account) for row in rows]
    query = sa.select(columns.document_id, columns.account_id)
    pairs += [
        (documents[found.document_id], names[found.account_id])
        for found in rows_of(connection, documents, lambda some: query.where(one_of(columns.document_id, some)))
        if found.account_id in names
    ]
    return linked(pairs)


def held_together(rows: Sequence[RunAccount], heads: Mapping[str, str]) -> list[RunAccount]:
    """Return the rows with all that are billed together held where one of them is held for its own sake, or let go again.

    Args:
        rows: accounts of a run, whole groups of them.
        heads: account to the name of its group.
    """
    first: dict[str, RunAccount] = {}
    for row in rows:
        if row.state == "held" and any(item.check not in _ALONE for item in row.evidence):
            first.setdefault(heads[row.account], row)
    return [_waiting(row, first[heads[row.account]]) if heads[row.account] in first else _free(row) for row in rows]


def _waiting(row: RunAccount, held: RunAccount) -> RunAccount:
    if row.state != "drafted":
        return row
    finding = Finding(
        code="RUN28",
        what=f"it shares charges with {held.account}, which is held: {held.reason}",
        remedy=f"Mend what holds {held.account}, or release it; this account follows",
        subject=row.account,
        value=held.account,
    )
    evidence = HoldEvidence(check=TOGETHER, finding=finding, facts={"was": row.reason})
    return attrs.evolve(row, state="held", reason=finding.what, evidence=(*row.evidence, evidence))


def _free(row: RunAccount) -> RunAccount:
    if row.state != "held" or not row.evidence or any(item.check != TOGETHER for item in row.evidence):
        return row
    return attrs.evolve(row, state="drafted", reason=row.evidence[0].facts.get("was", ""), evidence=())
