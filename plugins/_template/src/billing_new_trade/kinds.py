"""What is delivered: the records that the plugin knows."""

from __future__ import annotations

import enum
from fractions import Fraction

import attrs
from billing_framework import UsageKind


class Grade(enum.Enum):
    """How fast the work was done; each grade has a price of its own."""

    STANDARD = "standard"
    EXPRESS = "express"


@attrs.frozen(kw_only=True)
class Job:
    """One piece of delivered work.

    Attributes:
        hours: how long it took; zero where it was called off.
        grade: how fast it was done.
    """

    hours: Fraction = attrs.field(validator=attrs.validators.ge(Fraction(0)))
    grade: Grade = Grade.STANDARD


JOB = UsageKind(name="new_trade_job", title="One piece of delivered work", body=Job)
