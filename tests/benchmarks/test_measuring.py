"""Processor seconds are those of a process and of all workers that it, or a process that it has started, has made."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from benchmarks.measuring import Cost, Meter, Round, in_turn

SECONDS = 0.4


def work(seconds: float) -> float:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass
    return seconds


@pytest.mark.parametrize("start", ["spawn", "forkserver"])
def test_workers_are_counted_however_they_are_started(start: str) -> None:
    meter = Meter()
    with meter.step("work"):
        with ProcessPoolExecutor(2, mp_context=get_context(start)) as pool:
            assert list(pool.map(work, [SECONDS, SECONDS])) == [SECONDS, SECONDS]
        time.sleep(0.2)  # until who has started them has taken note of their end
    assert meter.costs["work"].client >= 2 * SECONDS


def test_steps_that_were_processes_make_one_round() -> None:
    intake = Round(costs={"intake": Cost(clock=2, client=1)}, peak_mb=300, curve=(0.5, 1.5))
    post = Round(costs={"post": Cost(clock=4, client=2)}, peak_mb=200, curve=(4,), facts={"documents": 3})
    done = in_turn({"intake": intake, "post": post})
    assert (list(done.costs), done.clock, done.curve, done.facts) == (["intake", "post"], 6, (0.5, 1.5), {"documents": 3})
    assert (done.peak_mb, done.peaks_mb) == (300, {"intake": 300, "post": 200})
