"""Growth: calls from a hundred thousand to ten million in one month, every key of every record kept.

Usage comes in files of a million rows at most, so that the seconds of each file show how the index of keys grows. The exponent is
the slope between the smallest and the largest size: 1 is proportional. ``python -m benchmarks.growth --sizes 100000 1000000``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping, Sequence

from benchmarks.cycle import run_product, usage_files
from benchmarks.measuring import Round, keep, median, plain, rounds_table
from benchmarks.product import INTAKE, RATE_TO_POST
from benchmarks.stores import DIALECTS, Dialect, open_stores
from benchmarks.workloads.offices import found, settle
from benchmarks.workloads.telecom import telecom

SIZES = (100_000, 1_000_000, 10_000_000)
FILE_ROWS = 1_000_000
GOALS = {"rate_to_post": 1.05, "intake": 1.2}
PEAK_GOAL = 1.3


def measure(dialect: Dialect, size: int, *, rounds: int, file_rows: int) -> list[Round]:
    """Bill one size so many times, its usage in files of so many rows, and return the rounds."""
    workload = telecom(size)
    with open_stores(dialect) as stores:
        files = usage_files(workload, stores.folder, file_rows)
        stores.fresh("template")
        found(workload, settle(workload, stores.folder / "template", stores.url("template")))
        done = []
        for _ in range(rounds):
            done.append(run_product(workload, stores, files))
            print(rounds_table(f"calls on {dialect}", done[-1:], count=size, unit="records"), flush=True)
            if len(done[-1].curve) > 1:
                print("  seconds of each file: " + " ".join(f"{seconds:.2f}" for seconds in done[-1].curve), flush=True)
    return done


def seconds_of(rounds: Sequence[Round], steps: Sequence[str]) -> float:
    """Return the median of the seconds of some steps together."""
    return median([sum(one.costs[step].clock for step in steps) for one in rounds])


def exponent(seconds: Mapping[int, float]) -> float:
    """Return the slope of seconds over sizes, both as logarithms, from the smallest to the largest."""
    low, high = min(seconds), max(seconds)
    return math.log(seconds[high] / seconds[low]) / math.log(high / low) if high > low else 0.0


def tell(dialect: Dialect, found_: Mapping[int, list[Round]]) -> None:
    """Print and keep exponents and peaks of memory."""
    intake = {size: seconds_of(rounds, [INTAKE]) for size, rounds in found_.items()}
    billing = {size: seconds_of(rounds, RATE_TO_POST) for size, rounds in found_.items()}
    peaks = {size: max(one.peak_mb for one in rounds) for size, rounds in found_.items()}
    middle = sorted(peaks)[len(peaks) // 2]
    slopes = {"intake": exponent(intake), "rate_to_post": exponent(billing)}
    for name, slope in slopes.items():
        print(f"{dialect}: exponent of {name} {slope:.2f}, goal at most {GOALS[name]}")
    part = max(peaks.values()) / peaks[middle]
    print(f"{dialect}: peak {max(peaks.values()):,.0f} MB, {part:.2f} times that at {middle:,}, goal at most {PEAK_GOAL}")
    keep(
        f"growth_{dialect}",
        {
            "database": dialect,
            "intake": {str(size): seconds for size, seconds in intake.items()},
            "rate_to_post": {str(size): seconds for size, seconds in billing.items()},
            "peaks": {str(size): peak for size, peak in peaks.items()},
            "exponents": slopes,
            "goals": GOALS,
            "rounds": {str(size): [plain(one) for one in rounds] for size, rounds in found_.items()},
        },
    )


def main() -> None:
    """Measure all sizes on one database or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=DIALECTS, help="only this one")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--file-rows", type=int, default=FILE_ROWS, help="rows of a usage file")
    options = parser.parse_args()
    for dialect in [options.database] if options.database else DIALECTS:
        sizes = sorted(options.sizes)
        tell(dialect, {size: measure(dialect, size, rounds=options.rounds, file_rows=options.file_rows) for size in sizes})


if __name__ == "__main__":
    main()
