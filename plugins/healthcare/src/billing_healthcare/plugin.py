"""What the plugin offers to the framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from billing_framework import AnswerReader, CodePage, Exporter, Rater, RateTableKind, Reader, UsageKind, hookimpl, read_codes
from billing_healthcare.claims.export import X12_837P
from billing_healthcare.claims.statement import PATIENT_STATEMENT
from billing_healthcare.intake.encounter_csv import ENCOUNTER_CSV
from billing_healthcare.intake.encounter_json import ENCOUNTER_JSON
from billing_healthcare.kinds import usage_kinds
from billing_healthcare.pricing.rate import RATER
from billing_healthcare.remittance.answers import X12_835
from billing_healthcare.settings import HealthcareSettings
from billing_healthcare.tables.kinds import rate_table_kinds


@hookimpl
def billing_settings() -> type:
    """Offer who sends claims, and where to."""
    return HealthcareSettings


@hookimpl
def billing_codes() -> Sequence[CodePage]:
    """Offer the pages of the codes HEALTH01 and up."""
    text = (resources.files("billing_healthcare") / "codes.toml").read_text(encoding="utf-8")
    return list(read_codes(text, source="billing_healthcare/codes.toml").values())


@hookimpl
def billing_usage_kinds() -> Sequence[UsageKind]:
    """Offer encounters and their service lines."""
    return usage_kinds()


@hookimpl
def billing_readers() -> Sequence[Reader]:
    """Offer the file formats of encounters."""
    return ENCOUNTER_JSON, ENCOUNTER_CSV


@hookimpl
def billing_rate_tables() -> Sequence[RateTableKind]:
    """Offer charge master, fee schedules, relative values, locality and conversion factors."""
    return rate_table_kinds()


@hookimpl
def billing_raters() -> Sequence[Rater]:
    """Offer the rater of encounters, which prices by contracts itself."""
    return (RATER,)


@hookimpl
def billing_exporters() -> Sequence[Exporter]:
    """Offer professional claims, and what they leave to patients."""
    return X12_837P, PATIENT_STATEMENT


@hookimpl
def billing_answer_readers() -> Sequence[AnswerReader]:
    """Offer remittances."""
    return (X12_835,)
