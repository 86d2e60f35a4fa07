"""Settings of the plugin: table ``[plugin.new_trade]`` of ``billing.toml``."""

from __future__ import annotations

from fractions import Fraction

import attrs


@attrs.frozen(kw_only=True)
class Settings:
    """What a deployment may set.

    Attributes:
        step: hours are rounded up to multiples of it, job by job.
        longest: a job of more hours is reported; it is most likely mistyped.
    """

    step: Fraction = attrs.field(default=Fraction(1, 4), validator=attrs.validators.gt(Fraction(0)))
    longest: Fraction = Fraction(24)
