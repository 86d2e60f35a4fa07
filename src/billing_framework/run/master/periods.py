"""Officers open accounting periods, also ahead of time, and close them for good."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.ledger.book import AccountingPeriod
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.order import one_decision_at_a_time
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.billing.tables import run
from billing_framework.storage.ledger.books import close_period, entries_of_periods, list_periods, open_period
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.clock import timezone, today
from billing_framework.values.errors import InputRefused, NotFound, Refused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import ONE_DAY, DateSpan, sane_date

_MOST_MONTHS = 1_200


def month(text: str) -> DateSpan:
    """Return the dates of a month written ``2026-07``.

    Raises:
        InputRefused: ``PERIOD01``.
    """
    try:
        first = date.fromisoformat(f"{text}-01")
    except ValueError as error:
        raise InputRefused("PERIOD01", f"{text!r} is no month", remedy="Write year and month, for example 2026-07") from error
    return DateSpan(sane_date(first), _next_month(first))


def _next_month(first: date) -> date:
    return first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)


def months(first: str, last: str) -> tuple[DateSpan, ...]:
    """Return the months from `first` to `last`, both written ``2026-07``.

    Raises:
        InputRefused: ``PERIOD01`` for another form, or where the last is before the first.
    """
    spans = [month(first)]
    end = month(last)
    while spans[-1] != end:
        if spans[-1].start > end.start or len(spans) > _MOST_MONTHS:
            raise InputRefused("PERIOD01", f"there are no months from {first} to {last}", remedy="Give the earlier month first")
        spans.append(DateSpan(spans[-1].end, _next_month(spans[-1].end)))
    return tuple(spans)


def month_or_date(text: str) -> DateSpan | date:
    """Return the dates of a month written ``2026-07``, or the date written ``2026-07-31``.

    Raises:
        InputRefused: ``PERIOD01``.
    """
    try:
        return sane_date(date.fromisoformat(text))
    except ValueError:
        return month(text)


def open_periods(
    deployment: Deployment, book: str, spans: tuple[DateSpan, ...], *, reason: str = ""
) -> tuple[AccountingPeriod, ...]:
    """Open periods for posting and return those that were not open before; all of them or none.

    Args:
        deployment: the deployment; its actor opens.
        book: key of the book.
        spans: their dates.
        reason: remark for the audit trail.

    Raises:
        NotFound: ``BOOK08``: there is no such book.
        LedgerRefused: a period overlaps another one or was closed.
    """
    now, actor = deployment.clock.now(), deployment.actor
    with deployment.database.begin() as connection:
        load_book(connection, book)
        before = {period.span for period in list_periods(connection, book)}
        opened = [open_period(connection, book, span) for span in spans]
        new = tuple(period for period in opened if period.span not in before)
        record_many(connection, now, actor, [_opening(period, reason) for period in new])
    return new


def _opening(period: AccountingPeriod, reason: str) -> AuditEvent:
    return AuditEvent(action="period open", object_kind="period", object_key=_key(period), after=_facts(period), reason=reason)


@attrs.frozen(kw_only=True)
class Closing:
    """What closing a period would do, and what stands against it.

    Attributes:
        period: the period.
        entries: number of ledger entries that are dated into it; None where it is closed, which needs no count.
        earlier: earlier periods of the book that are still open, each with the number of its entries, in order of date.
        findings: why it is refused; none where it would be closed, or is closed already.
    """

    period: AccountingPeriod
    entries: int | None = None
    earlier: Mapping[str, int]
    findings: tuple[Finding, ...]


def look_at_closing(deployment: Deployment, book: str, wanted: DateSpan | date, *, leave_earlier: bool = False) -> Closing:
    """Return what closing a period would do, and what stands against it; nothing is closed.

    Args:
        deployment: the deployment; its clock says which periods have ended.
        book: key of the book.
        wanted: the dates of the period, or any date in it.
        leave_earlier: whether earlier periods with entries may stay open.

    Raises:
        NotFound: ``BOOK08`` or ``LEDGER06``: there is no such book, or no period of these dates.
    """
    with deployment.database.read() as connection:
        found = _closing(deployment, connection, book, wanted, leave_earlier=leave_earlier)
        counts = entries_of_periods(connection, [found.period])
        return attrs.evolve(found, entries=counts.get(found.period.id, 0))


def close_book_period(
    deployment: Deployment, book: str, wanted: DateSpan | date, *, reason: str, leave_earlier: bool = False
) -> AccountingPeriod | None:
    """Close a period that has ended, for good, and return it; None where it is closed already, and nothing was changed.

    Approvals and posters that are at work are waited for.

    Args:
        deployment: the deployment; its actor closes, and its clock says which periods have ended.
        book: key of the book.
        wanted: the dates of the period, or any date in it.
        reason: why, for the audit trail.
        leave_earlier: whether earlier periods with entries may stay open; the audit trail keeps which did.

    Raises:
        NotFound: ``BOOK08`` or ``LEDGER06``: there is no such book, or no period of these dates.
        Refused: ``PERIOD02``: an approved run is still to post into it, ``PERIOD03``: it has not ended,
            ``PERIOD04``: an earlier period with entries is open.
    """
    now, actor = deployment.clock.now(), deployment.actor
    with deployment.database.begin() as connection:
        one_decision_at_a_time(connection, book)  # nothing is approved for the period while it is being closed
        found = _closing(deployment, connection, book, wanted, leave_earlier=leave_earlier)
        if not found.period.is_open:
            return None
        if found.findings:
            first = found.findings[0]
            raise Refused(first.code, first.what, remedy=first.remedy)
        closed = close_period(connection, book, found.period.span.start, now=now)
        left = [span for span, entries in found.earlier.items() if entries]
        event = AuditEvent(
            action="period close",
            object_kind="period",
            object_key=_key(closed),
            before=_facts(closed) | {"state": "open"},
            after=_facts(closed) | ({"left open": ", ".join(left)} if left else {}),
            reason=reason,
        )
        record_many(connection, now, actor, [event])
    return closed


def _closing(
    deployment: Deployment, connection: Connection, book: str, wanted: DateSpan | date, *, leave_earlier: bool
) -> Closing:
    now = today(deployment.clock, timezone(load_book(connection, book).profile.zone))
    known = list_periods(connection, book)
    period = _meant(known, book, wanted)
    before = [one for one in known if one.is_open and one.span.start < period.span.start]
    counts = entries_of_periods(connection, before)
    earlier = {str(one.span): counts.get(one.id, 0) for one in before}
    findings = [
        *_still_to_post(connection, period),
        *_not_ended(period, now),
        *([] if leave_earlier else _earlier_open(period, earlier)),
    ]
    return Closing(period=period, earlier=earlier, findings=tuple(findings) if period.is_open else ())


def _meant(known: Sequence[AccountingPeriod], book: str, wanted: DateSpan | date) -> AccountingPeriod:
    """Return the period that has exactly these dates, or holds this one; what was opened under others is not meant."""
    if isinstance(wanted, DateSpan):
        found = next((one for one in known if one.span == wanted), None)
        near = ", ".join(str(one.span) for one in known if one.span.intersection(wanted))
    else:
        found = next((one for one in known if wanted in one.span), None)
        near = ""
    if found is None:
        remedy = f"Name the dates of a period that there is: {near}" if near else f"See what there is: billing period list {book}"
        raise NotFound("LEDGER06", f"book {book} has no period {wanted}", remedy=remedy)
    return found


def _still_to_post(connection: Connection, period: AccountingPeriod) -> Iterator[Finding]:
    """Yield the approved runs that are still to post into a period: their documents could never be issued."""
    for code in _codes_dated_into(connection, period, ("approved", "posting")):
        yield _against(
            "PERIOD02",
            f"the run {code} is approved and posts into {period.span}",
            "Post it first: billing run post; or cancel it: billing run cancel",
        )


def _not_ended(period: AccountingPeriod, on: date) -> Iterator[Finding]:
    """Yield that a period has not ended: closed by a slip, it would be lost to the book for ever."""
    if on < period.span.end:
        yield _against(
            "PERIOD03",
            f"the period {period.span} has not ended: it is {on}",
            f"It can be closed from {period.span.end} on; was another one meant: billing period list {period.book}",
        )


def _earlier_open(period: AccountingPeriod, earlier: Mapping[str, int]) -> Iterator[Finding]:
    """Yield that earlier periods with entries are open: what is still posted into them changes what this one begins with."""
    used = [f"{span} ({entries} entries)" for span, entries in earlier.items() if entries]
    if used:
        yield _against(
            "PERIOD04",
            f"earlier periods of book {period.book} have entries and are still open: {', '.join(used)}",
            "Close them first, in their order; or leave them open knowingly: --leave-earlier",
        )


def _against(code: str, what: str, remedy: str) -> Finding:
    return Finding(code=code, severity=Severity.BLOCKING, what=what, remedy=remedy)


def runs_dated_into(deployment: Deployment, period: AccountingPeriod) -> tuple[str, ...]:
    """Return the codes of the runs that are drafted with documents of a period, which can never be approved once it is closed."""
    with deployment.database.read() as connection:
        return _codes_dated_into(connection, period, ("drafting", "drafted"))


def _codes_dated_into(connection: Connection, period: AccountingPeriod, states: Sequence[str]) -> tuple[str, ...]:
    """Return the codes of the final runs in some states whose documents are dated into a period, in order."""
    columns = run.c
    dated = (columns.as_of >= period.span.start, columns.as_of < period.span.end)
    query = sa.select(columns.code).where(
        columns.book == period.book, columns.kind != "rehearsal", columns.state.in_(states), *dated
    )
    return tuple(connection.scalars(query.order_by(columns.code)))


def book_periods(deployment: Deployment, book: str) -> list[AccountingPeriod]:
    """Return the periods of a book in the order of their dates.

    Raises:
        NotFound: ``BOOK08``: there is no such book.
    """
    with deployment.database.read() as connection:
        load_book(connection, book)
        return list_periods(connection, book)


def inclusive(first: date, last: date) -> DateSpan:
    """Return the dates from `first` to `last`, both inside.

    Raises:
        InputRefused: ``PERIOD01`` where the last is before the first.
    """
    if last < first:
        raise InputRefused("PERIOD01", f"{last} is before {first}", remedy="Give the earlier date first")
    return DateSpan(first, last + ONE_DAY)


def _key(period: AccountingPeriod) -> str:
    return f"{period.book} {period.span}"


def _facts(period: AccountingPeriod) -> dict[str, str]:
    state = "open" if period.is_open else "closed"
    return {"first": period.span.start.isoformat(), "last": period.span.last.isoformat(), "state": state}
