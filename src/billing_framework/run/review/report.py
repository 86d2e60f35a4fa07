"""The report of a run: its accounts, documents and amounts by code, control totals, holds, versions and who did what when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.run.review.control import reconciles, records_and_fates
from billing_framework.run.review.let_pass import let_pass
from billing_framework.run.review.told import TOLD
from billing_framework.run.review.totals import RunTotals, totals_of
from billing_framework.storage.audit import events
from billing_framework.storage.billing.account_briefs import OF_KIND, AccountBrief, account_briefs
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.numbers import posts
from billing_framework.storage.billing.run_counts import counts_by_state
from billing_framework.storage.billing.run_rows import Run, run_accounts, runs
from billing_framework.storage.billing.shard_rows import DRAFT, POST, shards_of
from billing_framework.storage.billing.tables import document, document_line, document_tax, run_account
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.tables import usage_suspense
from billing_framework.values.clock import timezone
from billing_framework.values.money import Money

_BILLED = ("drafted", "approved", "posted")
_NAMED = 5


@attrs.frozen(kw_only=True)
class CodeTotal:
    """What the lines of one charge code, or the taxes of one tax code, come to in one currency.

    Attributes:
        code: the code.
        lines: number of lines, or of documents with the tax.
        net: sum of the lines without tax, or of what is taxed.
        tax: sum of the taxes.
    """

    code: str
    lines: int
    net: Money
    tax: Money


@attrs.frozen(kw_only=True)
class HoldTotal:
    """How many accounts one reason holds.

    Attributes:
        check: name of the check.
        code: code of its finding.
        accounts: number of accounts.
        some: codes of the first of them.
        example: the finding of the first.
    """

    check: str
    code: str
    accounts: int
    some: tuple[str, ...]
    example: str


@attrs.frozen(kw_only=True)
class KindTotal:
    """What became of the records of one usage kind.

    Attributes:
        kind: name of the kind.
        delivered: records of the period that were taken in, whoever they belong to.
        billed: records of accounts that are drafted, approved or posted; those left for a later bill are among them.
        held: records of held accounts.
        open: records of accounts that are not drafted yet, or are left out and in no other run.
        others: records of accounts that other runs over the same dates bill, such as one that was posted before.
        suspended: records that wait in suspense, of whatever period.
    """

    kind: str
    delivered: int
    billed: int
    held: int
    open: int
    others: int
    suspended: int


@attrs.frozen(kw_only=True)
class Deed:
    """Who did what with the run, or with some of its accounts at once, and when."""

    at: datetime
    actor: str
    action: str
    reason: str = ""
    facts: Mapping[str, str] = attrs.field(factory=dict)
    accounts: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class StepTime:
    """How long a step of a run took.

    Attributes:
        step: ``draft`` or ``post``.
        shards: number of shards that are done.
        size: accounts or documents in them.
        began: when the first of them was taken.
        ended: when the last of them was done.
        worked: sum of what each of them took its last worker; without the pauses between them, and with several workers more
            than passed by the clock.
    """

    step: str
    shards: int
    size: int
    began: datetime
    ended: datetime
    worked: timedelta = timedelta(0)


@attrs.frozen(kw_only=True)
class CycleReport:
    """A run in figures.

    Attributes:
        run: the run, with its versions and its digest.
        accounts: state to the number of accounts in it.
        documents: status to the number of documents in it.
        totals: what is drafted, approved or posted, by currency.
        charges: the same by charge code.
        taxes: the same by tax code.
        control: fate of usage records to their number; ``records`` is what the accounts were given.
        reconciled: True where the fates add up to ``records`` in every single account.
        delivered: usage kind to the number of records that were delivered for the period, whoever they belong to.
        kinds: what became of the records of each usage kind.
        suspended: records that wait in suspense, of whatever period.
        holds: reasons that hold accounts, the most frequent first.
        deeds: the run's audit trail, oldest first.
        times: how long its steps took, those that were worked on.
        told: what was told while it was drafted and holds nobody, such as a plugin that takes too long, or a measure without a
            price.
    """

    run: Run
    accounts: Mapping[str, int]
    documents: Mapping[str, int]
    totals: Mapping[str, RunTotals]
    charges: tuple[CodeTotal, ...]
    taxes: tuple[CodeTotal, ...]
    control: Mapping[str, int]
    reconciled: bool
    delivered: Mapping[str, int]
    kinds: tuple[KindTotal, ...]
    suspended: int
    holds: tuple[HoldTotal, ...]
    deeds: tuple[Deed, ...]
    times: tuple[StepTime, ...] = ()
    told: tuple[str, ...] = ()


def report_run(deployment: Deployment, code: str = "") -> CycleReport:
    """Return a run in figures; it changes nothing, and loads no document.

    Args:
        deployment: the deployment.
        code: code of the run; the one that is meant where empty.

    Raises:
        NotFound: there is no such run.
    """
    with deployment.database.read() as connection:
        run = meant_run(connection, code)
        rows = account_briefs(connection, run)
        control, reconciled = _control(rows)
        delivered = _delivered(deployment, connection, run)
        kinds = tuple(_kinds(connection, run, rows, delivered))
        deeds = tuple(_deeds(connection, run))
        return CycleReport(
            run=run,
            accounts=counts_by_state(connection, run),
            documents=_documents(connection, run),
            totals=totals_of(connection, run),
            charges=tuple(_charges(connection, run)),
            taxes=tuple(_taxes(connection, run)),
            control=control,
            reconciled=reconciled,
            delivered=delivered,
            kinds=kinds,
            suspended=sum(one.suspended for one in kinds),
            holds=_holds(connection, run),
            deeds=tuple(one for one in deeds if one.action != TOLD),
            times=tuple(_times(connection, run)),
            told=(
                *dict.fromkeys(one.reason for one in deeds if one.action == TOLD),
                *map(str, let_pass(deployment, connection, run)),
            ),
        )


def _control(rows: Sequence[AccountBrief]) -> tuple[dict[str, int], bool]:
    """Return the control totals of all accounts, and whether they add up in each of them."""
    control: Counter[str] = Counter()
    for row in rows:
        control.update(row.control)
    return records_and_fates(control), all(reconciles(row.control) for row in rows)


def _kinds(connection: Connection, run: Run, rows: Sequence[AccountBrief], delivered: Mapping[str, int]) -> Iterator[KindTotal]:
    """Yield what became of the records of each usage kind."""
    columns = usage_suspense.c
    query = sa.select(columns.kind, sa.func.count().label("of")).where(columns.state == "suspended").group_by(columns.kind)
    suspended: dict[str, int] = {row.kind: row.of for row in connection.execute(query)}
    given: dict[str, Counter[str]] = {}
    others = {row.account: row for other in _others(connection, run) for row in account_briefs(connection, other) if _bills(row)}
    for row in rows:
        fate = "billed" if _bills(row) else "held" if row.state == "held" else "open"
        if fate != "open":
            others.pop(row.account, None)
        elif row.account in others:
            continue
        _count(given, row, fate)
    for row in others.values():
        _count(given, row, "others")
    for kind in sorted({*given, *delivered, *suspended}):
        became = given.get(kind, Counter())
        yield KindTotal(
            kind=kind,
            delivered=delivered.get(kind, 0),
            billed=became["billed"],
            held=became["held"],
            open=became["open"],
            others=became["others"],
            suspended=suspended.get(kind, 0),
        )


def _bills(row: AccountBrief) -> bool:
    return row.state in _BILLED


def _count(given: dict[str, Counter[str]], row: AccountBrief, fate: str) -> None:
    """Count the records of each usage kind that an account was given."""
    for name, count in row.control.items():
        if name.startswith(OF_KIND):
            given.setdefault(name.removeprefix(OF_KIND), Counter())[fate] += count


def _others(connection: Connection, run: Run) -> Iterator[Run]:
    """Return the runs that bill other accounts over the same dates, of whatever book, as what is delivered is of all books."""
    same = runs(connection, period_start=run.period.start, period_end=run.period.end)
    return (one for one in same if one.code != run.code and one.is_final and one.state != "cancelled")


def _holds(connection: Connection, run: Run) -> tuple[HoldTotal, ...]:
    held: dict[tuple[str, str], tuple[list[str], str]] = {}
    for row in run_accounts(connection, run, states=["held"]):
        reasons = {(item.check, item.finding.code): item.finding.what for item in reversed(row.evidence)}
        for reason, what in (reasons or {("", ""): row.reason}).items():
            held.setdefault(reason, ([], what))[0].append(row.account)
    return tuple(
        HoldTotal(check=check, code=code, accounts=len(accounts), some=tuple(accounts[:_NAMED]), example=what)
        for (check, code), (accounts, what) in sorted(held.items(), key=lambda item: (-len(item[1][0]), item[0]))
    )


def _documents(connection: Connection, run: Run) -> dict[str, int]:
    columns = document.c
    own = sa.and_(columns.run_id == run.id, sa.or_(columns.status == "draft", posts(run)))  # and no rebill of one of them
    query = sa.select(columns.status, sa.func.count().label("of")).where(own).group_by(columns.status)
    return {row.status: row.of for row in sorted(connection.execute(query), key=lambda row: row.status)}


def _counts(run: Run) -> sa.ColumnElement[bool]:
    """Return the condition that a document counts: it is not void, and its account not held."""
    accounts = run_account.c
    there = sa.exists().where(accounts.run_id == run.id, accounts.document_id == document.c.id, accounts.state.in_(_BILLED))
    return sa.and_(document.c.run_id == run.id, document.c.status != "void", there)


def _charges(connection: Connection, run: Run) -> Iterator[CodeTotal]:
    line = document_line.c
    query = (
        sa.select(line.code, document.c.currency, sa.func.count(), sa.func.sum(line.net), sa.func.sum(line.tax))
        .join(document, document.c.id == line.document_id)
        .where(_counts(run))
        .group_by(line.code, document.c.currency)
    )
    yield from _by_code(connection, query)


def _taxes(connection: Connection, run: Run) -> Iterator[CodeTotal]:
    tax = document_tax.c
    query = (
        sa.select(tax.code, document.c.currency, sa.func.count(), sa.func.sum(tax.base), sa.func.sum(tax.tax))
        .join(document, document.c.id == tax.document_id)
        .where(_counts(run))
        .group_by(tax.code, document.c.currency)
    )
    yield from _by_code(connection, query)


def _by_code(connection: Connection, query: sa.Select[Any]) -> Iterator[CodeTotal]:
    for code, currency, count, net, tax in sorted(tuple(row) for row in connection.execute(query)):
        yield CodeTotal(code=code, lines=count, net=Money(int(net), currency), tax=Money(int(tax), currency))


def _delivered(deployment: Deployment, connection: Connection, run: Run) -> dict[str, int]:
    within = run.period.instants(timezone(load_book(connection, run.book).profile.zone))
    counts = {}
    for name, kind in sorted(kind_tables(deployment.host.kinds).items()):
        columns = kind.table.c
        query = sa.select(sa.func.count()).where(columns.start_at >= within.start.astimezone(UTC), columns.start_at < within.end)
        counts[name] = connection.execute(query).scalar_one()
    return {name: count for name, count in counts.items() if count}


def _times(connection: Connection, run: Run) -> Iterator[StepTime]:
    for step in (DRAFT, POST):
        done = [one for one in shards_of(connection, run, step) if one.state == "done"]
        spans = [(one.claimed_at, one.ended_at) for one in done if one.claimed_at is not None and one.ended_at is not None]
        if spans:
            yield StepTime(
                step=step,
                shards=len(done),
                size=sum(one.size for one in done),
                began=min(began for began, _ in spans),
                ended=max(ended for _, ended in spans),
                worked=sum((ended - began for began, ended in spans), timedelta(0)),
            )


def _deeds(connection: Connection, run: Run) -> Iterator[Deed]:
    """Yield what was done with the run and its accounts, in order; what was done with many accounts at once is one deed."""
    found = [*events(connection, object_kind="run", object_key=run.code, limit=None)]
    found += events(connection, object_kind="run account", within=run.code, limit=None)
    ordered = sorted((event for event in found if event.at is not None), key=lambda event: event.number)
    for _, alike in groupby(ordered, key=lambda event: (event.at, event.actor, event.action, event.reason, event.object_kind)):
        first, *others = alike
        after = {} if others else first.after or {}
        facts = {name: str(value) for name, value in after.items() if value not in ("", [], {}, None)}
        keys = [event.object_key for event in (first, *others) if event.object_key != run.code]
        accounts = tuple(key.removeprefix(f"{run.code}/") for key in keys)
        if first.at is not None:
            yield Deed(at=first.at, actor=first.actor, action=first.action, reason=first.reason, facts=facts, accounts=accounts)
