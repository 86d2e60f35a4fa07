"""What was delivered and no document has billed yet: the backlog of carried records, by identifier."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.carried import carried_records, waiting_records
from billing_framework.storage.master.account_rows import load_agreements, load_assignments
from billing_framework.storage.master.range_rows import guiding_assignments, resolved
from billing_framework.storage.usage.carried import Backlog, unbilled_totals
from billing_framework.storage.usage.kind_table import KindTable, kind_tables
from billing_framework.storage.usage.load import newest_batch
from billing_framework.values.clock import timezone
from billing_framework.values.period import DateSpan, midnight

_EVER = datetime(9999, 12, 30, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class WaitingUsage:
    """What one identifier has delivered and no standing document has billed.

    Attributes:
        kind: usage kind of the records.
        subject: the identifier.
        agreements: codes of the agreements that it belongs or belonged to, in order of date; a bill is due to none without one.
        records: how many.
        oldest: when the first of them started.
        newest: when the last of them started.
    """

    kind: str
    subject: str
    agreements: tuple[str, ...]
    records: int
    oldest: datetime
    newest: datetime


def waiting_usage(deployment: Deployment, *, before: date | None = None) -> tuple[WaitingUsage, ...]:
    """Return what waits for a bill, by kind and identifier; it changes nothing.

    Args:
        deployment: the deployment.
        before: only what started before this date in the deployment's zone; all where None.
    """
    end = _EVER if before is None else midnight(before, timezone(deployment.settings.deployment.zone))
    with deployment.database.read() as connection:
        tables = kind_tables(deployment.host.kinds)
        found = unbilled_totals(connection, tables, before=end, up_to_batch=newest_batch(connection))
        held = guiding_assignments(connection, {one.subject for one in found})
        return tuple(
            _waiting(one, tuple(dict.fromkeys(assigned.agreement for assigned in held.get(one.subject, ())))) for one in found
        )


def waiting_of_account(connection: Connection, kinds: Mapping[str, KindTable], account: Account) -> int:
    """Return how many carried records of an account's agreements wait for a bill, those of agreements that have ended among them.

    Args:
        connection: a connection.
        kinds: the usage kinds with their tables.
        account: the account.
    """
    agreements = load_agreements(connection, [account.code]).get(account.code, ())
    if not agreements:
        return 0
    ever = DateSpan(min(one.starts_on for one in agreements), _EVER.date())
    assignments = resolved(connection, load_assignments(connection, [one.code for one in agreements]))
    waiting = waiting_records(connection, kinds, [account], assignments, period=ever, repeats=())
    zone = timezone(account.zone)
    found = [carried_records(assignments.get(one.code, ()), waiting, ever, zone) for one in agreements]
    return sum(high - low for carried in found for _, low, high in carried.spans)


def _waiting(one: Backlog, agreements: tuple[str, ...]) -> WaitingUsage:
    return WaitingUsage(
        kind=one.kind,
        subject=one.subject,
        agreements=agreements,
        records=one.records,
        oldest=one.oldest,
        newest=one.newest,
    )
