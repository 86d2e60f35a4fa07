"""The accounts of a run in brief: what approving must know of every one of them, without the evidence of what is held."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import Run, RunAccount, run_accounts_of
from billing_framework.storage.billing.tables import run_account
from billing_framework.storage.column_types import read_stored
from billing_framework.storage.many import streamed

OF_KIND = "records of "
"""What the names of control totals begin with that count the records of one usage kind; they are no fate of records."""

OF_FINDING = "findings of "
"""What the names of control totals begin with that count findings which hold nobody: their code, and the value that they name."""


@attrs.frozen
class AccountBrief:
    """What is to be known of an account of a run to approve it.

    Attributes:
        account: code of the account.
        state: its state, as `RunAccount` has it.
        document: key of the document that bills it, None where it has none.
        control: control totals: kind and fate of records, and findings that hold nobody, to their number.
    """

    account: str
    state: str
    document: int | None
    control: Mapping[str, int]


def account_briefs(connection: Connection, run: Run) -> list[AccountBrief]:
    """Return all accounts of a run in order of code.

    Raises:
        StorageError: ``STORAGE21`` where control totals are none any more; somebody changed stored rows.
    """
    columns = run_account.c
    query = sa.select(columns.account, columns.state, columns.document_id, sa.type_coerce(columns.control, sa.Text()))
    briefs: list[AccountBrief] = []
    controls: dict[str, Mapping[str, int]] = {}  # many accounts have the same
    for rows in streamed(connection, query.where(columns.run_id == run.id).order_by(columns.account)):
        for account, state, document, text in rows:
            if text not in controls:
                controls[text] = read_stored(_counts, text, "control total")
            briefs.append(AccountBrief(account, sys.intern(state), document, controls[text]))
    return briefs


def accounts_with_findings(connection: Connection, run: Run) -> Iterator[tuple[str, list[str]]]:
    """Yield the accounts of a run, in order of code, of which findings were made that hold nobody, with their code and value.

    Raises:
        StorageError: ``STORAGE21`` where control totals are none any more; somebody changed stored rows.
    """
    columns = run_account.c
    text = sa.type_coerce(columns.control, sa.Text())
    query = sa.select(columns.account, text).where(columns.run_id == run.id, text.contains(f'"{OF_FINDING}'))
    for rows in streamed(connection, query.order_by(columns.account)):
        for account, control in rows:
            names = read_stored(_counts, control, "control total")
            yield account, [name.removeprefix(OF_FINDING) for name in names if name.startswith(OF_FINDING)]


def _counts(text: str) -> dict[str, int]:
    said = json.loads(text)
    if not isinstance(said, dict) or not all(type(count) is int for count in said.values()):
        raise ValueError("control totals are whole numbers by name")
    return said


def drafted_otherwise(connection: Connection, run: Run, known: str) -> list[str]:
    """Return the codes of the accounts of a run, in order, that were drafted when something else was known than `known` tells."""
    columns = run_account.c
    query = sa.select(columns.account).where(columns.run_id == run.id, columns.manifest.is_not(None), columns.known != known)
    return list(connection.scalars(query.order_by(columns.account)))


def with_evidence(connection: Connection, run: Run) -> list[RunAccount]:
    """Return the accounts of a run, in order of code, of which something was found that holds them, or held them."""
    columns = run_account.c
    query = sa.select(columns.account).where(columns.run_id == run.id, sa.type_coerce(columns.evidence, sa.Text()) != "[]")
    found = run_accounts_of(connection, run, connection.scalars(query).all())
    return [found[account] for account in sorted(found)]
