"""The workshop with a rater that never returns at jobs of one length, and cannot be interrupted there either."""

from __future__ import annotations

import signal
import time
from fractions import Fraction

import attrs

from billing_framework import BillingGroup, Rater, Rating, hookimpl
from billing_framework.rating.measure_rater import measure_rater
from tests.scenarios.workshop import billing_readers, billing_usage_kinds

__all__ = ["billing_raters", "billing_readers", "billing_usage_kinds"]

ENDLESS = Fraction(13)
_MEASURED = measure_rater("job", "hours", "hour", "hours")


def rate(group: BillingGroup) -> Rating:
    """Rate as the workshop does, or never return."""
    if any(record.usage.body.hours == ENDLESS for usage in group.agreements for record in usage.of_kind("job")):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
        while True:
            time.sleep(1)
    return _MEASURED.rate(group)


@hookimpl
def billing_raters() -> list[Rater]:
    return [attrs.evolve(_MEASURED, rate=rate)]
