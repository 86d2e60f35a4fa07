"""What the plugin offers to the framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from billing_framework import (
    ChargeModel,
    CodePage,
    DraftDocument,
    Note,
    Rater,
    Reader,
    ReviewCheck,
    UnitDefinition,
    UsageKind,
    hookimpl,
    read_codes,
)
from billing_utility_metering.formats.green_button import GREEN_BUTTON
from billing_utility_metering.formats.nem12_reader import NEM12
from billing_utility_metering.formats.nem13 import NEM13
from billing_utility_metering.formats.register_csv import REGISTER_CSV
from billing_utility_metering.kinds import usage_kinds
from billing_utility_metering.pricing.demand import DEMAND
from billing_utility_metering.pricing.seasonal_tiers import SEASONAL_TIERS
from billing_utility_metering.pricing.tiered_time_of_use import TIERED_TIME_OF_USE
from billing_utility_metering.pricing.time_of_use import TIME_OF_USE
from billing_utility_metering.rating.rate import RATER
from billing_utility_metering.review import estimate_notes, review_checks
from billing_utility_metering.settings import UtilitySettings
from billing_utility_metering.units import unit_definitions


@hookimpl
def billing_settings() -> type:
    """Offer the settings of metering."""
    return UtilitySettings


@hookimpl
def billing_codes() -> Sequence[CodePage]:
    """Offer the pages of the codes UTIL01 and up."""
    text = (resources.files("billing_utility_metering") / "codes.toml").read_text(encoding="utf-8")
    return list(read_codes(text, source="billing_utility_metering/codes.toml").values())


@hookimpl
def billing_units() -> Sequence[UnitDefinition]:
    """Offer the units of energy, power and volume."""
    return unit_definitions()


@hookimpl
def billing_usage_kinds() -> Sequence[UsageKind]:
    """Offer interval days, register reads and spans between reads."""
    return usage_kinds()


@hookimpl
def billing_readers() -> Sequence[Reader]:
    """Offer the file formats."""
    return NEM12, NEM13, GREEN_BUTTON, REGISTER_CSV


@hookimpl
def billing_raters() -> Sequence[Rater]:
    """Offer the rater of all three kinds."""
    return (RATER,)


@hookimpl
def billing_charge_models() -> Sequence[ChargeModel]:
    """Offer time of use, tiers with time of use, tiers by season, and demand."""
    return TIME_OF_USE, TIERED_TIME_OF_USE, SEASONAL_TIERS, DEMAND


@hookimpl
def billing_review_checks() -> Sequence[ReviewCheck]:
    """Offer checks of consumption against its own history."""
    return review_checks()


@hookimpl
def billing_documents_drafted(documents: Sequence[DraftDocument]) -> Sequence[Note]:
    """Add a note to documents with estimated consumption."""
    return estimate_notes(documents)
