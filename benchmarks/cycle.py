"""A whole cycle from file to posted ledger, beside its floor: the rounds of both alternate, and medians are told.

Run it from the repository: ``python -m benchmarks.cycle --workload telecom --database sqlite --size 1000000``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import attrs
import psycopg

from benchmarks.calibration import calibrate
from benchmarks.floor import capture, floor_round
from benchmarks.measuring import Round, apart, keep, median_ratio, plain, processor_ratio, rounds_table
from benchmarks.product import product_round
from benchmarks.stores import DIALECTS, Dialect, Stores, open_stores
from benchmarks.workloads.flat import flat
from benchmarks.workloads.metering import metering
from benchmarks.workloads.offices import Workload, found, settle
from benchmarks.workloads.telecom import telecom
from billing_framework.run.work.work import Work

WORKLOADS = {"telecom": telecom, "metering": metering, "flat": flat}
SIZES = {"telecom": 1_000_000, "metering": 28_800_000, "flat": 100_000}
GOALS = {("sqlite", 1): 2.2, ("postgresql", 1): 1.8, ("postgresql", 2): 1.5}


@attrs.frozen(kw_only=True)
class Comparison:
    """The rounds of a cycle and of its floor, in the order in which they were run."""

    product: list[Round] = attrs.field(factory=list)
    floor: list[Round] = attrs.field(factory=list)

    @property
    def ratio(self) -> float:
        """Median of the ratios by the clock."""
        return median_ratio(self.product, self.floor)

    @property
    def processor(self) -> float:
        """Median of the ratios of processor seconds."""
        return processor_ratio(self.product, self.floor)


def compare(workload: Workload, stores: Stores, *, rounds: int, workers: int) -> Comparison:
    """Run a workload and its floor in alternating rounds.

    Args:
        workload: the workload.
        stores: where its databases are made.
        rounds: rounds of each.
        workers: processes that draft and post.

    Raises:
        AssertionError: two rounds made different documents.
    """
    files = usage_files(workload, stores.folder)
    work = Work(executor="processes", workers=workers) if workers > 1 else None
    stores.fresh("template")
    found(workload, settle(workload, stores.folder / "template", stores.url("template")))
    rows = stores.folder / "rows"
    done = Comparison()
    for number in range(rounds):
        for side in ("product", "floor") if number % 2 == 0 else ("floor", "product"):
            if side == "product":
                one = run_product(workload, stores, files, work=work, rows=rows)
                if done.product and done.product[0].facts != one.facts:
                    raise AssertionError((done.product[0].facts, one.facts))
                done.product.append(one)
            else:
                one = apart(floor_round, workload, files, stores.fresh("floor", "bare"), rows, stores.server_process)
                stores.remove("floor")
                done.floor.append(one)
            print(f"  {side:8} {one.clock:8.2f} s, peak {one.peak_mb:,.0f} MB", flush=True)
    return done


def usage_files(workload: Workload, folder: Path, rows: int = 0) -> tuple[Path, ...]:
    """Write the usage files of a workload, one or several of so many rows, and return their paths."""
    if workload.write_usage is None:
        return ()
    if not rows or rows >= workload.size:
        workload.write_usage(folder / "usage.txt")
        return (folder / "usage.txt",)
    files = []
    for first in range(0, workload.size, rows):
        files.append(folder / f"usage{first}.txt")
        workload.write_usage(files[-1], first, min(rows, workload.size - first))
    return tuple(files)


def run_product(
    workload: Workload, stores: Stores, files: Sequence[Path], *, work: Work | None = None, rows: Path | None = None
) -> Round:
    """Bill once on a fresh copy of the template; the first time keep the rows that it wrote for the floor.

    Args:
        workload: the workload.
        stores: where the databases are; one of them is the template.
        files: its usage files.
        work: who drafts and posts; one process where None.
        rows: file of the rows for the floor.
    """
    settings = settle(workload, stores.folder / "final", stores.fresh("final", "template"))
    since = next_transaction(stores, "final")
    one = product_round(workload, settings, files, stores.server_process, work)
    if rows is not None and not rows.exists():
        bare = stores.fresh("bare", "template")
        apart(capture, stores.url("final"), stores.url("template"), bare, since=since, rows=rows)
    return one


def next_transaction(stores: Stores, name: str) -> int:
    """Return the next transaction of PostgreSQL, by which `capture` tells what is written from now on; 0 for SQLite."""
    if stores.server is None:
        return 0
    with psycopg.connect(stores.url(name)) as connection:
        row = connection.execute("SELECT pg_current_xact_id()::text").fetchone()
    return int(row[0]) if row else 0


def tell(workload: Workload, dialect: Dialect, done: Comparison, *, workers: int) -> None:
    """Print and keep the figures of a comparison."""
    goal = GOALS.get((dialect, workers))
    size, unit = workload.size, workload.unit
    print(rounds_table(f"{workload.name} on {dialect}, {workers} workers", done.product, count=size, unit=unit))
    print(rounds_table(f"floor of {workload.name} on {dialect}", done.floor, count=size, unit=unit))
    aim = f", goal at most {goal}" if goal else ""
    print(f"ratio to the floor {done.ratio:.2f} by the clock{aim}; {done.processor:.2f} by processor seconds", flush=True)
    keep(
        f"cycle_{workload.name}_{dialect}_{workers}",
        {
            "workload": workload.name,
            "database": dialect,
            "workers": workers,
            "size": size,
            "unit": unit,
            "ratio": done.ratio,
            "processor_ratio": done.processor,
            "goal": goal,
            "product": [plain(one) for one in done.product],
            "floor": [plain(one) for one in done.floor],
        },
    )


def main() -> None:
    """Compare one workload, or all, on one database, or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workload", choices=sorted(WORKLOADS), help="only this one")
    parser.add_argument("--database", choices=DIALECTS, help="only this one")
    parser.add_argument("--size", type=int, default=0, help="records, intervals or subscriptions; by default those of the goals")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for dialect in [options.database] if options.database else DIALECTS:
        for name in [options.workload] if options.workload else WORKLOADS:
            workload = WORKLOADS[name](options.size or SIZES[name])
            print(f"\n{name}, {workload.size:,} {workload.unit} on {dialect}", flush=True)
            with open_stores(dialect) as stores:
                calibrate(stores)
                done = compare(workload, stores, rounds=options.rounds, workers=options.workers)
            tell(workload, dialect, done, workers=options.workers)


if __name__ == "__main__":
    main()
