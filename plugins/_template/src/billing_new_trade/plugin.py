"""What the plugin offers to the framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from billing_framework import CodePage, Rater, Reader, UsageKind, hookimpl, read_codes

from billing_new_trade.formats import JOBS_CSV
from billing_new_trade.kinds import JOB
from billing_new_trade.rating import RATER
from billing_new_trade.settings import Settings


@hookimpl
def billing_settings() -> type:
    """Offer the settings."""
    return Settings


@hookimpl
def billing_codes() -> Sequence[CodePage]:
    """Offer the pages of the codes."""
    text = (resources.files("billing_new_trade") / "codes.toml").read_text(encoding="utf-8")
    return list(read_codes(text, source="billing_new_trade/codes.toml").values())


@hookimpl
def billing_usage_kinds() -> Sequence[UsageKind]:
    """Offer jobs."""
    return [JOB]


@hookimpl
def billing_readers() -> Sequence[Reader]:
    """Offer their file."""
    return [JOBS_CSV]


@hookimpl
def billing_raters() -> Sequence[Rater]:
    """Offer their rater."""
    return [RATER]
