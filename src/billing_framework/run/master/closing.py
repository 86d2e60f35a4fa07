"""What speaks against closing an account: a closed one is billed no more, and nobody looks for money on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.storage.master.account_rows import rows_of
from billing_framework.storage.master.master_kind import AGREEMENTS
from billing_framework.storage.receivable.rows import load_standings
from billing_framework.values.clock import Clock, timezone, today
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money
from billing_framework.values.spelling import first_of

_SHOWN = 5


def closing_findings(
    connection: Connection, was: Account, value: Account, clock: Clock, *, file: str = "", line: int = 0
) -> list[Finding]:
    """Return a finding where an account is to be closed while items are open on it or agreements still run.

    Args:
        connection: a connection.
        was: the account as it was.
        value: the account as it is to be.
        clock: tells the date in the account's zone; agreements that end later run still.
        file: name of the file that it comes from, for messages.
        line: line of it.
    """
    if was.status == "closed" or value.status != "closed":
        return []
    reasons = [*_open(connection, value.code), *_running(connection, value.code, today(clock, timezone(value.zone)))]
    if not reasons:
        return []
    return [
        Finding(
            code="ACCOUNT33",
            severity=Severity.BLOCKING,
            what=f"account {value.code} cannot be closed yet: {'; '.join(reasons)}",
            remedy="Settle what is open (billing payment open), end its agreements (billing agreement end) and send the"
            " last bill (billing run final-bill); or close it with billing account change --leave-open",
            file=file,
            line=line,
            field="status",
            value="closed",
            subject=value.code,
        )
    ]


def _open(connection: Connection, code: str) -> Iterator[str]:
    """Yield what is open: debts and credits, which would not be told apart in a sum of nothing."""
    standing = [one for one in load_standings(connection, accounts=[code]) if one.open]
    for currency in sorted({one.open.currency for one in standing}):
        amounts = [one.open for one in standing if one.open.currency == currency]
        yield f"{len(amounts)} items are open, {Money.total(amounts, currency)} together"


def _running(connection: Connection, code: str, day: date) -> Iterator[str]:
    agreements = [stored.value for stored in rows_of(connection, AGREEMENTS, "account", [code])]
    names = [one.code for one in agreements if one.ends_on is None or one.ends_on > day]
    if names:
        yield f"the agreements {first_of(names, _SHOWN)} still run"
