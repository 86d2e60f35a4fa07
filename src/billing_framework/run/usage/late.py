"""Finds usage that arrived, or was corrected, after its period was billed, and names the document to rebill.

Documents that rest on carried state which was written anew since, or on agreements that were changed since for dates that they
bill, are found too: they would be billed otherwise as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.correct.late_bills import late_bills_of
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.run.draft.guiding import widened
from billing_framework.run.draft.load_input import Desk, InputRequest, load_inputs, open_desk
from billing_framework.run.draft.stored_input import read_inputs
from billing_framework.run.usage.changed_agreements import changed_agreements, changes_of_agreements
from billing_framework.run.versions import computing_versions
from billing_framework.storage.billing.billed_records import replaced_documents
from billing_framework.storage.billing.documents import StoredDocument, load_documents
from billing_framework.storage.billing.shared_documents import billed_with
from billing_framework.storage.billing.state_reads import moved_readers
from billing_framework.storage.billing.tables import charge_key, document, document_input, run
from billing_framework.storage.column_types import Instant
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id, agreement, assignment, subject_id
from billing_framework.storage.master.range_rows import members_among
from billing_framework.storage.usage.tables import usage_batch
from billing_framework.values.period import DateSpan

_BILLED = sa.exists().where(charge_key.c.document_id == document.c.id, charge_key.c.reversed_by.is_(None))
_KEPT = sa.exists().where(document_input.c.document_id == document.c.id)


@attrs.frozen(kw_only=True)
class LateUsage:
    """What a document would be billed differently for.

    Attributes:
        document: number of the document.
        account: code of the account.
        period: its billing period.
        added: keys of records that it does not know.
        superseded: keys of records that it was billed for, but that are no longer current or no longer the agreement's.
        states: names of the carried state that it rests on and that another document has written since.
        agreements: codes of the agreements that have other dates, another plan, or other terms, identifiers or payers by now.
    """

    document: str
    account: str
    period: DateSpan
    added: tuple[int, ...] = ()
    superseded: tuple[int, ...] = ()
    states: tuple[str, ...] = ()
    agreements: tuple[str, ...] = ()


def late_usage(deployment: Deployment, book: str, *, since: date | None = None, account: str = "") -> tuple[LateUsage, ...]:
    """Return the standing invoices of a book whose usage or agreements have changed since they were drafted, by number.

    Args:
        deployment: the deployment.
        book: code of the book.
        since: only periods that end after this date, where given.
        account: code of the account to whose invoices alone it looks, whatever has come for others; empty for all.
    """
    with deployment.database.read() as connection:
        desk = open_desk(deployment, connection, book, versions=computing_versions(deployment))
        own = set(connection.scalars(_standing(book, since).where(_with_input(account)))) if account else None
        moved: dict[int, set[str]] = {}
        for reader in moved_readers(connection, book, since=since, among=own):
            moved.setdefault(reader.document, set()).add(reader.state[1])
        if own is None:
            own = {*moved, *_replaced(connection, book, since), *_candidates(connection, desk, since)}
        documents = load_documents(connection, own)
        found = []
        for key, stored in sorted(documents.items(), key=lambda item: item[1].number):
            before = read_inputs(connection, key).inputs
            after = _now(connection, desk, key, before).values()
            agreements = changed_agreements(before.values(), after)
            added, superseded = _difference(before.values(), after)
            if added or superseded:
                added, superseded = _difference(_billed_late(connection, stored, before).values(), after)
            if added or superseded or agreements or key in moved:
                found.append(
                    LateUsage(
                        document=stored.number,
                        account=stored.content.account,
                        period=stored.content.period,
                        added=added,
                        superseded=superseded,
                        states=tuple(sorted(moved.get(key, ()))),
                        agreements=agreements,
                    )
                )
        return tuple(found)


def _standing(book: str, since: date | None) -> sa.Select[int]:
    columns = document.c
    query = sa.select(columns.id).where(columns.book == book, columns.kind == "invoice", columns.status == "issued")
    return query if since is None else query.where(columns.period_end > since)


def _with_input(account: str) -> sa.ColumnElement[bool]:
    """Return the condition that a document is of an account, bills a charge that was not taken back, and keeps its input."""
    return sa.and_(document.c.account_id == account_id(account), _BILLED, _KEPT)


def _candidates(connection: Connection, desk: Desk, since: date | None) -> list[int]:
    """Return the standing invoices into whose periods a later batch of usage, or a later act on an agreement, reaches."""
    arrivals = _arrivals(connection, desk, since)
    for account, dates, at in changes_of_agreements(connection, _first_approval(connection, desk.book.code, since)):
        if since is None or dates.end > since:
            for bearer in desk.groups.bearers(account):
                arrivals.setdefault(account_id(bearer), []).append((dates, at))
    columns, runs = document.c, run.c
    found: set[int] = set()
    for row in rows_of(
        connection,
        arrivals,
        lambda some: (
            sa.select(
                columns.id, columns.account_id, columns.period_start, columns.period_end, columns.posted_at, runs.approved_at
            )
            .outerjoin(run, runs.id == columns.run_id)
            .where(
                one_of(columns.account_id, some),
                columns.book == desk.book.code,
                columns.kind == "invoice",
                columns.status == "issued",
                _BILLED,
                _KEPT,
            )
        ),
    ):
        known_at = row.approved_at or row.posted_at
        dates = DateSpan(row.period_start, row.period_end)
        if any(came > known_at and dates.intersection(reach) for reach, came in arrivals[row.account_id]):
            found.add(row.id)
    return sorted(found)


def _first_approval(connection: Connection, book: str, since: date | None) -> datetime | None:
    """Return when the first of the standing invoices was approved, None without any."""
    columns = document.c
    query = sa.select(sa.func.min(sa.func.coalesce(run.c.approved_at, columns.posted_at), type_=Instant))
    query = query.outerjoin_from(document, run, run.c.id == columns.run_id)
    query = query.where(columns.book == book, columns.kind == "invoice", columns.status == "issued")
    return connection.scalar(query if since is None else query.where(columns.period_end > since))


def _replaced(connection: Connection, book: str, since: date | None) -> set[int]:
    """Return the standing invoices of a book that have billed a carried record of which a newer version has come."""
    query, found = _standing(book, since), replaced_documents(connection)
    return {row.id for row in rows_of(connection, found, lambda some: query.where(one_of(document.c.id, some)))}


def _arrivals(connection: Connection, desk: Desk, since: date | None) -> dict[int, list[tuple[DateSpan, datetime]]]:
    """Return for the id of each account that pays the dates that batches of usage reached, and when each came."""
    agreements = {row.code: row.account for row in connection.execute(sa.select(agreement.c.code, agreement.c.account))}
    assigned = connection.execute(sa.select(assignment.c.subject, assignment.c.agreement)).all()
    members = members_among(connection, {row.subject for row in assigned})
    owners: dict[int, set[str]] = {}
    for row in assigned:
        if row.agreement not in agreements:
            continue  # changed behind the program's back, which the review tells
        for subject in members.get(row.subject, (row.subject,)):
            owners.setdefault(subject_id(subject), set()).add(agreements[row.agreement])
    found: dict[int, list[tuple[DateSpan, datetime]]] = {}
    for kind in desk.kinds.values():
        if kind.kind.carried:
            continue  # what comes late goes to the next bill; what replaces a billed record is found by `replaced_documents`
        columns = kind.table.c
        query = (
            sa.select(
                columns.subject_id,
                usage_batch.c.taken_at,
                sa.func.min(columns.start_at).label("first"),
                sa.func.max(columns.end_at).label("last"),
            )
            .join(usage_batch, usage_batch.c.id == columns.batch_id)
            .group_by(columns.subject_id, usage_batch.c.id, usage_batch.c.taken_at)
        )
        for came in connection.execute(query):
            # A day and the kind's reach more at both ends, for the zones of the accounts.
            dates = widened(
                DateSpan.inclusive(came.first.date(), came.last.date()), 1 + max(kind.kind.reach_days, kind.kind.reach_after_days)
            )
            if since is not None and dates.end <= since:
                continue
            for account in owners.get(came.subject_id, ()):
                for bearer in desk.groups.bearers(account):
                    found.setdefault(account_id(bearer), []).append((dates, came.taken_at))
    return found


def _billed_late(connection: Connection, stored: StoredDocument, before: Mapping[str, BillInput]) -> dict[str, BillInput]:
    """Return the inputs of an invoice with the usage that later ones have billed by the difference to it."""
    known = dict(before)
    chain = [
        (late, account)
        for one in late_bills_of(connection, [stored])
        for account, given in read_inputs(connection, one.key).inputs.items()
        for late in given.late
        if late.document == stored.number and account in known
    ]
    for late, account in sorted(chain, key=lambda pair: pair[0].sequence):
        known[account] = attrs.evolve(known[account], agreements=late.now)
    return known


def _now(connection: Connection, desk: Desk, key: int, before: Mapping[str, BillInput]) -> dict[str, BillInput]:
    head = next(iter(before.values()))
    request = InputRequest(
        period=head.period,
        issue_on=head.issue_on,
        documents={account: given.document for account, given in before.items()},
        own=[account for account, given in before.items() if given.agreements],
        charges={},
        repeats=billed_with(connection, key),
        takes_waiting=False,
    )
    return load_inputs(connection, desk, list(before), request)[0]


def _difference(before: Iterable[BillInput], after: Iterable[BillInput]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    old, new = _keys(before), _keys(after)
    return tuple(sorted(new - old)), tuple(sorted(old - new))


def _keys(inputs: Iterable[BillInput]) -> set[int]:
    return {ref.key for given in inputs for one in given.agreements for ref in one.usage}
