"""Regenerates the figures and plots of ``docs/explanation/performance.md`` from what the benchmarks have kept.

``python -m benchmarks.report`` writes the page's tables anew; with ``--measure`` it runs every benchmark before that, which wants
a quiet machine; ``--quick`` runs them at small sizes, to see that they work, and prints the tables.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measuring import RESULTS, kept, median
from benchmarks.plots import Bar, Series, bars_plot, growth_plot
from benchmarks.stores import DIALECTS

DOCS = Path(__file__).parents[1] / "docs" / "explanation"
PAGE = DOCS / "performance.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
WORKLOADS = ("telecom", "metering", "flat")
QUICK = {
    "benchmarks.cycle": ["--size", "10000", "--rounds", "1"],
    "benchmarks.intake": ["--size", "10000", "--rounds", "1"],
    "benchmarks.rating": ["--size", "10000", "--meters", "10", "--rounds", "1"],
    "benchmarks.naive": ["--size", "10000"],
    "benchmarks.peers": ["--size", "250", "--rounds", "1"],
    "benchmarks.growth": ["--sizes", "1000", "10000"],
    "benchmarks.workers": ["--size", "10000", "--rounds", "1"],
    "benchmarks.ledger": ["--size", "500", "--rounds", "1"],
}
PROGRAMS: tuple[tuple[str, ...], ...] = (
    ("benchmarks.cycle",),
    ("benchmarks.cycle", "--workload", "telecom", "--database", "postgresql", "--workers", "2"),
    ("benchmarks.intake",),
    ("benchmarks.intake", "--again"),
    ("benchmarks.rating",),
    ("benchmarks.naive",),
    ("benchmarks.peers",),
    ("benchmarks.growth",),
    ("benchmarks.workers",),
    ("benchmarks.ledger",),
    ("benchmarks.scaling",),
)


def measure(*, quick: bool) -> None:
    """Run every benchmark, each in a process of its own."""
    for module, *options in PROGRAMS:
        if quick and module not in QUICK:
            continue
        command = [sys.executable, "-m", module, *options, *(QUICK[module] if quick else [])]
        print("==", " ".join(command[1:]), flush=True)
        subprocess.run(command, check=True)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a table of the page; all columns but the first two are figures."""
    marks = ["---"] * 2 + ["--:"] * (len(header) - 2)
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in [header, marks, *rows])


def cycles() -> Iterator[dict[str, Any]]:
    """Yield the kept figures of the cycles."""
    for dialect in DIALECTS:
        for name in WORKLOADS:
            for workers in (1, 2):
                one = kept(f"cycle_{name}_{dialect}_{workers}")
                if one is not None:
                    yield one


def _clock(rounds: Sequence[dict[str, Any]], steps: Sequence[str] = ()) -> float:
    """Return the median seconds of some steps, of all where none is named."""
    return median([sum(one["costs"][step]["clock"] for step in steps or one["costs"]) for one in rounds])


def cycle_section() -> str:
    """Return what a whole cycle takes, beside its floor."""
    rows = []
    for one in cycles():
        clock = _clock(one["product"])
        rows.append(
            [
                f"{one['workload']}, {one['size']:,} {one['unit']}",
                f"{one['database']}, {one['workers']} worker{'s' if one['workers'] > 1 else ''}",
                f"{clock:.2f}",
                f"{one['size'] / clock:,.0f}",
                f"{median([_processor(item) for item in one['product']]):.2f}",
                f"{max(item['peak_mb'] for item in one['product']):,.0f}",
                f"{_clock(one['floor']):.2f}",
                f"**{one['ratio']:.2f}**",
                f"{one['processor_ratio']:.2f}",
                one["goal"] or "",
            ]
        )
    header = ("workload", "database", "s", "per s", "CPU s", "peak MB", "floor s", "ratio", "ratio of CPU s", "goal")
    return "### A whole cycle, beside its floor: `python -m benchmarks.cycle`\n\n" + table(header, rows) if rows else ""


def _processor(one: dict[str, Any]) -> float:
    return sum(float(cost["client"]) + float(cost["server"]) for cost in one["costs"].values())


def step_section() -> str:
    """Return what each step of the cycles takes."""
    rows = []
    for one in cycles():
        for step in one["product"][0]["costs"]:
            costs = [item["costs"][step] for item in one["product"]]
            clock = median([cost["clock"] for cost in costs])
            rows.append(
                [
                    f"{one['workload']}, {one['database']}, {one['workers']}",
                    step,
                    f"{clock:.2f}",
                    f"{one['size'] / clock:,.0f}",
                    f"{median([cost['client'] for cost in costs]):.2f}",
                    f"{median([cost['server'] for cost in costs]):.2f}",
                ]
            )
    header = ("workload, database, workers", "step", "s", "per s", "client CPU s", "server CPU s")
    return "### Its steps\n\n" + table(header, rows) if rows else ""


def calibration_section() -> str:
    """Return how near the floor is to the fastest road of each driver."""
    rows = []
    for one in filter(None, (kept(f"calibration_{dialect}") for dialect in DIALECTS)):
        rates = ", ".join(f"{name} {rate:,.0f}" for name, rate in one["rows_per_second"].items())
        rows.append([one["database"], rates, f"{one['floor']:.0%}"])
    header = ("database", "rows per second of a plain table", "floor, of the fastest")
    return "### Is the floor fast enough?\n\nAt least 90 % are needed.\n\n" + table(header, rows) if rows else ""


def intake_section() -> str:
    """Return how fast intake alone is."""
    rows = []
    for dialect in DIALECTS:
        for again, told in (("", "an empty database"), ("_again", "as many records are there")):
            one = kept(f"intake_{dialect}{again}")
            if one is not None:
                rate, peak = f"**{one['rate']:,.0f}**", f"{max(item['peak_mb'] for item in one['product']):,.0f}"
                rows.append(
                    [f"{dialect}, {told}", f"{one['size']:,} calls", rate, f"{one['goal']:,}", f"{one['ratio']:.2f}", peak]
                )
    header = ("database", "size", "records per s", "goal", "times its raw floor", "peak MB")
    return "### Intake alone: `python -m benchmarks.intake`\n\n" + table(header, rows) if rows else ""


def rating_section() -> str:
    """Return how fast rating alone is."""
    one = kept("rating")
    if one is None:
        return ""
    rows = []
    for road in one["roads"]:
        kernel = f"{road['product'] / road['kernel']:.2f}" if road["kernel"] else ""
        goal = f"{road['wanted'] / 1e6:g}" if road["wanted"] else ""
        rows.append([road["road"], road["unit"], f"**{road['count'] / road['product'] / 1e6:.2f}**", goal, kernel])
    header = ("road", "what", "million per CPU second", "goal", "times a NumPy kernel")
    return "### Rating alone: `python -m benchmarks.rating`\n\n" + table(header, rows)


def naive_section() -> str:
    """Return the comparison with the naive design."""
    rows = []
    for one in filter(None, (kept(f"naive_{dialect}") for dialect in DIALECTS)):
        ours, theirs = _clock(one["product"]), _clock(one["naive"])
        figures = (f"{ours:.2f}", f"{theirs:.2f}", f"**{one['ratio']:.1f}**", one["goal"])
        rows.append([one["database"], f"{one['size']:,} calls", *figures])
    header = ("database", "size", "ours, s", "naive, s", "times faster", "goal")
    return "### The usual design: `python -m benchmarks.naive`\n\n" + table(header, rows) if rows else ""


def peer_section() -> str:
    """Return the comparison with peers."""
    rows = []
    for name in ("hordak_bulk", "silver_issue", "ledger_commit"):
        one = kept(f"peer_{name}")
        if one is not None:
            seconds = median(one["seconds"])
            ratios = [f"{one['ratios'][what]:.1f}" for what in ("ledger", "entries", "post", "run")]
            goal = f"{one['goal']} times our {one['against']}"
            rows.append([one["peer"], one["database"], f"{one['size'] / seconds:,.0f}", *ratios, goal])
    header = ("peer", "database", "documents per s", "our ledger", "the same by entries", "our post", "our whole run", "goal")
    told = (
        "How many times faster ours is: entries alone, by columns and with a value for each posting; posting approved documents;"
        " the run from prices to posted documents."
    )
    return f"### Peers: `python -m benchmarks.peers`\n\n{told}\n\n" + table(header, rows) if rows else ""


def growth_section() -> str:
    """Return the exponents of growth."""
    rows = []
    for one in filter(None, (kept(f"growth_{dialect}") for dialect in DIALECTS)):
        sizes = sorted(map(int, one["intake"]))
        for step in ("intake", "rate_to_post"):
            seconds = ", ".join(f"{size:,}: {one[step][str(size)]:.2f} s" for size in sizes)
            label = step.replace("_", "-")
            rows.append([one["database"], label, seconds, f"**{one['exponents'][step]:.2f}**", one["goals"][step]])
        peaks = ", ".join(f"{size:,}: {one['peaks'][str(size)]:,.0f} MB" for size in sizes)
        rows.append([one["database"], "peak memory", peaks, "", ""])
    header = ("database", "step", "records", "exponent", "goal")
    return "### Growth: `python -m benchmarks.growth`\n\n" + table(header, rows) if rows else ""


def worker_section() -> str:
    """Return what two workers and Dask gain."""
    one = kept("workers")
    if one is None:
        return ""
    workers = one["workers"]
    rows = [
        [f"{workers} processes against one", step, f"**{gain:.2f}** times as fast", f"at least {one['goal']}"]
        for step, gain in one["gains"].items()
    ]
    rows.append(
        ["Dask against local processes", "rate, post", f"**{one['dask']:.2f}** times as long", f"at most {one['dask_goal']}"]
    )
    return "### Workers on PostgreSQL: `python -m benchmarks.workers`\n\n" + table(("what", "step", "measured", "goal"), rows)


def write_plots(folder: Path) -> Iterator[str]:
    """Write the plots of what is kept into a folder, and yield the lines of the page that show them."""
    by_size, by_file = [], []
    for one in filter(None, (kept(f"growth_{dialect}") for dialect in DIALECTS)):
        for step in ("intake", "rate_to_post"):
            points = tuple((float(size), one[step][size]) for size in sorted(one[step], key=int))
            name = f"{step.replace('_', '-')} on {one['database']}, exponent {one['exponents'][step]:.2f}"
            by_size.append(Series(name=name, points=points))
        largest = max(one["rounds"], key=int)
        curve = one["rounds"][largest][0]["curve"]
        if len(curve) > 1:
            points = tuple((float(number), seconds) for number, seconds in enumerate(curve, start=1))
            by_file.append(Series(name=f"intake on {one['database']}", points=points))
    if by_size:
        (folder / "performance_growth.svg").write_text(growth_plot(by_size, by_file), encoding="utf-8")
        yield "![Growth of seconds with records](performance_growth.svg)"
    bars = [_bar(one) for one in cycles()]
    if bars:
        plot = bars_plot("Where the time goes: each step, in multiples of the floor", bars, mark=1.0, mark_name="floor")
        (folder / "performance_time.svg").write_text(plot, encoding="utf-8")
        yield "![Where the time goes](performance_time.svg)"


def _bar(one: dict[str, Any]) -> Bar:
    floor = _clock(one["floor"])
    parts = {step: _clock(one["product"], [step]) / floor for step in one["product"][0]["costs"]}
    label = f"{one['workload']}, {one['database']}, {one['workers']}"
    return Bar(label=label, parts=parts, note=f"{sum(parts.values()):.1f}")


def figures(folder: Path) -> str:
    """Return all tables and plots of what is kept; the plots are written into a folder."""
    sections = (
        cycle_section(),
        "\n\n".join(write_plots(folder)),
        step_section(),
        calibration_section(),
        intake_section(),
        rating_section(),
        naive_section(),
        peer_section(),
        growth_section(),
        worker_section(),
    )
    return "\n\n".join(section for section in sections if section)


def write_page() -> None:
    """Put the figures into the page, between its marks."""
    text = PAGE.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    PAGE.write_text(f"{head}{BEGIN}\n\n{figures(DOCS)}\n\n{END}{tail}", encoding="utf-8")


def main() -> None:
    """Measure where that is asked for, then write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--measure", action="store_true", help="run the benchmarks first")
    parser.add_argument("--quick", action="store_true", help="run them at small sizes; the page is not written")
    options = parser.parse_args()
    if options.measure or options.quick:
        measure(quick=options.quick)
    if options.quick:
        print(figures(RESULTS))
    else:
        write_page()
        print(f"figures of {RESULTS} are in {PAGE}")


if __name__ == "__main__":
    main()
