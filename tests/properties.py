"""How long a test of a property may take: as long as it needs."""

from hypothesis import HealthCheck, settings


def unhurried() -> None:
    """Take the clock away from all tests of properties: a slow machine is no fault of the code.

    Hypothesis gives an example 200 ms and refuses what is slow to draw, which fails at random on a machine that does other work.
    A test that says more by ``@settings`` takes over what holds when its module is imported, so that a conftest calls this.
    """
    settings.register_profile("billing", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("billing")
