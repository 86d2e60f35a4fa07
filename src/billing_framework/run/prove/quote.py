"""Prices a file of records against a price plan, with no database: every rater and charge model is reachable this way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.invoicing.cycle import next_period
from billing_framework.plugin.host import Host
from billing_framework.rating.charge import Charge
from billing_framework.rating.payable import payable_lines
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate import RatedGroup
from billing_framework.rating.rate_table import RateTable
from billing_framework.rating.rate_table_names import choose_tables
from billing_framework.rating.selection import LoadedPlan, select
from billing_framework.rating.state import CarriedState
from billing_framework.run.draft.bill import rate_input, rating_offers
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, Material, TableRef, UsageRef
from billing_framework.run.draft.guiding import is_seen, reach_of, widened
from billing_framework.run.draft.load_input import near_holidays, tile_refs
from billing_framework.usage.content import content_digest, slot_key, usage_key
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.reader import BadRecord, Coverage, ReadItem
from billing_framework.usage.record import AnyUsage
from billing_framework.usage.withheld import is_personal_kind, safe_finding, withheld
from billing_framework.values.calendar import Cycle, parse_cycle, periods
from billing_framework.values.clock import timezone
from billing_framework.values.errors import InputRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan

CurrentRecord = tuple[int, str, AnyUsage]
"""Key, digest and record; of several versions of one slot the newest."""

_CODE = "quote"
_KNOWN = datetime(1970, 1, 1, tzinfo=UTC)


@attrs.frozen(kw_only=True)
class QuoteRequest:
    """What is to be priced.

    Attributes:
        plans: the plan, in one or several versions.
        zone: IANA zone in which dates count.
        cycle: billing cycle in text form.
        period: dates to price; from the first to the last record, in whole billing periods, where None.
        terms: terms of the agreement that the plan reads.
        details: facts about every identifier, such as a multiplier.
        locale: language of the descriptions.
        holidays: holiday calendars by name.
        tables: versions of the rate tables that the plan names.
    """

    plans: Sequence[PlanVersion]
    zone: str = "UTC"
    cycle: str = "monthly:1"
    period: DateSpan | None = None
    terms: Mapping[str, str] = attrs.field(factory=dict)
    details: Mapping[str, str] = attrs.field(factory=dict)
    locale: str = "en_US"
    holidays: Mapping[str, frozenset[date]] = attrs.field(factory=dict)
    tables: Sequence[RateTable] = ()


@attrs.frozen(kw_only=True)
class QuoteLine:
    """One priced line: the charge with its steps, and its rounded amount."""

    charge: Charge
    net: Money


@attrs.frozen(kw_only=True)
class QuotePeriod:
    """One billing period of a quote.

    Attributes:
        period: its dates.
        lines: its lines.
        net: their sum, without tax.
        records: number of records that were given to rating.
        unpriced: reason to the number of records without a price.
    """

    period: DateSpan
    lines: tuple[QuoteLine, ...]
    net: Money
    records: int
    unpriced: Mapping[str, int]


@attrs.frozen(kw_only=True)
class Quote:
    """What a file of records would cost.

    Attributes:
        plan: names of the plan versions, as ``code@version``.
        periods: the billing periods in order.
        net: sum of all periods, without tax.
        findings: problems of the file and of rating; where one stops, the sum is not what would be billed.
    """

    plan: tuple[str, ...]
    periods: tuple[QuotePeriod, ...]
    net: Money
    findings: tuple[Finding, ...]


def quote(items: Iterator[ReadItem], request: QuoteRequest, host: Host) -> Quote:
    """Return what records come to under a plan, billing period by billing period, carrying state on as bills would.

    Args:
        items: what a reader yields.
        request: plan and circumstances.
        host: raters and charge models.

    Raises:
        InputRefused: ``QUOTE01`` where there is neither a record nor a period.
    """
    records, findings = current_records(items, host)
    spans = _periods(records, request)
    state: dict[str, CarriedState] = {}
    billed: dict[str, date] = {}
    priced = []
    for period in spans:
        rated, problems = _rated(records, request, host, period, state=state, billed=billed)
        findings += problems
        priced.append(_priced(rated, request, period))
        state |= {one.name: one for one in rated.state}
        for charge in rated.charges:
            billed[charge.component] = max(charge.service.end, billed.get(charge.component, charge.service.end))
    currency = request.plans[0].currency
    return Quote(
        plan=tuple(plan.name for plan in request.plans),
        periods=tuple(priced),
        net=Money.total((one.net for one in priced), currency),
        findings=tuple(findings),
    )


def current_records(items: Iterable[ReadItem], host: Host) -> tuple[list[CurrentRecord], list[Finding]]:
    """Return the records with key and digest, newest versions only, and what is wrong with the file."""
    newest: dict[int, CurrentRecord] = {}
    findings: list[Finding] = []
    fields = {name: body_fields(kind) for name, kind in host.kinds.items()}
    told = safe_finding if any(map(is_personal_kind, fields.values())) else _as_it_is
    for item in items:
        if isinstance(item, Finding):
            findings.append(told(item))
        elif isinstance(item, BadRecord):
            findings += map(told, item.findings)
        elif isinstance(item, Coverage):
            findings += [_gap(item)] if item.missing else []
        else:
            digest = content_digest(item, fields[item.kind]).hex()
            key = usage_key(item.source, item.external_id)
            place = slot_key(item, carried=host.kinds[item.kind].carried) or key
            if place not in newest or newest[place][2].version < item.version:
                newest[place] = (key, digest, withheld(item, fields[item.kind]))
    found = sorted(newest.values(), key=lambda one: (one[2].kind, one[2].subject, one[2].span.start, one[0]))
    return found, findings


def _as_it_is(finding: Finding) -> Finding:
    return finding


def _gap(coverage: Coverage) -> Finding:
    return Finding(
        code="USAGE04",
        severity=Severity.INFORMATION,
        what=f"{coverage.received} of {coverage.expected} values came, {len(coverage.missing)} spans are missing",
        subject=coverage.subject,
    )


def _periods(records: Sequence[CurrentRecord], request: QuoteRequest) -> tuple[DateSpan, ...]:
    if request.period is not None:
        return (request.period,)
    if not records:
        raise InputRefused("QUOTE01", "there is no record to price", remedy="Name the period with --period")
    zone = timezone(request.zone)
    first = min(record.span.start for _, _, record in records).astimezone(zone).date()
    last = max(max(record.span.start, record.span.end) for _, _, record in records).astimezone(zone)
    ends_at_midnight = any(record.span.end == record.span.start for _, _, record in records)
    end = (
        last.date()
        if last.time() == last.time().min and not ends_at_midnight
        else last.date().fromordinal(last.date().toordinal() + 1)
    )
    return periods(parse_cycle(request.cycle), DateSpan(first, max(end, first.fromordinal(first.toordinal() + 1))))


def _rated(
    records: Sequence[CurrentRecord],
    request: QuoteRequest,
    host: Host,
    period: DateSpan,
    *,
    state: Mapping[str, CarriedState],
    billed: Mapping[str, date],
) -> tuple[RatedGroup, list[Finding]]:
    given, material = quoted_input(records, request, host, period, state=state, billed=billed)
    rated = rate_input(given, material, rating_offers(host))
    return rated, [*given.findings, *rated.findings]


def quoted_input(
    records: Sequence[CurrentRecord],
    request: QuoteRequest,
    host: Host,
    period: DateSpan,
    *,
    state: Mapping[str, CarriedState] | None = None,
    billed: Mapping[str, date] | None = None,
) -> tuple[BillInput, Material]:
    """Return the manifest of one account that has all the records, as a run would put it together, and the values behind it.

    Args:
        records: current records, as `current_records` returns them.
        request: plan and circumstances.
        host: usage kinds and charge models.
        period: the billing period.
        state: carried state by name, none by default.
        billed: component to the date up to which it has been billed, none by default.
    """
    plan = request.plans[0]
    account = Account(
        code=_CODE, party=_CODE, book=_CODE, currency=plan.currency, locale=request.locale, zone=request.zone, cycle=request.cycle
    )
    agreement = Agreement(code=_CODE, account=_CODE, plan=plan.code, starts_on=date(1970, 1, 1), terms=request.terms)
    cycle = parse_cycle(request.cycle)
    plans = [LoadedPlan(plan=one, loaded_at=_KNOWN) for one in request.plans]
    chosen = select(agreement, period, plans, _KNOWN, host.charge_models)
    tables, unclear = choose_tables(((tile.dates, tile.plan) for tile in chosen.tiles), request.tables)
    seen = _seen(records, request, host, period)
    own = AgreementInput(
        agreement=agreement,
        period=period,
        full_period=_full(cycle, period),
        next_period=next_period(cycle, period),
        tiles=tile_refs(chosen.tiles),
        next_tiles=tile_refs(select(agreement, next_period(cycle, period), plans, _KNOWN, host.charge_models).tiles),
        tables=tuple(TableRef(table.name, table.sha256) for table in tables),
        assignments=_assignments(records, request),
        usage=tuple(UsageRef(record.kind, key, digest) for key, digest, record in seen),
        state=tuple(one for _, one in sorted((state or {}).items())),
        billed_through=dict(billed or {}),
    )
    given = BillInput(
        document=0,
        account=account,
        payer=_CODE,
        period=period,
        issue_on=period.end,
        known_at=_KNOWN,
        agreements=(own,),
        holidays=near_holidays(request.holidays, period),
        findings=(*chosen.findings, *unclear),
    )
    material = Material(
        usage={key: record for key, _, record in seen},
        plans={one.name: one for one in request.plans},
        tables={table.name: table for table in tables},
    )
    return given, material


def _assignments(records: Sequence[CurrentRecord], request: QuoteRequest) -> tuple[Assignment, ...]:
    return tuple(
        Assignment(subject=subject, agreement=_CODE, starts_on=date(1970, 1, 1), details=dict(request.details))
        for subject in dict.fromkeys(record.subject for _, _, record in records)
    )


def _full(cycle: Cycle, period: DateSpan) -> DateSpan:
    return periods(cycle, DateSpan(period.start, period.start.fromordinal(period.start.toordinal() + 1)))[0]


def _seen(records: Sequence[CurrentRecord], request: QuoteRequest, host: Host, period: DateSpan) -> list[CurrentRecord]:
    zone = timezone(request.zone)
    window = widened(period, reach_of(host.kinds))
    return [one for one in records if is_seen(host.kinds[one[2].kind], one[2].span, [period], period, zone) and window.days]


def _priced(rated: RatedGroup, request: QuoteRequest, period: DateSpan) -> QuotePeriod:
    nets = payable_lines(rated.charges, {plan.name: plan for plan in request.plans})
    return QuotePeriod(
        period=period,
        lines=tuple(QuoteLine(charge=charge, net=net) for charge, net in zip(rated.charges, nets, strict=True)),
        net=Money.total(nets, request.plans[0].currency),
        records=rated.control.records,
        unpriced=rated.control.unpriced,
    )
