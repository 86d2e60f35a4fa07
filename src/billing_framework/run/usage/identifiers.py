"""Refuses an identifier that nothing knows: a list of what it has would be empty, which looks like nothing to do."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.run.master.customer_change import find_assignment
from billing_framework.storage.usage.suspense import suspense_rows


def refuse_unknown_identifier(connection: Connection, subject: str) -> None:
    """Refuse an identifier that was never assigned to an agreement and of which no record ever waited.

    Raises:
        NotFound: ``ACCOUNT09``.
    """
    if next(iter(suspense_rows(connection, subject=subject)), None) is None:
        find_assignment(connection, subject)
