"""Takes over what another system has billed: dates, charges, records and carried state count as billed, and nothing is issued."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.storage.billing.billed_records import link_records
from billing_framework.storage.billing.keys import write_states_of
from billing_framework.storage.billing.run_rows import Run, move_accounts, run_accounts


def take_over(connection: Connection, run: Run) -> int:
    """Let the drafts of a migration stand for what was billed elsewhere, and return how many accounts they are of.

    The next run of an account goes on from there: with the carried state that the drafts leave, without the records on them,
    and for charges in advance from the date up to which they were billed. The drafts stay drafts, as the record of it.

    Args:
        connection: a connection with the write transaction that ends the run.
        run: a migration that is being posted.
    """
    rows = run_accounts(connection, run, states=["approved"])
    documents = sorted({row.document for row in rows if row.document})
    write_states_of(connection, documents)
    link_records(connection, documents)
    move_accounts(connection, run, "approved", "posted")
    return len(rows)
