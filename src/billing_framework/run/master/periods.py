"""Officers open accounting periods, also ahead of time, and close them for good."""

from __future__ import annotations

from datetime import date

from sqlalchemy.engine import Connection

from billing_framework.ledger.book import AccountingPeriod
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.billing.run_rows import runs
from billing_framework.storage.ledger.books import close_period, list_periods, open_period
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.errors import InputRefused, NotFound, Refused
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


def close_book_period(deployment: Deployment, book: str, wanted: DateSpan | date, *, reason: str) -> AccountingPeriod:
    """Close a period for good; posters that are at work are waited for.

    Args:
        deployment: the deployment; its actor closes.
        book: key of the book.
        wanted: the dates of the period, or any date in it.
        reason: why, for the audit trail.

    Raises:
        NotFound: ``BOOK08`` or ``LEDGER06``: there is no such book, or no period of these dates.
        LedgerRefused: ``LEDGER09``: it is closed already.
        Refused: ``PERIOD02``: an approved run is still to post into it.
    """
    now, actor = deployment.clock.now(), deployment.actor
    with deployment.database.begin() as connection:
        load_book(connection, book)
        on = _date_in(connection, book, wanted) if isinstance(wanted, DateSpan) else wanted
        _refuse_unposted(connection, book, on)
        closed = close_period(connection, book, on, now=now)
        event = AuditEvent(
            action="period close",
            object_kind="period",
            object_key=_key(closed),
            before=_facts(closed) | {"state": "open"},
            after=_facts(closed),
            reason=reason,
        )
        record_many(connection, now, actor, [event])
    return closed


def _date_in(connection: Connection, book: str, wanted: DateSpan) -> date:
    """Return a date in the period that has exactly these dates: what was opened under other dates is not closed by mistake."""
    known = [one.span for one in list_periods(connection, book)]
    if wanted not in known:
        near = ", ".join(str(span) for span in known if span.start < wanted.end and wanted.start < span.end)
        remedy = f"Name the dates of a period that there is: {near}" if near else f"See what there is: billing period list {book}"
        raise NotFound("LEDGER06", f"book {book} has no period {wanted}", remedy=remedy)
    return wanted.start


def _refuse_unposted(connection: Connection, book: str, on: date) -> None:
    """Refuse to close a period into which an approved run is still to post: its documents could never be issued."""
    period = next((one.span for one in list_periods(connection, book) if on in one.span), None)
    waiting = sorted(
        run.code
        for run in runs(connection, book=book)
        if run.state in ("approved", "posting") and period is not None and run.as_of in period
    )
    if waiting:
        raise Refused(
            "PERIOD02",
            f"the run {waiting[0]} is approved and posts into {period}",
            remedy="Post it first: billing run post; or cancel it: billing run cancel",
        )


def runs_dated_into(deployment: Deployment, period: AccountingPeriod) -> tuple[str, ...]:
    """Return the codes of the runs that are drafted with documents of a period, which can never be approved once it is closed."""
    with deployment.database.read() as connection:
        known = runs(connection, book=period.book)
    return tuple(sorted(run.code for run in known if run.is_open and run.is_final and run.as_of in period.span))


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
