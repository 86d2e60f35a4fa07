"""Workload (a) for rating alone: the calls of a month as columns, and the least that NumPy must do for the same prices."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import attrs
import billing_telecom_usage.plugin as telecom_plugin
import numpy as np
from billing_telecom_usage.deck.digits import digits_of
from billing_telecom_usage.deck.prefix_columns import prefix_columns
from billing_telecom_usage.deck.prefixes import prefixes_of
from billing_telecom_usage.numbers import NumberClass
from billing_telecom_usage.rating.rate import TWIN, rate

from benchmarks.workloads.offices import PERIOD, SEED
from benchmarks.workloads.telecom import caller, deck, prefix_list
from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.plugin.host import Host
from billing_framework.rating.gather_columns import terms_of
from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage, Tile
from billing_framework.rating.plan_file import params_by_model, parse_plan
from billing_framework.rating.rate_table import RateTable
from billing_framework.rating.rate_table_file import RateTableHeader, read_rate_table
from billing_framework.rating.rated_columns import ratings_of
from billing_framework.rating.usage_columns import NEVER, FieldColumn, UsageColumns
from billing_framework.usage.record import Usage
from billing_framework.values.clock import timezone
from billing_framework.values.columns import Integers
from billing_framework.values.instant import instant_at
from billing_framework.values.local_columns import local_time
from billing_framework.values.period import DateSpan, Span

_FOLDER = Path(__file__).parent / "workloads" / "deployments" / "telecom"
_ZONE = "Europe/Berlin"
_SHARD = 5_000


@attrs.frozen(kw_only=True, eq=False)
class Calls:
    """The workload.

    Attributes:
        columns: the calls.
        shards: the same in shards.
        rate: rates them in shards of 5,000 accounts, as a run does.
        floor: the least that NumPy must do for the prices: prefix, time of day, 60/6, one rounding, a sum per account; neither
            calls across a boundary nor included minutes, and nothing is checked.
        reference: rates the calls of some accounts by the reference, of objects; returns how many calls and whether the columns
            say the same.
    """

    columns: UsageColumns
    shards: list[UsageColumns]
    rate: Callable[[], object]
    floor: Callable[[], object]
    reference: Callable[[int], tuple[int, bool]]


def calls_workload(size: int, *, seed: int = SEED) -> Calls:
    """Return the workload of `size` calls, twenty per account."""
    accounts = max(size // 20, 1)
    prefixes = prefix_list(40_000, seed)
    table = _deck(prefixes, seed)
    columns = _columns(size, accounts, prefixes, table, seed=seed)
    shards = [_part(columns, first, min(first + _SHARD, accounts)) for first in range(0, accounts, _SHARD)]

    def rated() -> None:
        for shard in shards:
            if TWIN.rate(shard).left:
                raise AssertionError(shard.kind)

    floors = [_floor(shard, table) for shard in shards]
    return Calls(
        columns=columns,
        shards=shards,
        rate=rated,
        floor=lambda: [floor() for floor in floors],
        reference=lambda count: _reference(columns, count),
    )


def _part(columns: UsageColumns, first: int, last: int) -> UsageColumns:
    """Return the records of some accounts."""
    rows = slice(*columns.firsts[[first, last]].tolist())

    def cut(column: FieldColumn) -> FieldColumn:
        numbers, texts = column.numbers[rows], column.texts
        if texts is not None and len(texts) == len(columns):  # a text per record
            numbers, texts = numbers - numbers[0], texts[rows]
        missing = None if column.missing is None else column.missing[rows]
        return FieldColumn(numbers=numbers, texts=texts, missing=missing)

    groups = columns.groups[first:last]
    return attrs.evolve(
        columns,
        groups=groups,
        usages=columns.usages[first:last],
        group_of=np.arange(last - first),
        firsts=columns.firsts[first : last + 1] - columns.firsts[first],
        terms=terms_of(groups),
        state_until=columns.state_until[first:last],
        keys=columns.keys[rows],
        own=columns.own[rows],
        subject=cut(columns.subject),
        start=columns.start[rows],
        end=columns.end[rows],
        day=columns.day[rows],
        second=columns.second[rows],
        fields={name: cut(column) for name, column in columns.fields.items()},
    )


def _deck(prefixes: list[str], seed: int) -> RateTable:
    header = RateTableHeader(
        code="retail", version="2026", kind="telecom_usage.deck", valid_from=date(2026, 1, 1), currency="EUR"
    )
    kind = Host.build([("telecom_usage", telecom_plugin)]).rate_tables["telecom_usage.deck"]
    found = read_rate_table(deck(prefixes, seed), file="deck.csv", header=header, kind=kind).table
    if found is None:
        raise AssertionError(header)
    return found


def _groups(accounts: int, table: RateTable) -> tuple[BillingGroup, ...]:
    host = Host.build([("telecom_usage", telecom_plugin)])
    params = params_by_model(host.charge_models.values(), host.raters.values())
    plan = parse_plan((_FOLDER / "plan.toml").read_bytes(), file="plan.toml", params=params)
    tiles, following = (Tile(dates=PERIOD, plan=plan),), DateSpan(PERIOD.end, date(2026, 11, 1))
    settings = host.settings_of_rater("telecom_usage")
    found = []
    for place in range(accounts):
        code = f"A{place:08d}"
        owner = Account(code=code, party="p", book="BENCH", currency="EUR", locale="en_GB", zone=_ZONE)
        agreement = Agreement(code=code, account=code, plan="calls", starts_on=date(2026, 1, 1))
        usage = AgreementUsage(
            agreement=agreement, period=PERIOD, full_period=PERIOD, next_period=following, tiles=tiles, tables=(table,)
        )
        found.append(BillingGroup(account=owner, period=PERIOD, agreements=(usage,), settings=settings))
    return tuple(found)


def _columns(size: int, accounts: int, prefixes: list[str], table: RateTable, *, seed: int) -> UsageColumns:
    random = np.random.default_rng(seed + 2)
    owner = np.sort(random.integers(0, accounts, size=size))
    first = int(datetime(PERIOD.start.year, PERIOD.start.month, PERIOD.start.day, tzinfo=UTC).timestamp())
    start = (first + random.integers(0, PERIOD.days * 86_400 - 7_200, size=size)) * 10**6
    start = start[np.lexsort((start, owner))]
    places = np.minimum(random.zipf(1.3, size=size), len(prefixes)) - 1
    places = np.where(random.random(size) < 0.5, places, random.integers(0, len(prefixes), size=size))
    tails = random.integers(10**5, 10**6, size=size).astype("S6")
    called = np.strings.add(np.array(prefixes, dtype="S9")[places], tails)
    length = np.minimum(random.exponential(150, size=size).astype(np.int64) + 1, 7_000)
    groups = _groups(accounts, table)
    day, second = local_time(start, timezone(_ZONE))
    whole = np.arange(size)
    nothing = np.zeros(size, dtype=np.int64)
    callers = np.array([caller(place).encode() for place in range(accounts)])
    fields = {
        "a_number": FieldColumn(numbers=owner, texts=callers),
        "b_number": FieldColumn(numbers=whole, texts=called),
        "b_class": FieldColumn(numbers=nothing, texts=np.array([b"international"])),
        "direction": FieldColumn(numbers=nothing, texts=np.array([b"outgoing"])),
        "answered_at": FieldColumn(numbers=start, missing=np.zeros(size, dtype=bool)),
        "duration_seconds": FieldColumn(numbers=length + 9),
        "billed_seconds": FieldColumn(numbers=length),
        "continuation": FieldColumn(numbers=nothing),
    }
    found = UsageColumns(
        kind=TWIN.kind.name,
        groups=groups,
        usages=tuple(group.agreements[0] for group in groups),
        group_of=np.arange(accounts),
        firsts=np.searchsorted(owner, np.arange(accounts + 1)),
        terms=terms_of(groups),
        state_until=np.full(accounts, NEVER, dtype=np.int64),
        keys=whole + 1,
        own=np.ones(size, dtype=bool),
        subject=fields["a_number"],
        start=start,
        end=start + (length + 9) * 10**6,
        day=day,
        second=second,
        fields=fields,
        settings=groups[0].settings,
        record=lambda row: _record(found, row),
    )
    return found


def _record(columns: UsageColumns, row: int) -> KeyedUsage:
    fields = columns.fields
    code, subject = columns.usages[int(np.searchsorted(columns.firsts, row, side="right")) - 1].agreement.code, fields["a_number"]
    begin, end = instant_at(int(columns.start[row])), instant_at(int(columns.end[row]))
    kind = TWIN.kind
    body = kind.body(
        a_number=subject.text(row),
        b_number=fields["b_number"].text(row),
        b_class=NumberClass.INTERNATIONAL,
        answered_at=begin,
        duration_seconds=int(fields["duration_seconds"].numbers[row]),
        billed_seconds=int(fields["billed_seconds"].numbers[row]),
    )
    usage = Usage(
        kind=kind.name, source="switch", external_id=str(row), subject=subject.text(row), span=Span(begin, end), body=body
    )
    return KeyedUsage(
        key=int(columns.keys[row]),
        usage=usage,
        assignment=Assignment(subject=subject.text(row), agreement=code, starts_on=date(2026, 1, 1)),
    )


def _reference(columns: UsageColumns, count: int) -> tuple[int, bool]:
    rated = TWIN.rate(columns)
    ratings = ratings_of(columns, rated)
    seen, same = 0, True
    for place, found in zip(range(count), ratings, strict=False):
        first, last = columns.firsts[place : place + 2].tolist()
        group = columns.groups[place]
        records = tuple(columns.record(row) for row in range(first, last))
        whole = attrs.evolve(group, agreements=(attrs.evolve(group.agreements[0], records=records),))
        same = same and found == rate(whole)
        seen += last - first
    return seen, same


def _floor(columns: UsageColumns, table: RateTable) -> Callable[[], object]:
    """Return the kernel; what does not depend on the calls is made beforehand."""
    rows = [row for row in table.rows if not row.period]
    peak = {row.prefix: row for row in table.rows if row.period == "peak"}
    search = prefix_columns(tuple(prefixes_of(table).places))
    if search is None:
        raise AssertionError(table)
    rates = np.array([[int(row.rate_per_min * 10**5), int(peak[row.prefix].rate_per_min * 10**5)] for row in rows]).ravel()
    texts = columns.fields["b_number"].texts
    seconds = columns.fields["billed_seconds"].numbers
    owner = np.flatnonzero(np.diff(columns.firsts))
    begins = columns.firsts[owner]

    def kernel() -> Integers:
        place = search.places(digits_of(texts)) if texts is not None else seconds
        is_peak = (columns.day + 3) % 7 < 5
        is_peak &= (columns.second >= 8 * 3_600) & (columns.second < 18 * 3_600)
        billed = 60 + np.maximum(seconds - 60 + 5, 0) // 6 * 6
        amounts = (rates[place * 2 + is_peak] * billed + 300) // 600
        return np.add.reduceat(amounts, begins)

    return kernel
