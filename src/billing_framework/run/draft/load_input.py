"""Puts the manifests of many accounts together: a few statements for a batch, never one per account."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from itertools import repeat

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.billing_group import BillingGroups
from billing_framework.accounts.book import BookProfile
from billing_framework.accounts.share import Share
from billing_framework.invoicing.cycle import next_period, whole_period
from billing_framework.invoicing.edit import Edit
from billing_framework.rating.charge import Charge
from billing_framework.rating.group import Tile
from billing_framework.rating.rate_table import RateTable
from billing_framework.rating.rate_table_names import choose_tables
from billing_framework.rating.selection import LoadedPlan, Selection, select
from billing_framework.rating.state import CarriedState
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, Material, TableRef, TileRef, UsageRef
from billing_framework.run.draft.carried import (
    CarriedRecords,
    Places,
    billed_dates,
    carried_records,
    earlier_dates,
    waiting_records,
)
from billing_framework.run.draft.guiding import lasting, reach_of, seen_places, widened
from billing_framework.run.draft.late_find import LateFound, LateQuestion, asks_for_late, find_late
from billing_framework.run.master.plans import model_params
from billing_framework.storage.billing.holds import billing_holds
from billing_framework.storage.billing.keys import billed_through, states_before
from billing_framework.storage.master.account_rows import (
    load_accounts,
    load_agreements,
    load_assignments,
    parties_with_tax_id,
)
from billing_framework.storage.master.billing_group_rows import load_billing_groups
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.master.manual_rows import pending_charges
from billing_framework.storage.master.plan_rows import load_plans
from billing_framework.storage.master.range_rows import guiding_assignments, resolved
from billing_framework.storage.master.rate_table_rows import RateTableRow, load_rate_table, rate_table_rows
from billing_framework.storage.master.share_rows import load_shares
from billing_framework.storage.master.tax_rows import load_tax_rates
from billing_framework.storage.usage.carried import Waiting
from billing_framework.storage.usage.columns import StoredColumns
from billing_framework.storage.usage.kind_table import KindTable, kind_tables
from billing_framework.storage.usage.load import current_columns, load_by_key, newest_batch
from billing_framework.taxing.tax_rate import TaxRate
from billing_framework.usage.record import AnyUsage
from billing_framework.values.calendar import parse_cycle
from billing_framework.values.clock import timezone
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan, Span

_HOLIDAYS_BESIDE_DAYS = 62


@attrs.frozen(kw_only=True)
class Desk:
    """What all accounts of a book share while they are billed, read once.

    Attributes:
        deployment: the deployment.
        book: the book.
        groups: who is billed together with whom.
        plans: all loaded plan versions.
        tables: all loaded versions of rate tables, without their rows.
        tax_rates: all loaded tax rates.
        kinds: usage kinds with their tables.
        versions: name and version of all that computes.
        known_at: instant at which this was read; what is loaded later is not known.
        mark: mark of all that was known then; empty where nobody asks for it.
    """

    deployment: Deployment
    book: BookProfile
    groups: BillingGroups
    plans: tuple[LoadedPlan, ...]
    tables: tuple[RateTableRow, ...]
    tax_rates: tuple[TaxRate, ...]
    kinds: Mapping[str, KindTable]
    versions: Mapping[str, str]
    known_at: datetime
    mark: str = ""


def open_desk(deployment: Deployment, connection: Connection, book: str, *, versions: Mapping[str, str]) -> Desk:
    """Read what all accounts of a book share."""
    return Desk(
        deployment=deployment,
        book=load_book(connection, book).profile,
        groups=load_billing_groups(connection, book),
        plans=load_plans(connection, (), params=model_params(deployment.host)),
        tables=tuple(rate_table_rows(connection)),
        tax_rates=load_tax_rates(connection),
        kinds=kind_tables(deployment.host.kinds),
        versions=versions,
        known_at=deployment.clock.now(),
    )


@attrs.frozen(kw_only=True)
class InputRequest:
    """What is to be billed.

    Attributes:
        period: the billing period.
        issue_on: date of the documents.
        documents: key of the document of each account.
        own: accounts whose own agreements are billed; the others only pay.
        edits: officers' edits by account.
        charges: manual charges by account that a rebill repeats; None takes those that are pending.
        plans_known_at: instant by whose knowledge plans are chosen; that of the desk where None.
        repeats: keys of documents that are billed anew: of carried records they get those that they had billed.
        takes_waiting: whether carried records are billed, too, that no standing document has billed.
        heeds_holds: False where an officer bills a document anew: holds keep accounts out of runs, not officers from deciding.
    """

    period: DateSpan
    issue_on: date
    documents: Mapping[str, int]
    own: Collection[str]
    edits: Mapping[str, tuple[Edit, ...]] = attrs.field(factory=dict)
    charges: Mapping[str, tuple[Charge, ...]] | None = None
    plans_known_at: datetime | None = None
    heeds_holds: bool = True
    repeats: Collection[int] = ()
    takes_waiting: bool = True


@attrs.frozen(kw_only=True, eq=False)
class Terms:
    """What many agreements of a batch share: the same objects for all of them, so that what is made of them is made once.

    Attributes:
        full_period: the whole billing period.
        next_period: the one after it.
        tiles: plan versions in force.
        next_tiles: those of the next period.
        tables: rate tables that the plans of `tiles` name.
        findings: what is unclear about them.
    """

    full_period: DateSpan
    next_period: DateSpan
    tiles: tuple[TileRef, ...]
    next_tiles: tuple[TileRef, ...]
    tables: tuple[TableRef, ...]
    findings: tuple[Finding, ...]


@attrs.frozen(kw_only=True)
class _Gathered:
    """What was read for a batch, by account, agreement or subject."""

    agreements: Mapping[str, tuple[Agreement, ...]]
    assignments: Mapping[str, tuple[Assignment, ...]]
    all_assignments: Mapping[str, tuple[Assignment, ...]]
    waiting: Waiting
    by_subject: Mapping[str, tuple[Assignment, ...]]
    usage: Mapping[str, StoredColumns]
    states: Mapping[str, Mapping[str, CarriedState]]
    billed: Mapping[str, Mapping[str, date]]
    charges: Mapping[str, tuple[Charge, ...]]
    shares: Mapping[str, tuple[Share, ...]]
    holds: Mapping[str, str]
    with_tax_id: Collection[str]
    tax_rates: Mapping[str, tuple[TaxRate, ...]]
    holidays: Mapping[str, frozenset[date]]
    late: Mapping[str, LateFound] = attrs.field(factory=dict)
    terms: dict[tuple[object, ...], Terms] = attrs.field(factory=dict)
    tables: dict[object, tuple[tuple[RateTableRow, ...], tuple[Finding, ...]]] = attrs.field(factory=dict)
    periods: dict[str, tuple[DateSpan, DateSpan]] = attrs.field(factory=dict)

    def periods_of(self, desk: Desk, cycle: str, period: DateSpan) -> tuple[DateSpan, DateSpan]:
        """Return the whole period of a cycle that a period begins in, and the one after it."""
        if cycle not in self.periods:
            parsed = parse_cycle(cycle, desk.deployment.settings.custom_cycles)
            self.periods[cycle] = whole_period(parsed, period), next_period(parsed, period)
        return self.periods[cycle]


def load_inputs(
    connection: Connection, desk: Desk, accounts: Sequence[str], request: InputRequest
) -> tuple[dict[str, BillInput], Material]:
    """Return the manifest of each account, and the values behind the names in them.

    Args:
        connection: a connection with one snapshot.
        desk: what they share.
        accounts: codes of the accounts.
        request: what is to be billed.
    """
    values = load_accounts(connection, accounts)
    gathered = _gather(connection, desk, list(values.values()), request)
    gathered = attrs.evolve(gathered, late=_late(connection, desk, list(values.values()), gathered, request))
    inputs = {code: _input(desk, values[code], gathered, request) for code in accounts if code in values}
    columns = {**gathered.usage, **gathered.waiting}
    late = _late_usage(connection, desk, inputs.values(), [one.places for one in columns.values()])
    plans = {one.plan.name: one.plan for one in desk.plans}
    tables = _tables(connection, desk, inputs.values())
    return inputs, Material(usage=late, plans=plans, tables=tables, kinds=desk.deployment.host.kinds, columns=columns)


def _tables(connection: Connection, desk: Desk, inputs: Iterable[BillInput]) -> dict[str, RateTable]:
    """Read the rows of the rate tables that some manifests name, and of no others."""
    wanted = {ref.table for given in inputs for one in given.named for ref in one.tables}
    kinds = desk.deployment.host.rate_tables
    return {row.name: load_rate_table(connection, row, kinds) for row in desk.tables if row.name in wanted}


def _gather(connection: Connection, desk: Desk, accounts: Sequence[Account], request: InputRequest) -> _Gathered:
    codes = [account.code for account in accounts]
    agreements = load_agreements(connection, [code for code in codes if code in request.own])
    billed = [one for listed in agreements.values() for one in listed if _life(one, request.period) is not None]
    every = [one.code for listed in agreements.values() for one in listed if one.starts_on < request.period.end]
    all_assignments = resolved(connection, load_assignments(connection, every))
    waiting = waiting_records(
        connection,
        desk.kinds,
        accounts,
        all_assignments,
        period=request.period,
        repeats=request.repeats,
        takes_waiting=request.takes_waiting,
    )
    names = every if waiting else [one.code for one in billed]  # those that ended may have carried something on
    assignments = {
        one.code: tuple(held for held in all_assignments.get(one.code, ()) if lasting(held, request.period) is not None)
        for one in billed
    }
    subjects = {one.subject for listed in assignments.values() for one in listed}
    return _Gathered(
        agreements=agreements,
        assignments=assignments,
        all_assignments=all_assignments,
        waiting=waiting,
        by_subject=guiding_assignments(connection, subjects),
        usage=_usage(connection, desk, accounts, subjects, request.period),
        states=states_before(connection, names, request.period.start),
        billed=billed_through(connection, names, request.period.start),
        charges=pending_charges(connection, request.documents, request.period.end, again=request.repeats)
        if request.charges is None
        else request.charges,
        shares=load_shares(connection, names),
        holds=billing_holds(connection, codes, request.issue_on) if request.heeds_holds else {},
        with_tax_id=parties_with_tax_id(connection, {one.party for one in accounts}),
        tax_rates={
            place: tuple(rate for rate in desk.tax_rates if rate.holds_in(place))
            for place in {one.tax_jurisdiction for one in accounts}
        },
        holidays=near_holidays(desk.deployment.settings.holiday_dates, request.period),
    )


def _late(
    connection: Connection, desk: Desk, accounts: Sequence[Account], gathered: _Gathered, request: InputRequest
) -> dict[str, LateFound]:
    """Return what has come late for accounts whose own agreements are billed."""
    if not asks_for_late(one.plan for one in desk.plans):
        return {}
    own = [account for account in accounts if account.code in request.own]
    held = {
        account.code: {
            assignment.subject
            for agreement in gathered.agreements.get(account.code, ())
            for assignment in gathered.all_assignments.get(agreement.code, ())
        }
        for account in own
    }
    asked = LateQuestion(
        accounts=own,
        payers={account.code: desk.groups.bearers(account.code) for account in own},
        subjects=held,
        period=request.period,
        kinds=desk.kinds,
        plans={one.plan.name: one.plan for one in desk.plans},
        repeats=request.repeats,
        takes_new=request.takes_waiting,
    )
    return find_late(connection, asked)


def _late_usage(
    connection: Connection, desk: Desk, inputs: Iterable[BillInput], known: Sequence[Container[int]]
) -> dict[int, AnyUsage]:
    """Read the records of billed periods whose difference is billed, as far as they are not known."""
    wanted: dict[str, set[int]] = {}
    for given in inputs:
        if given.late:
            for ref in (ref for one in given.named for ref in one.usage if not any(ref.key in some for some in known)):
                wanted.setdefault(ref.kind, set()).add(ref.key)
    return {key: row.usage for key, row in load_by_key(connection, desk.kinds, wanted).items()} if wanted else {}


def _usage(
    connection: Connection, desk: Desk, accounts: Sequence[Account], subjects: Iterable[str], period: DateSpan
) -> dict[str, StoredColumns]:
    reach = widened(period, reach_of(desk.deployment.host.kinds))
    instants = [reach.instants(timezone(name)) for name in sorted({account.zone for account in accounts})]
    kinds = [name for name, derived in desk.kinds.items() if not derived.kind.carried]
    if not instants or not kinds:
        return {}
    within = Span(min(one.start for one in instants), max(one.end for one in instants))
    return current_columns(connection, desk.kinds, subjects, within, up_to_batch=newest_batch(connection), kinds=kinds)


def _input(desk: Desk, account: Account, gathered: _Gathered, request: InputRequest) -> BillInput:
    findings: list[Finding] = []
    if account.code in gathered.holds:
        findings.append(
            Finding(
                code="RUN12",
                what=f"a hold keeps the account from being billed: {gathered.holds[account.code]}",
                remedy="Release the hold, then run again",
                subject=account.code,
            )
        )
    agreements = []
    for agreement in gathered.agreements.get(account.code, ()):
        given, unclear = _agreement(desk, account, agreement, gathered, request)
        findings.extend(unclear)
        if given is not None:
            agreements.append(given)
    late = gathered.late.get(account.code, LateFound())
    return BillInput(
        document=request.documents[account.code],
        account=account,
        payer=desk.groups.payer(account.code),
        bearers={share.payer: desk.groups.payer(share.payer) for one in agreements for share in one.shares},
        period=request.period,
        issue_on=request.issue_on,
        known_at=desk.known_at,
        agreements=tuple(agreements),
        charges=gathered.charges.get(account.code, ()),
        edits=request.edits.get(account.code, ()),
        tax_rates=gathered.tax_rates[account.tax_jurisdiction],
        seller_has_tax_id=bool(desk.book.seller.tax_ids),
        buyer_has_tax_id=account.party in gathered.with_tax_id,
        holidays=gathered.holidays,
        versions=desk.versions,
        findings=(*findings, *late.findings),
        late=late.late,
    )


def near_holidays(calendars: Mapping[str, frozenset[date]], period: DateSpan) -> dict[str, frozenset[date]]:
    """Return the holidays in or near a period, by calendar."""
    near = widened(period, _HOLIDAYS_BESIDE_DAYS)
    return {name: frozenset(day for day in days if day in near) for name, days in calendars.items()}


def _life(agreement: Agreement, dates: DateSpan) -> DateSpan | None:
    end = dates.end if agreement.ends_on is None else agreement.ends_on
    return DateSpan(agreement.starts_on, end).intersection(dates) if agreement.starts_on < end else None


def _agreement(
    desk: Desk, account: Account, agreement: Agreement, gathered: _Gathered, request: InputRequest
) -> tuple[AgreementInput | None, tuple[Finding, ...]]:
    zone = timezone(account.zone)
    carried = carried_records(gathered.all_assignments.get(agreement.code, ()), gathered.waiting, request.period, zone)
    billed = billed_dates(agreement, request.period, carried)
    if billed is None:
        return None, ()
    period, is_over = billed
    known_at = request.plans_known_at or desk.known_at
    earlier = _earlier(desk, agreement, carried, request.period.end if is_over else period.start, known_at)
    terms = _terms(
        desk, agreement, gathered, request, cycle=account.cycle, period=None if is_over else period, earlier=earlier.tiles
    )
    assignments = gathered.assignments.get(agreement.code, ())
    given = AgreementInput(
        agreement=agreement,
        period=period,
        full_period=terms.full_period,
        next_period=terms.next_period,
        tiles=terms.tiles,
        next_tiles=terms.next_tiles,
        earlier_tiles=tile_refs(earlier.tiles),
        tables=terms.tables,
        assignments=assignments,
        earlier_assignments=tuple(one for one in carried.assignments if one not in assignments),
        neighbours=_neighbours(assignments, gathered, widened(period, max(1, reach_of(desk.deployment.host.kinds))))
        if assignments
        else (),
        usage=_refs([*carried.spans, *_seen(desk, account, assignments, gathered, period)]),
        state=tuple(state for _, state in sorted(gathered.states.get(agreement.code, {}).items())),
        billed_through=gathered.billed.get(agreement.code, {}),
        shares=tuple(one for one in gathered.shares.get(agreement.code, ()) if one.starts_on < terms.next_period.end),
    )
    return given, (*earlier.findings, *terms.findings)


def _terms(
    desk: Desk,
    agreement: Agreement,
    gathered: _Gathered,
    request: InputRequest,
    *,
    cycle: str,
    period: DateSpan | None,
    earlier: Sequence[Tile],
) -> Terms:
    """Return the terms of an agreement: those of an agreement before it where nothing tells them apart.

    Args:
        desk: what the accounts share.
        agreement: the agreement.
        gathered: what was read for the batch, with the terms of agreements before it.
        request: what is to be billed.
        cycle: billing cycle of its account.
        period: the dates that are billed; None where the agreement is over.
        earlier: plan versions of dates before them.
    """
    full, following = gathered.periods_of(desk, cycle, request.period)
    ahead = _life(agreement, following)
    key = (cycle, agreement.plan, period, ahead)
    if not earlier and key in gathered.terms:
        return gathered.terms[key]
    models = desk.deployment.host.charge_models
    plans = [one for one in desk.plans if one.plan.code == agreement.plan]
    known_at = request.plans_known_at or desk.known_at
    chosen = Selection(tiles=()) if period is None else select(agreement, period, plans, known_at, models)
    priced = tuple((tile.dates, tile.plan.name) for tile in (*earlier, *chosen.tiles))
    if priced not in gathered.tables:
        loaded = [row for row in desk.tables if row.loaded_at <= known_at]
        gathered.tables[priced] = choose_tables(((tile.dates, tile.plan) for tile in (*earlier, *chosen.tiles)), loaded)
    tables, unclear = gathered.tables[priced]
    terms = Terms(
        full_period=full,
        next_period=following,
        tiles=tile_refs(chosen.tiles),
        next_tiles=tile_refs(select(agreement, ahead, plans, known_at, models).tiles) if ahead else (),
        tables=tuple(TableRef(row.name, row.sha256) for row in tables),
        findings=(*chosen.findings, *unclear),
    )
    cuts = any(models[part.model].breaks for one in plans for part in one.plan.components if part.model in models)
    if not earlier and not cuts and not terms.findings:  # a finding names its agreement, and so may what cuts a tile
        gathered.terms[key] = terms
    return terms


def _earlier(desk: Desk, agreement: Agreement, carried: CarriedRecords, before: date, known_at: datetime) -> Selection:
    """Return the plan versions of the dates before the period on which carried records start, and what is unclear about them."""
    dates = earlier_dates(agreement, carried, before)
    if dates is None:
        return Selection(tiles=())
    found = select(agreement, dates, desk.plans, known_at, desk.deployment.host.charge_models)
    days = [day for day in carried.dates_before(dates.end) if day in dates]
    tiles = tuple(tile for tile in found.tiles if any(day in tile.dates for day in days))
    covered = all(any(day in tile.dates for tile in tiles) for day in days)
    return Selection(tiles=tiles, findings=() if covered else found.findings)


def tile_refs(tiles: Iterable[Tile]) -> tuple[TileRef, ...]:
    """Return tiles with their plans by name and digest."""
    return tuple(TileRef(tile.dates, tile.plan.name, tile.plan.sha256) for tile in tiles)


def _neighbours(own: Sequence[Assignment], gathered: _Gathered, dates: DateSpan) -> tuple[Assignment, ...]:
    return tuple(
        one
        for subject in dict.fromkeys(assignment.subject for assignment in own)
        for one in gathered.by_subject.get(subject, ())
        if one not in own and lasting(one, dates) is not None
    )


def _seen(desk: Desk, account: Account, assignments: Sequence[Assignment], gathered: _Gathered, period: DateSpan) -> list[Places]:
    """Return the records of the period, and those beside it that the rating must see."""
    zone = timezone(account.zone)
    kinds = desk.deployment.host.kinds
    own: dict[str, list[DateSpan]] = {}
    for assignment in assignments if gathered.usage else ():
        dates = lasting(assignment, period)
        if dates is not None:
            own.setdefault(assignment.subject, []).append(dates)
    return [
        (columns, low, high)
        for name, columns in gathered.usage.items()
        for subject, dates in sorted(own.items())
        if subject in columns.spans
        for low, high in seen_places(columns, *columns.spans[subject], kind=kinds[name], own=dates, period=period, zone=zone)
    ]


def _refs(spans: Sequence[Places]) -> tuple[UsageRef, ...]:
    """Return records by name in order of kind, subject, start and key; no kind is carried and seen beside its period, too."""
    refs: list[UsageRef] = []
    for columns, low, high in sorted(spans, key=lambda one: one[0].kind):
        digests = [digest.hex() for digest in columns.digests[low:high]]
        refs += map(UsageRef, repeat(columns.kind), columns.keys[low:high], digests)
    return tuple(refs)
