"""The product beside the usual design: mapped objects, `Decimal`, a hook call per record, a commit per 250 accounts.

Both take the same file and must come to the same totals to the cent. ``python -m benchmarks.naive --size 100000``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.cycle import run_product, usage_files
from benchmarks.measuring import Meter, Round, apart, keep, median_ratio, plain, rounds_table
from benchmarks.naive_design import office
from benchmarks.stores import DIALECTS, Dialect, Stores, open_stores
from benchmarks.workloads.offices import Workload, found, settle
from benchmarks.workloads.telecom import telecom

GOAL = 50


def naive_round(url: str, file: Path, server: int) -> Round:
    """Bill once by the naive design."""
    engine = office.engine_of(url)
    engine.connect().close()
    meter = Meter(server=server)
    with meter.step("intake"):
        office.take_in(engine, file)
    with meter.step("bill"):
        documents = office.bill(engine)
    facts = office.totals(engine)
    engine.dispose()
    return meter.done(documents=documents, **facts)


def _found(url: str, workload: Workload) -> None:
    subject = workload.customers.subject
    if subject is None or workload.rate_table is None:
        raise AssertionError(workload.name)
    engine = office.engine_of(url)
    subjects = [subject(place) for place in range(workload.customers.count)]
    office.found(engine, subjects=subjects, deck=workload.rate_table[1])
    engine.dispose()


def compare(workload: Workload, stores: Stores, *, rounds: int) -> tuple[list[Round], list[Round]]:
    """Run both designs in alternating rounds.

    Raises:
        AssertionError: they come to different totals.
    """
    files = usage_files(workload, stores.folder)
    stores.fresh("template")
    found(workload, settle(workload, stores.folder / "template", stores.url("template")))
    apart(_found, stores.fresh("naive_template"), workload)
    ours, theirs = [], []
    for _ in range(rounds):
        ours.append(run_product(workload, stores, files))
        print(f"  product {ours[-1].clock:8.2f} s", flush=True)
        theirs.append(apart(naive_round, stores.fresh("naive", "naive_template"), files[0], stores.server_process))
        print(f"  naive   {theirs[-1].clock:8.2f} s", flush=True)
        for name, value in theirs[-1].facts.items():
            if ours[-1].facts[name] != value:
                raise AssertionError((name, ours[-1].facts, theirs[-1].facts))
    return ours, theirs


def tell(workload: Workload, dialect: Dialect, ours: list[Round], theirs: list[Round]) -> None:
    """Print and keep the figures."""
    ratio = median_ratio(theirs, ours)
    for title, rounds in (("product", ours), ("naive", theirs)):
        print(rounds_table(f"{title} on {dialect}", rounds, count=workload.size, unit=workload.unit))
    print(f"the same totals; naive takes {ratio:.1f} times as long, goal at least {GOAL}", flush=True)
    keep(
        f"naive_{dialect}",
        {
            "database": dialect,
            "size": workload.size,
            "ratio": ratio,
            "goal": GOAL,
            "product": [plain(one) for one in ours],
            "naive": [plain(one) for one in theirs],
        },
    )


def main() -> None:
    """Compare on one database or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=DIALECTS, help="only this one")
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    workload = telecom(options.size)
    for dialect in [options.database] if options.database else DIALECTS:
        with open_stores(dialect) as stores:
            ours, theirs = compare(workload, stores, rounds=options.rounds)
        tell(workload, dialect, ours, theirs)


if __name__ == "__main__":
    main()
