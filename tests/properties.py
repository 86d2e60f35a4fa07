"""How long and how often a test of a property is tried: as long as an example needs, and more often in the long form."""

import os

from hypothesis import HealthCheck, settings

LONG = "BILLING_LONG_PROPERTIES"
"""The environment variable that asks for the long form; ``make torture`` sets it."""

_USUAL = 100
_FEW = 10
_SHARE, _TIMES = 3, 5


def unhurried() -> None:
    """Take the clock away from all tests of properties: a slow machine is no fault of the code.

    Hypothesis gives an example 200 ms and refuses what is slow to draw, which fails at random on a machine that does other work.
    A test that says more by ``@settings`` takes over what holds when its module is imported, so that a conftest calls this.
    """
    settings.register_profile(
        "billing", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=examples(_USUAL)
    )
    settings.load_profile("billing")


def examples(usual: int) -> int:
    """Return how many examples a property is tried with: a third of the usual number in each run, five times it in the long form.

    Each run draws others, so that what a run leaves out the next ones try.
    """
    if os.environ.get(LONG):
        return usual * _TIMES
    return max(usual // _SHARE, min(usual, _FEW))
