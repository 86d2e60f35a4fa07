"""What speaks against closing an account: a closed one is billed no more, and nobody looks for money on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.run.usage.waiting import waiting_of_account
from billing_framework.storage.billing.billed_dates import billed_dates_of
from billing_framework.storage.master.account_rows import load_agreements
from billing_framework.storage.receivable.rows import load_standings
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.values.clock import Clock, timezone, today
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money
from billing_framework.values.period import ONE_DAY
from billing_framework.values.spelling import first_of

_SHOWN = 5


def closing_findings(
    connection: Connection,
    was: Account,
    value: Account,
    clock: Clock,
    kinds: Mapping[str, KindTable],
    *,
    file: str = "",
    line: int = 0,
) -> list[Finding]:
    """Return a finding where an account is to be closed while items are open on it, agreements still run, or bills are missing.

    Args:
        connection: a connection.
        was: the account as it was.
        value: the account as it is to be.
        clock: tells the date in the account's zone; agreements that end later run still.
        kinds: the usage kinds with their tables; what waits of the account would never be billed.
        file: name of the file that it comes from, for messages.
        line: line of it.
    """
    if was.status == "closed" or value.status != "closed":
        return []
    agreements = load_agreements(connection, [value.code]).get(value.code, ())
    running = [*_running(agreements, today(clock, timezone(value.zone)))]
    reasons = [*_open(connection, value.code), *(running or _unbilled(connection, value, agreements, kinds))]
    if not reasons:
        return []
    return [
        Finding(
            code="ACCOUNT33",
            severity=Severity.BLOCKING,
            what=f"account {value.code} cannot be closed yet: {'; '.join(reasons)}",
            remedy="Settle what is open (billing payment open), end its agreements (billing agreement end) and send the"
            f" last bill, which bills what waits, too (billing run final-bill {value.code}); or close it with billing account"
            " change --leave-open",
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


def _running(agreements: Sequence[Agreement], day: date) -> Iterator[str]:
    names = [one.code for one in agreements if one.ends_on is None or one.ends_on > day]
    if names:
        yield f"the agreements {first_of(names, _SHOWN)} still run"


def _unbilled(
    connection: Connection, account: Account, agreements: Sequence[Agreement], kinds: Mapping[str, KindTable]
) -> Iterator[str]:
    """Yield what of agreements that have ended is on no bill; what was never billed at all may be another system's."""
    billed = billed_dates_of(connection, [account.code]).get(account.code, ())
    until = max((one.dates.end for one in billed if one.is_over), default=date.min)
    ended = max((one.ends_on for one in agreements if one.ends_on is not None), default=date.min)
    if billed and until < ended:
        yield f"its bills are not posted up to {ended - ONE_DAY}, the last day of its last agreement"
    if waiting := waiting_of_account(connection, kinds, account):
        yield f"{waiting} records of its usage wait for a bill"
