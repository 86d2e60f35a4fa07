"""The charge models of the core, in the order in which the reference shows them."""

from __future__ import annotations

from billing_framework.rating.models_calendar import ONE_TIME, RECURRING
from billing_framework.rating.models_commitment import COMMITMENT
from billing_framework.rating.models_derived import MAXIMUM, MINIMUM, PERCENTAGE
from billing_framework.rating.models_tiered import GRADUATED, STEPPED, VOLUME
from billing_framework.rating.models_usage import INCLUDED, PACKAGE, PER_UNIT
from billing_framework.rating.pricing import ChargeModel


def core_models() -> tuple[ChargeModel, ...]:
    """Return the charge models that every deployment has; plugins add theirs under their own prefix."""
    return (
        ONE_TIME,
        RECURRING,
        PER_UNIT,
        GRADUATED,
        VOLUME,
        STEPPED,
        PACKAGE,
        INCLUDED,
        PERCENTAGE,
        MINIMUM,
        MAXIMUM,
        COMMITMENT,
    )
