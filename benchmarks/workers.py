"""Workers on PostgreSQL: one process, two processes, and two Dask workers on loopback, on the calls of one month.

Client and server share the machine's processors. All three must come to the same digest. ``python -m benchmarks.workers``.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from benchmarks.cycle import run_product, usage_files
from benchmarks.measuring import Round, keep, median, plain, rounds_table
from benchmarks.stores import open_stores
from benchmarks.workloads.offices import found, settle
from benchmarks.workloads.telecom import telecom
from billing_framework.run.work.work import DASK, PROCESSES, Work
from tests.run.workforce import dask_cluster

GOAL = 1.4
DASK_GOAL = 1.15
STEPS = ("rate", "post")


def measure(size: int, rounds: int, workers: int) -> dict[str, list[Round]]:
    """Return the rounds of each way to work, which alternate.

    Args:
        size: number of calls.
        rounds: rounds of each way.
        workers: number of workers of those that have several.

    Raises:
        AssertionError: two ways came to different documents.
    """
    workload = telecom(size)
    done: dict[str, list[Round]] = {"one": [], PROCESSES: [], DASK: []}
    with open_stores("postgresql") as stores, dask_cluster(stores.folder, workers) as scheduler:
        ways = {
            "one": None,
            PROCESSES: Work(executor=PROCESSES, workers=workers),
            DASK: Work(executor=DASK, scheduler=scheduler),
        }
        files = usage_files(workload, stores.folder)
        stores.fresh("template")
        found(workload, settle(workload, stores.folder / "template", stores.url("template")))
        for _ in range(rounds):
            for name, work in ways.items():
                one = run_product(workload, stores, files, work=work)
                if one.facts != (done["one"] or [one])[0].facts:
                    raise AssertionError((name, one.facts, done["one"][0].facts))
                done[name].append(one)
                print(f"  {name:10} " + ", ".join(f"{step} {one.costs[step].clock:.2f} s" for step in STEPS), flush=True)
    return done


def ratio(slow: Sequence[Round], fast: Sequence[Round], steps: Sequence[str]) -> float:
    """Return the median of how many times faster the rounds of `fast` were in some steps."""
    return median(
        [
            sum(one.costs[step].clock for step in steps) / sum(other.costs[step].clock for step in steps)
            for one, other in zip(slow, fast, strict=True)
        ]
    )


def tell(done: Mapping[str, list[Round]], size: int, workers: int) -> None:
    """Print and keep the ratios."""
    for name, rounds in done.items():
        print(rounds_table(name, rounds, count=size, unit="records"))
    gains = {step: ratio(done["one"], done[PROCESSES], [step]) for step in STEPS}
    for step, gain in gains.items():
        print(f"{step}: {workers} processes are {gain:.2f} times as fast as one, goal at least {GOAL}")
    dask = ratio(done[DASK], done[PROCESSES], STEPS)
    print(f"Dask takes {dask:.2f} times as long as local processes, goal at most {DASK_GOAL}", flush=True)
    keep(
        "workers",
        {
            "size": size,
            "workers": workers,
            "gains": gains,
            "goal": GOAL,
            "dask": dask,
            "dask_goal": DASK_GOAL,
            "rounds": {name: [plain(one) for one in rounds] for name, rounds in done.items()},
        },
    )


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    tell(measure(options.size, options.rounds, options.workers), options.size, options.workers)


if __name__ == "__main__":
    main()
