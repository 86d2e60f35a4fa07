"""Finds the periods of accounts that have ended and that no run has billed, oldest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.agreement import Agreement
from billing_framework.storage.billing.billed_dates import (
    BilledDates,
    billed_dates_of,
    billing_since,
    first_dates_of,
    taken_over_until,
)
from billing_framework.storage.master.account_rows import load_agreements
from billing_framework.values.calendar import Cycle, period_containing
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class Missed:
    """What was not billed of one account.

    Attributes:
        periods: the periods, or the rest of one of which a part was billed, oldest first.
        is_new: True where an agreement began no later, and since the book is billed here: nobody else has billed them.
        waits_for: code of a run that is to be posted before the oldest of them is billed, empty where there is none: one that
            bills the account before it, or has approved a later bill.
    """

    periods: tuple[DateSpan, ...]
    is_new: bool = False
    waits_for: str = ""


def missed_periods(connection: Connection, book: str, accounts: Sequence[str], cycle: Cycle, as_of: date) -> dict[str, Missed]:
    """Return by account the periods that have ended by a date and that no run has billed; accounts without one are left out.

    What lies before the first bill of an account, and before the first run that was to bill it, was billed by whoever did so
    before, unless its agreement began since the book is billed here; so was what lies before the end of a migration that has had
    the account.

    Args:
        connection: a connection.
        book: code of the book.
        accounts: codes of accounts of one cycle of it.
        cycle: their cycle.
        as_of: a period that ends at midnight of this date has ended.
    """
    agreements = load_agreements(connection, accounts)
    billed = billed_dates_of(connection, accounts)
    first = first_dates_of(connection, accounts)
    taken_over = taken_over_until(connection, accounts)
    since = billing_since(connection, book) or date.max
    found = {}
    for account in accounts:
        spans = billed.get(account, ())
        lives = agreements.get(account, ())
        new = min((one.starts_on for one in lives if one.starts_on >= since), default=None)
        known = [*(one.dates.start for one in spans[:1]), *([first[account]] if account in first else [])]
        begin = min([*known, new or date.max]) if known else date.min
        begin = max(begin, taken_over.get(account, date.min))
        periods = tuple(_missed(lives, spans, cycle, as_of, begin))
        if periods:
            unposted = [one for one in spans if not one.is_over]
            waits = next((one.run for one in unposted if one.is_approved or one.dates.start < periods[0].start), "")
            is_new = new is not None and new < periods[0].end
            found[account] = Missed(periods=periods, is_new=is_new, waits_for=waits)
    return found


def has_unbilled(connection: Connection, account: str, period: DateSpan) -> bool:
    """Return whether a day of a period on which an account has an agreement is on no bill yet."""
    agreements = load_agreements(connection, [account]).get(account, ())
    taken = [one.dates for one in billed_dates_of(connection, [account]).get(account, ())]
    return any(_alive(one, rest) for rest in period.without(taken) for one in agreements)


def _alive(agreement: Agreement, dates: DateSpan) -> bool:
    return agreement.starts_on < dates.end and (agreement.ends_on is None or agreement.ends_on > dates.start)


def _missed(
    agreements: Iterable[Agreement], billed: Sequence[BilledDates], cycle: Cycle, as_of: date, begin: date
) -> Iterator[DateSpan]:
    lives = [DateSpan(one.starts_on, one.ends_on or as_of) for one in agreements if one.starts_on < (one.ends_on or as_of)]
    if not lives:
        return
    day = max(begin, min(life.start for life in lives))
    last = min(as_of, max(life.end for life in lives))
    while day < last:
        period = period_containing(cycle, day)
        if period.end > as_of:
            return
        for rest in period.without(one.dates for one in billed):
            if any(rest.intersection(life) for life in lives):
                yield rest
        day = period.end


def oldest(missed: Mapping[str, Missed]) -> dict[DateSpan, list[str]]:
    """Return by the oldest missed period the accounts that are next to be billed for it, oldest first."""
    found: dict[DateSpan, list[str]] = {}
    for account, one in sorted(missed.items()):
        found.setdefault(one.periods[0], []).append(account)
    return {dates: found[dates] for dates in sorted(found, key=lambda one: (one.start, one.end))}
