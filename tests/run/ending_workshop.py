"""The workshop with a rater that ends its process at jobs of one length, as native code does that fails."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import attrs

from billing_framework import BillingGroup, Rater, Rating, hookimpl
from billing_framework.rating.measure_rater import measure_rater
from tests.scenarios.workshop import billing_readers, billing_usage_kinds

__all__ = ["billing_raters", "billing_readers", "billing_usage_kinds"]

FATAL = Fraction(13)
ONCE = "ENDS_ONCE_EACH"
"""Where this is set in the environment, to a folder, the process ends at each such account once, as by a passing fault."""
_MEASURED = measure_rater("job", "hours", "hour", "hours")


def rate(group: BillingGroup) -> Rating:
    """Rate as the workshop does, or end the process."""
    if any(record.usage.body.hours == FATAL for usage in group.agreements for record in usage.of_kind("job")):
        seen = Path(os.environ.get(ONCE, "")) / group.agreements[0].agreement.code
        if ONCE not in os.environ:
            os.abort()
        if not seen.exists():
            seen.touch()
            os.abort()
    return _MEASURED.rate(group)


@hookimpl
def billing_raters() -> list[Rater]:
    return [attrs.evolve(_MEASURED, rate=rate)]
