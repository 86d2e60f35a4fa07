"""Settings of the plugin: table ``[plugin.utility_metering]`` of ``billing.toml``."""

from __future__ import annotations

import enum
from fractions import Fraction

import attrs

from billing_framework import ValueRefused, exact

LONGEST_READ_WINDOW_DAYS = 45
"""How far around a period register reads are looked for; the framework gives a rater the reads in this reach."""


class Estimation(enum.Enum):
    """What is done about missing readings: ``NONE`` holds the account until they are there."""

    NONE = "none"


class Sharing(enum.Enum):
    """How consumption between two reads is shared to the parts of a period with different prices, by days.

    ``EXACT`` gives every part its exact share; ``WHOLE_UNITS`` gives whole units by largest remainder, so that the printed
    quantities sum to the difference of the reads.
    """

    EXACT = "exact"
    WHOLE_UNITS = "whole_units"


def _window(_settings: object, field: attrs.Attribute[int], days: int) -> None:
    if not 0 <= days <= LONGEST_READ_WINDOW_DAYS:
        raise ValueRefused("UTIL41", f"{field.name} must be 0 to {LONGEST_READ_WINDOW_DAYS}, not {days}")


def _positive(_settings: object, field: attrs.Attribute[Fraction], value: Fraction) -> None:
    if value <= 0:
        raise ValueRefused("UTIL41", f"{field.name} must be above zero, not {value}")


@attrs.frozen(kw_only=True)
class UtilitySettings:
    """What a deployment decides about metering.

    Attributes:
        read_window_days: how many days before the end of a period its closing read may lie, and after its start the first
            read of a new point.
        rollover_factor: a register that seems to have passed zero is believed up to this part of its capacity; above it the
            account is held (Oracle CC&B calls it the rollover threshold factor).
        estimate: what is done about missing readings.
        sharing: how consumption between two reads is shared to parts of a period.
    """

    read_window_days: int = attrs.field(default=5, validator=_window)
    rollover_factor: Fraction = attrs.field(default=Fraction(1, 2), converter=exact, validator=_positive)
    estimate: Estimation = Estimation.NONE
    sharing: Sharing = Sharing.EXACT
