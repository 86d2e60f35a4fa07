"""Runs and their accounts as rows: created, looked up, moved from state to state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing import tables
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.bulk_update import bulk_update
from billing_framework.storage.column_types import CanonicalText
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id
from billing_framework.values.errors import Conflict, NotFound
from billing_framework.values.finding import Finding
from billing_framework.values.identity import natural_id
from billing_framework.values.period import DateSpan
from billing_framework.values.plain_form import from_plain, text_of_plain, to_plain
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class Run:
    """One run of a cycle.

    Attributes:
        code: its name for officers; the id and all document keys follow from it.
        book: code of the book.
        cycle: billing cycle in text form.
        period: billing period.
        kind: ``rehearsal``, ``final`` or ``migration``.
        sequence: 1, or higher for a later run over the same period.
        as_of: date that the documents bear.
        known_at: instant at which the run was started.
        accounts: codes that it is restricted to, empty for all of the cycle.
        state: ``drafting``, ``drafted``, ``approved``, ``posting``, ``posted`` or ``cancelled``.
        versions: name and version of all that computed.
        started_by: who started it.
        started_at: when.
        approved_by: who approved it, or empty; where it was approved in parts, all who did.
        approved_at: when, or None; where it was approved in parts, when the first was.
        ended_by: who posted or cancelled it, or empty.
        ended_at: when, or None.
        reason: why it was cancelled.
        digest: digest of all documents and entries as hex, empty before the approval.
    """

    code: str
    book: str
    cycle: str
    period: DateSpan
    kind: str
    sequence: int
    as_of: date
    known_at: datetime
    accounts: tuple[str, ...]
    state: str
    versions: Mapping[str, str]
    started_by: str
    started_at: datetime
    approved_by: str = ""
    approved_at: datetime | None = None
    ended_by: str = ""
    ended_at: datetime | None = None
    reason: str = ""
    digest: str = ""

    @property
    def id(self) -> int:
        """Id of the run, which follows from its code."""
        return natural_id("run", self.code)

    @property
    def is_open(self) -> bool:
        """True while it can be drafted and edited: it is not approved, and not cancelled."""
        return self.state in ("drafting", "drafted")

    @property
    def is_over(self) -> bool:
        """True once it is posted or cancelled: nothing of it is drafted, released or approved any more."""
        return self.state in ("posted", "cancelled")

    @property
    def is_ended_early(self) -> bool:
        """True where it was cancelled after a part of it was posted: the part stays, the rest is left to the next run."""
        return self.state == "posted" and self.reason.startswith(ENDED_EARLY)

    @property
    def is_final(self) -> bool:
        """True where its documents can be issued."""
        return self.kind != "rehearsal"


NOTHING = "nothing to bill"
"""Reason of accounts that a run has skipped because they had nothing to bill, and not because the run was cancelled."""

CANCELLED = "the run was cancelled"
"""Reason of accounts that a run has skipped because it was cancelled."""

ENDED_EARLY = "posting was cancelled: "
"""What the reason of a run begins with that was cancelled after a part of it was posted."""


@attrs.frozen(kw_only=True)
class HoldEvidence:
    """Why an account is held: the finding, the check that made it, and the facts that an officer wants to see."""

    check: str
    finding: Finding
    facts: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RunAccount:
    """One account of a run.

    Attributes:
        account: code of the account.
        state: ``pending``, ``drafted``, ``held``, ``approved``, ``posted`` or ``skipped``.
        reason: why it is held or skipped, in one sentence.
        evidence: what holds it.
        control: control totals: kind and fate of records, and findings that hold nobody, to their number.
        document: key of its document, None where it has none.
        manifest: digest of its input as hex, empty before it was drafted.
        parts: digests of the parts of its input.
        version: how often it was drafted.
        known: mark of all that was known when it was drafted; see `standing`.
        released: digest of the draft that an officer has let pass although checks held it.
    """

    account: str
    state: str = "pending"
    reason: str = ""
    evidence: tuple[HoldEvidence, ...] = ()
    control: Mapping[str, int] = attrs.field(factory=dict)
    document: int | None = None
    manifest: str = ""
    parts: Mapping[str, str] = attrs.field(factory=dict)
    version: int = 0
    known: str = ""
    released: str = ""


def insert_run(connection: Connection, run: Run) -> None:
    """Write a new run."""
    connection.execute(
        tables.run.insert().values(
            id=run.id,
            code=run.code,
            book=run.book,
            cycle=run.cycle,
            period_start=run.period.start,
            period_end=run.period.end,
            kind=run.kind,
            sequence=run.sequence,
            as_of=run.as_of,
            known_at=run.known_at,
            accounts=list(run.accounts),
            state=run.state,
            versions=dict(run.versions),
            started_by=run.started_by,
            started_at=run.started_at,
        )
    )


_NEWEST_FIRST = (tables.run.c.started_at.desc(), tables.run.c.period_start.desc(), tables.run.c.code.desc())


def runs(connection: Connection, **filters: Any) -> list[Run]:
    """Return the runs whose columns have the values of `filters`, newest first."""
    return _runs(connection, [tables.run.c[name] == wanted for name, wanted in filters.items()])


def runs_under_way(connection: Connection) -> list[Run]:
    """Return the runs that are not over; of rehearsals those of dates that no final run has been started for since."""
    columns, later = tables.run.c, tables.run.alias("later")
    same = (later.c[name] == columns[name] for name in ("book", "cycle", "period_start", "period_end"))
    run_since = sa.exists().where(later.c.kind != "rehearsal", later.c.started_at >= columns.started_at, *same)
    ended = columns.state.in_(("posted", "cancelled"))
    return _runs(connection, [~ended, sa.or_(columns.kind != "rehearsal", ~run_since)])


def last_run(connection: Connection, *, final: bool = False) -> Run | None:
    """Return the run that was started last, None before the first; where `final`, rehearsals do not count."""
    return next(iter(_runs(connection, [tables.run.c.kind != "rehearsal"] if final else [], limit=1)), None)


def _runs(connection: Connection, conditions: Sequence[sa.ColumnElement[bool]], limit: int | None = None) -> list[Run]:
    query = sa.select(tables.run).where(*conditions).order_by(*_NEWEST_FIRST).limit(limit)
    return [_run(row) for row in connection.execute(query)]


_NO_OTHER = "There is no other run to compare with: billing run start --rehearsal"


def find_run(connection: Connection, code: str, *, lock: bool = False, other_than: str = "") -> Run:
    """Return the run of this code; see `meant_run` for commands to which none need be named.

    Args:
        connection: a connection with an open transaction.
        code: code of the run, or its unmistakable end.
        lock: True to hold the run's row until the transaction ends, so that two officers act one after the other.
        other_than: code of a run that is known not to be meant, which is no help for a code that is misspelt.

    Raises:
        NotFound: ``RUN01`` with the nearest code, or where none is given.
    """
    if not code.strip():
        raise NotFound("RUN01", "no run is named", remedy="Name it; they are listed by billing run list")
    found = runs(connection, code=code) or runs(connection, code=_code_that_ends(connection, code, other_than))
    return locked(connection, found[0]) if lock else found[0]


def _code_that_ends(connection: Connection, end: str, other_than: str) -> str:
    known = connection.scalars(sa.select(tables.run.c.code).order_by(*_NEWEST_FIRST)).all()
    matching = [code for code in known if code.endswith(end)]
    if len(matching) != 1:
        what = f"there is no run {end!r}" if known and not matching else f"{end!r} fits {len(matching)} runs"
        if not known:
            raise NotFound("RUN01", "there is no run yet", remedy="Start one: billing run start")
        others = [code for code in matching or known if code != other_than]
        raise NotFound("RUN01", what, remedy=did_you_mean(end, others) if others else _NO_OTHER)
    return str(matching[0])


def locked(connection: Connection, run: Run, *, shared: bool = False) -> Run:
    """Hold the run's row until the transaction ends, and return the run as it is then.

    Args:
        connection: a connection with an open write transaction.
        run: the run.
        shared: True for workers, which keep officers from moving the run on, but not each other from saving.
    """
    query = sa.select(tables.run).where(tables.run.c.id == run.id).with_for_update(read=shared)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise NotFound("RUN01", f"the run {run.code} is not there any more", remedy="It was a rehearsal that somebody purged")
    return _run(found)


def _run(row: sa.Row[Any]) -> Run:
    return Run(
        code=row.code,
        book=row.book,
        cycle=row.cycle,
        period=DateSpan(row.period_start, row.period_end),
        kind=row.kind,
        sequence=row.sequence,
        as_of=row.as_of,
        known_at=row.known_at,
        accounts=tuple(row.accounts),
        state=row.state,
        versions=row.versions,
        started_by=row.started_by,
        started_at=row.started_at,
        approved_by=row.approved_by or "",
        approved_at=row.approved_at,
        ended_by=row.ended_by or "",
        ended_at=row.ended_at,
        reason=row.reason,
        digest=row.digest.hex() if row.digest else "",
    )


def move_run(connection: Connection, run: Run, state: str, **values: Any) -> Run:
    """Move a run to another state and return it.

    Raises:
        Conflict: ``RUN02`` where somebody moved it meanwhile.
    """
    table = tables.run
    statement = table.update().where(table.c.id == run.id, table.c.state == run.state).values(state=state, **values)
    if connection.execute(statement).rowcount != 1:
        raise Conflict("RUN02", f"the run {run.code} was moved on by somebody else", remedy="Look at it again: billing run show")
    return _run(connection.execute(sa.select(table).where(table.c.id == run.id)).one())


def add_accounts(connection: Connection, run: Run, rows: Sequence[RunAccount]) -> None:
    """Write new accounts of a run."""
    columns = ("run_id", "account_id", "account", "state", "reason", "evidence", "control")
    bulk_insert(
        connection,
        tables.run_account,
        columns,
        (
            (run.id, account_id(row.account), row.account, row.state, row.reason, to_plain(list(row.evidence)), dict(row.control))
            for row in rows
        ),
    )


def run_accounts(connection: Connection, run: Run, *, states: Collection[str] = ()) -> list[RunAccount]:
    """Return the accounts of a run in order of code; only those in `states` where any are given."""
    table = tables.run_account
    query = sa.select(table).where(table.c.run_id == run.id).order_by(table.c.account)
    if states:
        query = query.where(table.c.state.in_(sorted(states)))
    return [_run_account(row) for row in connection.execute(query)]


def run_accounts_of(connection: Connection, run: Run, accounts: Iterable[str]) -> dict[str, RunAccount]:
    """Return the rows of some accounts of a run, in order of code; accounts that are not in it are left out."""
    table = tables.run_account
    found = rows_of(
        connection,
        [account_id(account) for account in accounts],
        lambda some: sa.select(table).where(table.c.run_id == run.id, one_of(table.c.account_id, some)),
    )
    return {row.account: _run_account(row) for row in sorted(found, key=lambda row: row.account)}


def account_versions(connection: Connection, run: Run, accounts: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return how often each of some accounts was drafted, and its state; whoever drafts it changes one of the two."""
    columns = tables.run_account.c
    query = sa.select(columns.account, columns.version, columns.state).where(columns.run_id == run.id)
    keys = [account_id(account) for account in accounts]
    found = rows_of(connection, keys, lambda some: query.where(one_of(columns.account_id, some)))
    return {row.account: (row.version, row.state) for row in found}


def run_accounts_on(connection: Connection, documents: Iterable[int]) -> list[RunAccount]:
    """Return the accounts of a run whose charges are on some of its documents, in order of code."""
    table = tables.run_account
    rows = rows_of(connection, list(documents), lambda some: sa.select(table).where(one_of(table.c.document_id, some)))
    return sorted(map(_run_account, rows), key=lambda row: row.account)


def _run_account(row: sa.Row[Any]) -> RunAccount:
    return RunAccount(
        account=row.account,
        state=row.state,
        reason=row.reason,
        evidence=tuple(from_plain(item, HoldEvidence) for item in row.evidence),
        control=row.control,
        document=row.document_id,
        manifest=row.manifest.hex() if row.manifest else "",
        parts=row.manifest_parts or {},
        version=row.version,
        known=row.known,
        released=row.released.hex() if row.released else "",
    )


def save_accounts(connection: Connection, run: Run, rows: Sequence[RunAccount]) -> None:
    """Write changed accounts of a run."""
    changes = [(*_changes(row), run.id, account_id(row.account)) for row in rows]
    bulk_update(connection, tables.run_account, _CHANGING, ("run_id", "account_id"), changes)


def move_accounts(connection: Connection, run: Run, before: str, after: str) -> None:
    """Move all accounts of a run that are in one state to another."""
    table = tables.run_account
    connection.execute(table.update().where(table.c.run_id == run.id, table.c.state == before).values(state=after))


def move_accounts_on(connection: Connection, documents: Iterable[int], before: str, after: str) -> None:
    """Move the accounts of a run whose charges are on some of its documents from one state to another."""
    table = tables.run_account
    on_them = one_of(table.c.document_id, documents)
    connection.execute(table.update().where(on_them, table.c.state == before).values(state=after))


_CHANGING = (
    "state",
    "reason",
    "evidence",
    "control",
    "document_id",
    "manifest",
    "manifest_parts",
    "version",
    "known",
    "released",
)


def _changes(row: RunAccount) -> tuple[Any, ...]:
    """Return the values of the columns that change."""
    return (
        row.state,
        row.reason,
        to_plain(list(row.evidence)) if row.evidence else _NO_EVIDENCE,
        CanonicalText(text_of_plain(dict(row.control))),
        row.document,
        bytes.fromhex(row.manifest) or None,
        CanonicalText(text_of_plain(dict(row.parts))),
        row.version,
        row.known,
        bytes.fromhex(row.released) or None,
    )


_NO_EVIDENCE = CanonicalText("[]")
