"""A month whose processes are killed, interrupted or cut off at any point ends with the same books as one that was left alone.

This is the short form; ``make torture`` does 200 trials for each database.
"""

from __future__ import annotations

import pytest

from tests.crash.torture import OPTIONS, torture

SEED = 4
TRIALS = 4


@pytest.fixture(scope="module")
def digests() -> dict[str, str]:
    """Digest of the run by database, of those that were tortured in this process."""
    return {}


@pytest.mark.parametrize("name", ["sqlite", "postgresql"])
def test_whatever_happens_the_books_are_the_same(name: str, digests: dict[str, str]) -> None:
    digests[name], outcomes = torture(name, SEED, range(TRIALS))
    assert sum(sum(outcome.happened.values()) for outcome in outcomes) >= TRIALS
    for number, outcome in enumerate(outcomes):
        again = OPTIONS.format(name=name, seed=SEED, number=number, workers=0)
        told = "\n".join([*outcome.wrong, *outcome.story, f"python -m tests.crash.torture {again}"])
        assert not outcome.wrong, told
    assert len(set(digests.values())) == 1
