"""Rating alone, from columns in memory to columns: records per second of processor time, and the ratio to a bare NumPy kernel.

Three roads: the columnar rater of workload (a) with zones by longest prefix, peak and off-peak with the split at boundaries,
60/6, included minutes and a price per record; that of workload (b) with the days still packed; and a rule in plain Python that
is given the numbers of one account as lists. Rounds of product and kernel alternate; medians are printed. Run it from the
repository: ``python -m benchmarks.rating``.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence

import attrs

from benchmarks.measuring import keep
from benchmarks.rating_calls import calls_workload
from benchmarks.rating_intervals import intervals_workload
from billing_framework.rating.account_rater import AccountRecords, AccountRule, MeasureScale, account_rater
from billing_framework.rating.rated_columns import ratings_of
from billing_framework.rating.usage_columns import UsageColumns
from billing_framework.usage.record import UsageKind

_MEASURES = {name: MeasureScale(unit="s") for name in ("peak", "rest")}
_COMPARED = 300


@attrs.frozen(kw_only=True)
class Figure:
    """One road: how many records it rates, median processor seconds of the product and of the kernel, and what is wanted."""

    road: str
    unit: str
    count: int
    product: float
    kernel: float
    wanted: float

    def __str__(self) -> str:
        rate = self.count / self.product
        ratio = f", {self.product / self.kernel:.2f} times the NumPy kernel" if self.kernel else ""
        verdict = f"; {self.wanted / 1e6:g} wanted, {'reached' if rate >= self.wanted else 'NOT reached'}" if self.wanted else ""
        return f"{self.road}: {rate / 1e6:.2f} million {self.unit} per CPU second{ratio}{verdict}"


def measured(product: Callable[[], object], kernel: Callable[[], object] | None, rounds: int) -> tuple[float, float]:
    """Return the median processor seconds of both, in alternating rounds after one that warms caches up."""
    ours, floor = list[float](), list[float]()
    gc.collect()
    gc.freeze()  # accounts and agreements live through the run; looking through them again and again is no work of rating
    for number in range(rounds + 1):
        for call, seconds in ((product, ours), (kernel, floor)):
            if call is not None:
                begun = time.thread_time()
                call()
                if number:
                    seconds.append(time.thread_time() - begun)
    return statistics.median(ours), statistics.median(floor) if floor else 0.0


def rule(records: AccountRecords) -> dict[str, int]:
    """Charge 60/6 by peak and off-peak, as a plug-in author writes it: a loop over the numbers of one account."""
    peak = rest = 0
    for seconds, second in zip(records.fields["billed_seconds"], records.second, strict=True):
        billed = max(60, seconds)
        billed += -billed % 6
        if 28_800 <= second < 64_800:
            peak += billed
        else:
            rest += billed
    return {"peak": peak, "rest": rest}


def by_account(shards: Sequence[UsageColumns], *, objects: bool) -> Callable[[], int]:
    """Return the road of the rule, as columns as the others, or down to the measures of every account as objects."""
    kind = attrs.evolve(_call_kind(), carried=False, divisible=False)
    rater = account_rater("plain", AccountRule(kind=kind, fields={"billed_seconds": 0}, measures=_MEASURES, rate=rule))

    def run() -> int:
        if rater.shard is None:
            raise AssertionError(rater.name)
        count = 0
        for columns in shards:
            rated = rater.shard.rate(columns)
            count += sum(len(rating.measures) for rating in ratings_of(columns, rated) if rating) if objects else 0
        return count

    return run


def _call_kind() -> UsageKind:
    from billing_telecom_usage.kinds import CALL  # noqa: PLC0415

    return CALL


def main() -> None:
    """Print the three figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000, help="records of (a)")
    parser.add_argument("--meters", type=int, default=10_000, help="meters of (b), 2,880 intervals each")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    calls = calls_workload(given.size)
    told = [_told("(a) calls", "records", given.size, 3e6, measured(calls.rate, calls.floor, given.rounds))]
    compared, same = calls.reference(min(_COMPARED, given.size // 20))
    print(f"  {compared:,} records compared with the reference: {'the same' if same else 'NOT THE SAME'}", flush=True)
    for objects, road in ((False, "one account at a time"), (True, "the same, and measures as objects")):
        seconds = measured(by_account(calls.shards, objects=objects), None, given.rounds)
        told.append(_told(road, "records", given.size, 0 if objects else 1e6, seconds))
    intervals = intervals_workload(given.meters)
    seconds = measured(intervals.rate, intervals.floor, given.rounds)
    told.append(_told("(b) intervals", "intervals", intervals.count, 50e6, seconds))
    keep("rating", {"roads": [attrs.asdict(figure) for figure in told], "compared": compared, "same": same})


def _told(road: str, unit: str, count: int, wanted: float, seconds: tuple[float, float]) -> Figure:
    figure = Figure(road=road, unit=unit, count=count, product=seconds[0], kernel=seconds[1], wanted=wanted)
    print(figure, flush=True)
    return figure


if __name__ == "__main__":
    main()
