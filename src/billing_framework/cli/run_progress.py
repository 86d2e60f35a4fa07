"""Live progress of a run: a bar with rate and remaining time on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

import attrs
import click

LOG_SECONDS = 10


@attrs.define
class _Pace:
    """How fast it goes, counted from the first that was told.

    Attributes:
        started: seconds of the monotonic clock at the first.
        before: what was done by then.
    """

    started: int | None = None
    before: int = 0

    def told(self, done: int) -> tuple[int, int]:
        """Return the seconds since the first, and how much was done in them."""
        now = time.monotonic_ns() // 1_000_000_000
        if self.started is None:
            self.started, self.before = now, done
        return now - self.started, done - self.before


@contextmanager
def run_progress(label: str, unit: str, *, every_seconds: int = LOG_SECONDS) -> Iterator[Callable[[int, int], None]]:
    """Show how far a run has come on the error stream, as long as the block lasts.

    Args:
        label: what is being done.
        unit: what is counted, for example ``accounts``.
        every_seconds: seconds between two lines where the error stream is no terminal.

    Yields:
        What is to be told how much of how much is done.
    """
    if not sys.stderr.isatty():
        yield _logged(label, unit, every_seconds)
        return
    pace = _Pace()
    with click.progressbar(length=1, label=label, file=sys.stderr, item_show_func=lambda item: item, show_pos=True) as bar:

        def show(done: int, of: int) -> None:
            seconds, made = pace.told(done)
            bar.length = max(of, 1)
            bar.update(done - bar.pos, f"{made // seconds} {unit}/s" if seconds and made else "")

        yield show


def _logged(label: str, unit: str, every_seconds: int) -> Callable[[int, int], None]:
    pace = _Pace()
    lines: list[int] = []

    def log(done: int, of: int) -> None:
        seconds, made = pace.told(done)
        if seconds - (lines[-1] if lines else 0) >= max(every_seconds, 0) and (seconds or not every_seconds):
            lines.append(seconds)
            with suppress(BrokenPipeError):  # who read it has gone; that is no reason to leave the work
                click.echo(f"{label}: {done} of {of} {unit}{_rate(seconds, made, of - done, unit)}", err=True)

    return log


def _rate(seconds: int, made: int, left: int, unit: str) -> str:
    if not seconds or not made:
        return ""
    return f", {made // seconds} {unit}/s, {timedelta(seconds=left * seconds // made)} left"
