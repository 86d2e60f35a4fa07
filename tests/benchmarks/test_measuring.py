"""Processor seconds are those of a process and of all workers that it, or a process that it has started, has made."""

from __future__ import annotations

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from benchmarks.measuring import Meter

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
