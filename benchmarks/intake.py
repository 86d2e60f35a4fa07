"""Intake alone: a file of calls is read, checked, told apart and stored; beside parsing it and writing the same rows raw.

Run it from the repository: ``python -m benchmarks.intake --database sqlite --size 1000000``. The rounds of both alternate. With
``--again`` the database already holds another file of that many calls, so that the keys kept for ever are looked up.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cycle import next_transaction, usage_files
from benchmarks.floor import capture, floor_round
from benchmarks.measuring import Meter, Round, apart, keep, median, median_ratio, plain, processor_ratio, rounds_table
from benchmarks.product import warm
from benchmarks.stores import DIALECTS, Stores, open_stores
from benchmarks.workloads.offices import Workload, found, opened, settle
from benchmarks.workloads.telecom import telecom
from billing_framework.run.usage.intake import take_in

SIZE = 1_000_000
GOAL = 400_000


def intake_round(workload: Workload, settings: Path, files: Sequence[Path], server: int) -> Round:
    """Take the files of a workload in once.

    Args:
        workload: the workload.
        settings: ``billing.toml`` of its office.
        files: its usage files.
        server: process id of the database server, 0 for SQLite.
    """
    meter = Meter(server=server)
    records = duplicates = 0
    with opened(settings) as deployment:
        warm(deployment)
        import polars as pl  # noqa: F401, PLC0415 - the import is no part of the intake

        for file in files:
            with meter.step("intake"):
                usage = workload.usage
                report = take_in(deployment, file, usage.format if usage else "", source=usage.source if usage else "")
            records, duplicates = records + report.totals.records, duplicates + report.totals.duplicate
    return meter.done(records=records, duplicates=duplicates)


def compare(workload: Workload, stores: Stores, *, rounds: int, again: bool) -> tuple[list[Round], list[Round]]:
    """Return the rounds of the product and of the raw floor.

    Args:
        workload: the workload.
        stores: where its databases are made.
        rounds: rounds of each.
        again: whether another file is there already.
    """
    files = usage_files(workload, stores.folder)
    settings = settle(workload, stores.folder / "template", stores.fresh("template"))
    found(workload, settings)
    if again:
        before = stores.folder / "before.txt"
        other = telecom(workload.size, accounts=workload.customers.count, seed=7)
        if other.write_usage is not None:
            other.write_usage(before)
        # Other numbers, so that none of its identifiers comes again.
        before.write_bytes(before.read_bytes().replace(b"\nC", b"\nB"))
        apart(intake_round, workload, settings, [before], stores.server_process)
    product: list[Round] = []
    floor: list[Round] = []
    rows = stores.folder / "rows"
    for _ in range(rounds):
        final = settle(workload, stores.folder / "final", stores.fresh("final", "template"))
        since = next_transaction(stores, "final")
        product.append(apart(intake_round, workload, final, files, stores.server_process))
        if not rows.exists():
            bare = stores.fresh("bare", "template")
            apart(capture, stores.url("final"), stores.url("template"), bare, since=since, rows=rows)
        floor.append(apart(floor_round, workload, files, stores.fresh("floor", "bare"), rows, stores.server_process))
        stores.remove("floor")
    return product, floor


def main() -> None:
    """Measure intake on one database, or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=DIALECTS, help="only this one")
    parser.add_argument("--size", type=int, default=SIZE, help="records")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--again", action="store_true", help="another file of that size is there already")
    options = parser.parse_args()
    for dialect in [options.database] if options.database else DIALECTS:
        workload = telecom(options.size, prefixes=100)
        with open_stores(dialect) as stores:
            product, floor = compare(workload, stores, rounds=options.rounds, again=options.again)
        rate = workload.size / median([one.clock for one in product])
        ratio, processor = median_ratio(product, floor), processor_ratio(product, floor)
        print(rounds_table(f"intake on {dialect}", product, count=workload.size, unit=workload.unit))
        print(rounds_table(f"raw floor of intake on {dialect}", floor, count=workload.size, unit=workload.unit))
        told = f"{ratio:.2f} times the floor by the clock, {processor:.2f} by processor seconds"
        print(f"{rate:,.0f} records per second, goal {GOAL:,}; {told}", flush=True)
        name = f"intake_{dialect}{'_again' if options.again else ''}"
        figures = {"rate": rate, "ratio": ratio, "processor_ratio": processor, "goal": GOAL, "size": workload.size}
        keep(name, {**figures, "product": [plain(one) for one in product], "floor": [plain(one) for one in floor]})


if __name__ == "__main__":
    main()
