"""Finds accounts of runs that do not stand as their documents do: said to be posted, say, while no number was issued."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.tables import document, posting_manifest, run, run_account
from billing_framework.storage.many import streamed


def accounts_astray(connection: Connection, of: Run) -> list[str]:
    """Return the codes of accounts of a run that do not stand as the documents for which it has reserved numbers, in order.

    An account is approved where its document waits to be issued and posted where it is issued, and in no other case; and each
    document is that of its account. A migration reserves no numbers: none of its accounts stands so before it is approved.

    Args:
        connection: a connection with an open transaction.
        of: a run.
    """
    account, reserved = run_account.c, posting_manifest.c
    own = (account.run_id == reserved.run_id, account.account_id == document.c.account_id)
    alone = (
        sa.select(document.c.account)
        .join_from(posting_manifest, document, document.c.id == reserved.document_id)
        .where(reserved.run_id == of.id, ~sa.exists().where(*own, account.document_id == reserved.document_id))
    )
    wrong = _with_documents(account.account).where(account.run_id == of.id, _stands_otherwise())
    return sorted(connection.scalars(sa.union(alone, wrong)))


def settled_astray(connection: Connection, book: str) -> Iterator[tuple[str, str, str]]:
    """Yield account, run and what is wrong for each account of a run of a book that does not stand as its document does.

    Args:
        connection: a connection with an open transaction.
        book: code of the book.
    """
    account = run_account.c
    numbered = sa.and_(run.c.kind != "migration", run.c.state != "cancelled", _stands_otherwise())
    left = sa.and_(run.c.state == "posted", account.state.in_(("drafted", "approved")))
    query = _with_documents(account.account, account.state, run.c.code, run.c.state.label("run_state"), document.c.status)
    query = query.join(run, run.c.id == account.run_id).where(run.c.book == book, sa.or_(numbered, left))
    for rows in streamed(connection, query.order_by(run.c.code, account.account)):
        for row in rows:
            yield row.account, row.code, f"it stands as {row.state}, but {_told(row.status, row.run_state)}"


def _told(status: str | None, run_state: str) -> str:
    if status is None and run_state == "posted":
        return "the run is posted, and no document of it was issued"
    return {"draft": "its document is not issued", "issued": "its document is issued", "void": "its document is void"}.get(
        status or "", "its document was not approved"
    )


def _with_documents(*columns: sa.ColumnElement[str]) -> sa.Select[*tuple[str, ...]]:
    """Return a query of accounts of runs beside their documents, where these have a number reserved by the same run."""
    account, reserved = run_account.c, posting_manifest.c
    match = sa.and_(reserved.document_id == account.document_id, reserved.run_id == account.run_id)
    return (
        sa.select(*columns)
        .select_from(run_account)
        .outerjoin(posting_manifest, match)
        .outerjoin(document, document.c.id == reserved.document_id)
    )


def _stands_otherwise() -> sa.ColumnElement[bool]:
    """Return the condition that an account does not stand as its document; one that is void leaves it to be held or skipped."""
    state, status = run_account.c.state, document.c.status
    return sa.or_(
        sa.and_(status == "draft", state != "approved"),
        sa.and_(status == "issued", state != "posted"),
        sa.and_(sa.or_(status.is_(None), status == "void"), state.in_(("approved", "posted"))),
    )
