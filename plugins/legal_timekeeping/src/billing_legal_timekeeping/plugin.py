"""What the plugin offers to the framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from billing_framework import CodePage, Exporter, Rater, RateTableKind, Reader, UsageKind, hookimpl, read_codes
from billing_legal_timekeeping.formats.entry_csv import EXPENSE_CSV, TIME_CSV
from billing_legal_timekeeping.formats.entry_json import ENTRY_JSON
from billing_legal_timekeeping.kinds import EXPENSE, TIME_ENTRY
from billing_legal_timekeeping.ledes.write import LEDES_1998B
from billing_legal_timekeeping.rating.rate import RATER
from billing_legal_timekeeping.settings import LegalSettings
from billing_legal_timekeeping.tables import rate_table_kinds


@hookimpl
def billing_settings() -> type:
    """Offer the settings in ``[plugin.legal_timekeeping]``."""
    return LegalSettings


@hookimpl
def billing_codes() -> Sequence[CodePage]:
    """Offer the pages of the codes LEGAL01 and up."""
    text = (resources.files("billing_legal_timekeeping") / "codes.toml").read_text(encoding="utf-8")
    return list(read_codes(text, source="billing_legal_timekeeping/codes.toml").values())


@hookimpl
def billing_usage_kinds() -> Sequence[UsageKind]:
    """Offer time entries and expenses."""
    return TIME_ENTRY, EXPENSE


@hookimpl
def billing_readers() -> Sequence[Reader]:
    """Offer the file formats."""
    return TIME_CSV, EXPENSE_CSV, ENTRY_JSON


@hookimpl
def billing_rate_tables() -> Sequence[RateTableKind]:
    """Offer people, prices of an hour, prices of the firm's own costs, and sets of codes."""
    return list(rate_table_kinds())


@hookimpl
def billing_raters() -> Sequence[Rater]:
    """Offer the rater of both kinds, which also prices the plugin's models."""
    return (RATER,)


@hookimpl
def billing_exporters() -> Sequence[Exporter]:
    """Offer the e-bill of legal departments."""
    return (LEDES_1998B,)
