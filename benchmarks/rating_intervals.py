"""Workload (b) for rating alone: packed days of 15-minute values of a month, and the least that NumPy must do with them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import attrs
import billing_utility_metering.plugin as metering_plugin
import numpy as np
from billing_utility_metering.rating.rate import TWIN
from billing_utility_metering.rating.series import IntervalSeries

from benchmarks.workloads.metering import point
from benchmarks.workloads.offices import PERIOD, SEED
from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.plugin.host import Host
from billing_framework.rating.gather_columns import terms_of
from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage, Tile
from billing_framework.rating.plan_file import params_by_model, parse_plan
from billing_framework.rating.usage_columns import NEVER, FieldColumn, UsageColumns
from billing_framework.storage.packed import pack
from billing_framework.storage.packed_columns import unpack_columns
from billing_framework.values.clock import timezone
from billing_framework.values.instant import microseconds_of
from billing_framework.values.local_columns import DAY_US, local_time
from billing_framework.values.period import DateSpan

_FOLDER = Path(__file__).parent / "workloads" / "deployments" / "metering"
_ZONE = "Australia/Brisbane"
_A_DAY = 96
_SHARD = 2_500
"""Meters of a shard: what a run gives to a worker at once."""


@attrs.frozen(kw_only=True, eq=False)
class Intervals:
    """The workload.

    Attributes:
        count: number of intervals.
        rate: unpacks the days of all shards and sums them: the whole, each period of the day, and each meter's highest window.
        floor: the least that NumPy must do: sum a matrix that is there already by runs of one period, and take its highest
            values.
    """

    count: int
    rate: Callable[[], object]
    floor: Callable[[], object]


def intervals_workload(meters: int, *, seed: int = SEED) -> Intervals:
    """Return the workload of so many meters, 2,880 intervals each."""
    days = PERIOD.days
    values = _values(np.random.default_rng(seed), min(meters, _SHARD) * days)
    packed = [pack(tuple(row)) for row in values.tolist()]
    shards = [_shard(first, min(_SHARD, meters - first)) for first in range(0, meters, _SHARD)]
    matrix = values.reshape(-1, days * _A_DAY)
    evening = (np.arange(days * _A_DAY) % _A_DAY >= 64) & (np.arange(days * _A_DAY) % _A_DAY < 84)
    begins = np.flatnonzero(np.diff(evening, prepend=~evening[:1]))

    def rate() -> None:
        for columns, groups in shards:
            numbers, starts = unpack_columns(packed[: len(columns)])
            columns.fields["values"] = FieldColumn(numbers=numbers, starts=starts)
            rated = TWIN.rate(columns)
            if rated.left:
                raise AssertionError(sorted(rated.left)[:3])
            _ask(rated.measures(0)[0].series, groups[0])

    def floor() -> None:
        for columns, _ in shards:
            part = matrix[: len(columns) // days]
            np.add.reduceat(part, begins, axis=1)
            part[:, evening].max(axis=1)

    return Intervals(count=meters * days * _A_DAY, rate=rate, floor=floor)


def _ask(series: object, group: BillingGroup) -> None:
    """Ask for what the charges of one account are made of; it is worked out for all accounts of the matrix at once."""
    from billing_utility_metering.pricing.day_periods import Classifier  # noqa: PLC0415

    if not isinstance(series, IntervalSeries) or series.known is None:
        raise AssertionError(series)
    _, energy, demand = (component.params for component in group.agreements[0].tiles[0].plan.components)
    zone = timezone(_ZONE)
    series.known.totals(Classifier(calendar=energy.calendar, zone=zone, holidays=frozenset()))
    power = Classifier(calendar=demand.calendar, zone=zone, holidays=frozenset())
    series.known.peak(power, demand.window_minutes * 60, rolling=demand.rolling)


def _values(random: np.random.Generator, rows: int) -> np.ndarray:
    hour = np.arange(_A_DAY) / 4
    shape = 150 + 350 * np.exp(-(((hour - 18.5) / 2) ** 2))
    watts = shape * random.uniform(0.4, 2.5, size=(rows, 1)) * random.uniform(0.7, 1.3, size=(rows, _A_DAY))
    return np.minimum(watts.astype(np.int64), 9_999)


def _groups(first: int, meters: int) -> tuple[BillingGroup, ...]:
    host = Host.build([("utility_metering", metering_plugin)])
    params = params_by_model(host.charge_models.values(), host.raters.values())
    plan = parse_plan((_FOLDER / "plan.toml").read_bytes(), file="plan.toml", params=params)
    tiles, following = (Tile(dates=PERIOD, plan=plan),), DateSpan(PERIOD.end, PERIOD.end + timedelta(days=31))
    settings = host.settings_of_rater("utility_metering")
    found = []
    for place in range(first, first + meters):
        code = f"A{place:08d}"
        owner = Account(code=code, party="p", book="BENCH", currency="AUD", locale="en_AU", zone=_ZONE)
        usage = AgreementUsage(
            agreement=Agreement(code=code, account=code, plan="intervals", starts_on=date(2026, 1, 1)),
            period=PERIOD,
            full_period=PERIOD,
            next_period=following,
            tiles=tiles,
            assignments=(Assignment(subject=point(place), agreement=code, starts_on=date(2026, 1, 1)),),
        )
        found.append(BillingGroup(account=owner, period=PERIOD, agreements=(usage,), settings=settings))
    return tuple(found)


def _shard(first: int, meters: int) -> tuple[UsageColumns, tuple[BillingGroup, ...]]:
    groups, days = _groups(first, meters), PERIOD.days
    rows = meters * days
    begin = microseconds_of(PERIOD.instants(timezone(_ZONE)).start)
    start = begin + np.tile(np.arange(days), meters) * DAY_US
    day, second = local_time(start, timezone(_ZONE))
    zero = np.zeros(rows, dtype=np.int64)

    def one(text: str) -> FieldColumn:
        return FieldColumn(numbers=zero, texts=np.array([text.encode()]))

    columns = UsageColumns(
        kind=TWIN.kind.name,
        groups=groups,
        usages=tuple(group.agreements[0] for group in groups),
        group_of=np.arange(meters),
        firsts=np.arange(meters + 1) * days,
        terms=terms_of(groups),
        state_until=np.full(meters, NEVER, dtype=np.int64),
        keys=np.arange(rows) + 1,
        own=np.ones(rows, dtype=bool),
        subject=FieldColumn(
            numbers=np.repeat(np.arange(meters), days),
            texts=np.array([point(place).encode() for place in range(first, first + meters)]),
        ),
        start=start,
        end=start + DAY_US,
        day=day,
        second=second,
        fields={
            "channel": one("E1"),
            "meter": one("M1"),
            "unit": one("kWh"),
            "flow": one("delivered"),
            "interval_seconds": FieldColumn(numbers=zero + 900),
            "scale": FieldColumn(numbers=zero + 3),
            "missing": FieldColumn(numbers=zero[:0], starts=np.zeros(rows + 1, dtype=np.int64)),
            "qualities": one(f"A*{_A_DAY}"),
        },
        settings=groups[0].settings,
        record=_no_record,
    )
    return columns, groups


def _no_record(row: int) -> KeyedUsage:
    raise AssertionError(row)  # nothing asks for objects
