"""What a step costs: seconds by the clock, processor seconds here and at the database server, and the peak of memory.

Every side of a comparison runs in a process of its own, so that its peak of memory is its own. Processor seconds include those
of worker processes that have ended; those of the server are the sum over its process and all that it has started.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import attrs

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

RESULTS = Path(__file__).parents[1] / "build" / "bench"
_SETTLE_SECONDS = 0.2
_TICKS = os.sysconf("SC_CLK_TCK")


@attrs.frozen(kw_only=True)
class Cost:
    """What one step took, in seconds.

    Attributes:
        clock: by the clock.
        client: of processors, by this process and its workers.
        server: of processors, by the database server.
    """

    clock: float
    client: float
    server: float = 0.0

    @property
    def processor(self) -> float:
        """Processor seconds of both."""
        return self.client + self.server


@attrs.frozen(kw_only=True)
class Round:
    """One round of one side.

    Attributes:
        costs: name of a step to its cost, in the order of the steps.
        peak_mb: highest resident memory of the process, or of the largest that it has started and waited for, in megabytes.
        facts: what the round made: counts and totals, which must be the same in every round.
        curve: seconds of each of several files, where there were several.
        peaks_mb: name of a step to its own peak, where each was a process.
    """

    costs: dict[str, Cost]
    peak_mb: float
    facts: dict[str, Any] = attrs.field(factory=dict)
    curve: tuple[float, ...] = ()
    peaks_mb: dict[str, float] = attrs.field(factory=dict)

    @property
    def clock(self) -> float:
        """Seconds of all steps by the clock."""
        return sum(cost.clock for cost in self.costs.values())

    @property
    def processor(self) -> float:
        """Processor seconds of all steps, here and at the server."""
        return sum(cost.processor for cost in self.costs.values())


@attrs.define(kw_only=True)
class Meter:
    """Measures the steps of one round.

    Attributes:
        server: process id of the database server, 0 where there is none.
        costs: what was measured so far.
        curve: seconds of each time that the first step was measured.
    """

    server: int = 0
    costs: dict[str, Cost] = attrs.field(factory=dict)
    curve: list[float] = attrs.field(factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measure the block as a step, or as a further part of a step."""
        client, server, clock = _client_seconds(), _server_seconds(self.server), time.perf_counter()
        yield
        clock = time.perf_counter() - clock
        if self.server:
            time.sleep(_SETTLE_SECONDS)  # a session that has just ended is counted once its server has taken note of it
        if not self.costs or name == next(iter(self.costs)):
            self.curve.append(clock)
        before = self.costs.get(name, Cost(clock=0, client=0))
        self.costs[name] = Cost(
            clock=before.clock + clock,
            client=before.client + _client_seconds() - client,
            server=max(before.server + _server_seconds(self.server) - server, 0.0),
        )

    def done(self, **facts: Any) -> Round:
        """Return the round."""
        return Round(costs=self.costs, peak_mb=_peak_mb(), facts=facts, curve=tuple(self.curve))


def in_turn(steps: Mapping[str, Round]) -> Round:
    """Return as one round what each step took that was a process of its own; the curve is that of the first."""
    peaks = {name: one.peak_mb for name, one in steps.items()}
    return Round(
        costs={name: cost for one in steps.values() for name, cost in one.costs.items()},
        peak_mb=max(peaks.values()),
        facts={name: fact for one in steps.values() for name, fact in one.facts.items()},
        curve=next(one.curve for one in steps.values()),
        peaks_mb=peaks,
    )


def apart(function: Callable[Arguments, Result], *args: Arguments.args, **options: Arguments.kwargs) -> Result:
    """Return what a function returns that runs in a fresh process."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **options).result()


def _client_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages) + _children_seconds(os.getpid())


def _server_seconds(server: int) -> float:
    """Return the processor seconds of the server: its own, its living processes', and those of its ended ones."""
    return _stat_seconds(Path(f"/proc/{server}"))[1] + _children_seconds(server) if server else 0.0


def _children_seconds(parent: int) -> float:
    """Return the processor seconds of the living children of a process, with their own ended ones: workers are copies of one."""
    found = (_stat_seconds(folder) for folder in Path("/proc").iterdir() if folder.name.isdecimal())
    return sum(seconds for mother, seconds in found if mother == parent)


def _stat_seconds(process: Path) -> tuple[int, float]:
    """Return who has started a process, and the processor seconds of it and its ended children; nothing where it has ended."""
    try:
        fields = (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0, 0.0  # it ended meanwhile; who has started it has its seconds
    return int(fields[1]), sum(map(int, fields[11:15])) / _TICKS


def _peak_mb() -> float:
    status = Path("/proc/self/status").read_text()
    own = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def median(values: Sequence[float]) -> float:
    """Return the median of some figures, 0 of none."""
    return statistics.median(values) if values else 0.0


def median_ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """Return the median of the ratios by the clock of rounds that stood side by side."""
    return median([one.clock / other.clock for one, other in zip(ours, theirs, strict=True)])


def processor_ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """Return the same ratio of processor seconds, which a busy machine disturbs less."""
    return median([one.processor / other.processor for one, other in zip(ours, theirs, strict=True)])


def rounds_table(title: str, rounds: Sequence[Round], *, count: int, unit: str) -> str:
    """Return a table of the medians of each step.

    Args:
        title: what was measured.
        rounds: its rounds, all with the same steps.
        count: how many of `unit` every step works on.
        unit: what is counted.
    """
    lines = [f"{title}: {len(rounds)} rounds of {count:,} {unit}", "  step              s      /s  client CPU s  server CPU s"]
    for name in rounds[0].costs:
        costs = [one.costs[name] for one in rounds]
        clock = median([cost.clock for cost in costs])
        lines.append(
            f"  {name:10} {clock:8.2f} {count / clock if clock else 0:9,.0f} {median([cost.client for cost in costs]):9.2f}"
            f" {median([cost.server for cost in costs]):13.2f}"
        )
    total = median([one.clock for one in rounds])
    each = " ".join(f"{name} {max(one.peaks_mb[name] for one in rounds):,.0f}" for name in rounds[0].peaks_mb)
    peak = max(one.peak_mb for one in rounds)
    lines.append(f"  {'all':10} {total:8.2f} {count / total:9,.0f}   peak {peak:,.0f} MB{f': {each}' if each else ''}")
    return "\n".join(lines)


def keep(name: str, content: Mapping[str, Any]) -> None:
    """Keep the figures of a benchmark, with when and on what they were taken, for the report."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    about = {
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "processors": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }
    (RESULTS / f"{name}.json").write_text(json.dumps({**about, **content}, indent=1) + "\n")


def kept(name: str) -> dict[str, Any] | None:
    """Return the kept figures of a benchmark, None where it has not run."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text()) if file.is_file() else None


def plain(one: Round) -> dict[str, Any]:
    """Return a round as a mapping of plain values."""
    return attrs.asdict(one)
