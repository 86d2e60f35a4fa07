"""What officers have changed of agreements, for which dates, and whether a document would be billed otherwise thereby."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.share import Share
from billing_framework.run.draft.bill_input import AgreementInput, BillInput
from billing_framework.storage.audit import audit_event
from billing_framework.storage.master.account_tables import agreement
from billing_framework.storage.master.master_kind import AGREEMENTS, ASSIGNMENTS, MasterKind
from billing_framework.storage.master.share_rows import SHARES
from billing_framework.storage.usage.batches import instant_of_intake
from billing_framework.values.period import DateSpan

_LASTS = "ends_on"

_BILLED_BY = frozenset(kind.name for kind in (AGREEMENTS, ASSIGNMENTS, SHARES))
"""The kinds of master data that decide by their dates what an account is billed."""


def instant_of_change(connection: Connection, kind: MasterKind[Any], now: datetime) -> datetime:
    """Return the instant of an act that is about to be committed: where bills depend on it, after what was decided without it.

    Args:
        connection: a connection with the write transaction of the act, near its end.
        kind: what is changed.
        now: what the clock says.
    """
    return instant_of_intake(connection, now) if kind.name in _BILLED_BY else now


def changes_of_agreements(connection: Connection, since: datetime | None) -> Iterator[tuple[str, DateSpan, datetime]]:
    """Yield account, dates and instant of each act on an agreement, on what is assigned to it and on who pays for it.

    Args:
        connection: a connection.
        since: only acts after this instant; None where no act matters.
    """
    if since is None:
        return
    columns = audit_event.c
    accounts = {row.code: row.account for row in connection.execute(sa.select(agreement.c.code, agreement.c.account))}
    query = sa.select(columns.at, columns.before, columns.after).where(columns.object_kind.in_(_BILLED_BY), columns.at > since)
    for row in connection.execute(query):
        states = [facts for facts in (row.before, row.after) if facts]
        first = _first_date(states)
        if first is None:
            continue
        for account in sorted({one.get("account") or accounts.get(one.get("agreement", ""), "") for one in states}):
            yield account, DateSpan(first, date.max), row.at


def _first_date(states: list[Mapping[str, Any]]) -> date | None:
    """Return from when on something was changed: where it starts, or ends if its end is all that was changed."""
    rest = [{name: value for name, value in one.items() if name != _LASTS} for one in states]
    told = _LASTS if len(rest) > 1 and rest[0] == rest[1] else "starts_on"
    dates = [one[told] for one in states if one.get(told)]
    return min(map(date.fromisoformat, dates), default=None)


def changed_agreements(before: Iterable[BillInput], after: Iterable[BillInput]) -> tuple[str, ...]:
    """Return the codes of the agreements that are billed otherwise now: other dates, plan, terms, identifiers or payers."""
    old, new = _said(before), _said(after)
    return tuple(code for code in sorted(old.keys() | new.keys()) if old.get(code) != new.get(code))


def _said(inputs: Iterable[BillInput]) -> dict[str, object]:
    return {one.agreement.code: _terms(one) for given in inputs for one in given.agreements}


def _terms(given: AgreementInput) -> object:
    agreement_, period = given.agreement, given.period
    held = [(one.subject, one.details, _cut(one, period)) for one in given.assignments if not one.within]
    shares = [(one.payer, one.percent, one.codes, _cut(one, period)) for one in given.shares if _cut(one, period)]
    return (agreement_.account, agreement_.plan, agreement_.terms, period, held, shares)


def _cut(one: Assignment | Share, period: DateSpan) -> DateSpan | None:
    """Return the dates of a period for which something holds."""
    return period.intersection(DateSpan(one.starts_on, one.ends_on or date.max))
