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
from collections.abc import Iterator
from pathlib import Path

from tests.crash.trial import OnPostgresql, OnSqlite, Outcome, Place, Victims, reference, trial
from tests.postgres_server import start_server

TRIALS = 200
OPTIONS = "--database {name} --seed {seed} --only {number}"
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
        yield OnPostgresql(server)
    finally:
        server.stop()


def torture(name: str, seed: int, numbers: range) -> tuple[str, list[Outcome]]:
    """Do the trials of one database, and return the digest of the run and what each came to."""
    victims = Victims()
    try:
        with place_of(name) as place:
            known = reference(place, victims)
            outcomes = []
            for number in numbers:
                outcome = trial(place, victims, known, f"{seed}/{name}/{number}")
                outcomes.append(outcome)
                if outcome.wrong:
                    _tell(outcome, OPTIONS.format(name=name, seed=seed, number=number))
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
    parser.add_argument("--only", type=int, default=-1, help="only the trial with this number")
    given = parser.parse_args()
    numbers = range(given.trials) if given.only < 0 else range(given.only, given.only + 1)
    sys.stdout.write(f"seed {given.seed}\n")
    digests, bad = set(), 0
    for name in given.database or _ALL:
        began = time.monotonic()
        digest, outcomes = torture(name, given.seed, numbers)
        digests.add(digest)
        bad += sum(bool(outcome.wrong) for outcome in outcomes)
        sys.stdout.write(f"{name}: {len(outcomes)} trials in {time.monotonic() - began:.0f} s, digest {digest[:16]}\n")
        happened: Counter[str] = Counter()
        for outcome in outcomes:
            happened.update(outcome.happened)
        for what, count in sorted(happened.items()):
            sys.stdout.write(f"  {count:5} {what}\n")
        sys.stdout.write(f"  {sum(happened.values()):5} in all; wrong trials: {sum(bool(one.wrong) for one in outcomes)}\n")
    if len(digests) > 1:
        sys.stdout.write("WRONG: the databases have different digests\n")
    return int(bool(bad) or len(digests) > 1)


if __name__ == "__main__":
    sys.exit(main())
