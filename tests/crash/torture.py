"""The long form of the trials: ``python -m tests.crash.torture``, or ``make torture``.

Prints a table of what happened, and ends with 1 where a trial went wrong; the story of such a trial, and the command that repeats
it, are printed.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.crash.trial import OnPostgresql, OnSqlite, Outcome, Place, Victims, reference, trial
from tests.postgres_server import start_server

TRIALS = 200
TRIALS_BY_WORKERS = 10
WORKERS = 2
OPTIONS = "--database {name} --seed {seed} --workers {workers} --only {number}"
"""Repeats one trial."""

_ALL = ("sqlite", "postgresql")


@contextlib.contextmanager
def place_of(name: str) -> Iterator[Place]:
    """Set the world up on a database of its own, and remove it."""
    if name == "sqlite":
        memory = Path("/dev/shm")  # noqa: S108  a folder of its own is made inside
        with tempfile.TemporaryDirectory(prefix="billing-torture-", dir=memory if memory.is_dir() else None) as folder:
            yield OnSqlite(Path(folder))
        return
    server = start_server(keeps_commits=True)
    try:
        with tempfile.TemporaryDirectory(prefix="billing-torture-") as folder:
            yield OnPostgresql(server, Path(folder))
    finally:
        server.stop()


def torture(name: str, seed: int, numbers: range, *, workers: int = 0) -> tuple[str, list[Outcome]]:
    """Do the trials of one database, and return the digest of the run and what each came to.

    Args:
        name: ``sqlite`` or ``postgresql``.
        seed: decides what happens.
        numbers: numbers of the trials.
        workers: number of worker processes that draft and post; 0 where each process does it itself.
    """
    victims = Victims()
    try:
        with place_of(name) as place:
            known = reference(place, victims, workers=workers)
            outcomes = []
            for number in numbers:
                outcome = trial(place, victims, known, f"{seed}/{name}/{workers}/{number}")
                outcomes.append(outcome)
                if outcome.wrong:
                    _tell(outcome, OPTIONS.format(name=name, seed=seed, number=number, workers=workers))
    finally:
        victims.close()
    return known.digest, outcomes


def _tell(outcome: Outcome, options: str) -> None:
    lines = [f"WRONG in trial {outcome.seed}:", *outcome.wrong, "what had happened:", *outcome.story]
    sys.stdout.write("\n  ".join(lines) + f"\nrepeat it: python -m tests.crash.torture {options}\n")


def main() -> int:
    """Read the options, do the trials, print the table."""
    parser = argparse.ArgumentParser(description="Kill, interrupt and cut off the billing desk, and prove that it goes on.")
    parser.add_argument("--database", action="append", choices=_ALL, help="one database only")
    parser.add_argument("--trials", type=int, default=TRIALS, help="number of trials for each database")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="decides what happens; printed when it is not given")
    parser.add_argument("--workers", action="append", type=int, help="worker processes that draft and post; 0 for none")
    parser.add_argument("--only", type=int, default=-1, help="only the trial with this number")
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n")
    digests, bad = set(), 0
    for workers in given.workers or (0, WORKERS):
        trials = TRIALS_BY_WORKERS if workers and given.trials == TRIALS else given.trials
        numbers = range(trials) if given.only < 0 else range(given.only, given.only + 1)
        for name in given.database or _ALL:
            began = time.monotonic()
            digest, outcomes = torture(name, given.seed, numbers, workers=workers)
            digests.add(digest)
            bad += sum(bool(outcome.wrong) for outcome in outcomes)
            sys.stdout.write(f"{name}, {workers} worker processes: {len(outcomes)} trials in {time.monotonic() - began:.0f} s\n")
            sys.stdout.write("".join(f"  {line}\n" for line in _table(outcomes)))
            sys.stdout.flush()
    sys.stdout.write(f"digest {', '.join(sorted(digests))}; wrong trials: {bad}\n")
    return int(bool(bad) or len(digests) > 1)


def _table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    happened: Counter[str] = Counter()
    for outcome in outcomes:
        happened.update(outcome.happened)
    yield from (f"{count:5} {what}" for what, count in sorted(happened.items()))
    yield f"{sum(happened.values()):5} in all; wrong trials: {sum(bool(one.wrong) for one in outcomes)}"


if __name__ == "__main__":
    sys.exit(main())
