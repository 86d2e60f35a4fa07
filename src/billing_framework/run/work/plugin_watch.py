"""Times the calls of plugins while a shard is drafted, and ends those that take too long where a process can be interrupted.

A worker process does nothing but shards, so a call that hangs in it is ended from within, by the clock; only the group at which
it hangs is held. In the process of the command itself, and in threads, such a call is only told. Neither is part of a digest.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import attrs

from billing_framework.values.call_watch import PluginOverran
from billing_framework.values.finding import Finding, Severity

T = TypeVar("T")

_CORE = "core"
_TICKS_PER_BUDGET = 4
_NANOSECONDS = 1_000_000_000


@attrs.define
class PluginWatch:
    """Notes how long each call of a plugin takes.

    Attributes:
        budget: seconds that a call may take.
        told: what is to be told, each fault of a plugin once.
        by_reference: rater to the number of accounts at which its columnar twin failed.
    """

    budget: int
    told: dict[tuple[str, str], Finding] = attrs.field(factory=dict)
    by_reference: Counter[str] = attrs.field(factory=Counter)
    _began: int = 0

    def call(self, plugin: str, what: str, function: Callable[[], T]) -> T:
        """Return what the function returns, and take note where it takes longer than the budget."""
        if plugin == _CORE:
            return function()
        began = self._began = time.monotonic_ns()
        try:
            return function()
        finally:
            self._began = 0
            seconds = (time.monotonic_ns() - began) // _NANOSECONDS
            if seconds >= self.budget:
                self.tell(_slow(plugin, what, seconds, self.budget))

    def tell(self, finding: Finding) -> None:
        """Take note of a finding."""
        self.told.setdefault((finding.code, finding.what), finding)

    def fell_back(self, rater: str, accounts: int) -> None:
        """Count accounts that the reference of a rater rates, because its columnar twin failed at them."""
        self.by_reference[rater] += accounts

    def end_if_late(self, *_: object) -> None:
        """End the call under way where it has taken longer than the budget.

        Raises:
            PluginOverran: in the middle of the call.
        """
        if self._began and time.monotonic_ns() - self._began > self.budget * _NANOSECONDS:
            raise PluginOverran(self.budget)


def _slow(plugin: str, what: str, seconds: int, budget: int) -> Finding:
    return Finding(
        code="PLUGIN20",
        severity=Severity.INFORMATION,
        what=f"{what} of plugin {plugin} took {seconds} s; {budget} s are allowed",
        remedy="Report it to the authors of the plugin, or allow more: run.plugin_budget_seconds",
        value=plugin,
    )


@contextmanager
def plugins_watched(budget: int) -> Iterator[PluginWatch]:
    """Watch the calls of plugins inside the block, and end those that take too long where this is a worker process.

    Args:
        budget: seconds that a call may take.
    """
    watch = PluginWatch(budget)
    is_worker = multiprocessing.parent_process() is not None and threading.current_thread() is threading.main_thread()
    if not is_worker:
        yield watch
        return
    before = signal.signal(signal.SIGALRM, watch.end_if_late)
    tick = budget / _TICKS_PER_BUDGET
    signal.setitimer(signal.ITIMER_REAL, tick, tick)
    try:
        yield watch
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
