"""What the plugin offers to the framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from billing_framework import CodePage, Rater, Reader, UsageKind, hookimpl, read_codes

from billing_cloud_storage.formats import BUCKETS_CSV
from billing_cloud_storage.kinds import BUCKET_DAY
from billing_cloud_storage.rating import RATER
from billing_cloud_storage.settings import Settings


@hookimpl
def billing_settings() -> type:
    """Offer the settings."""
    return Settings


@hookimpl
def billing_codes() -> Sequence[CodePage]:
    """Offer the pages of the codes."""
    text = (resources.files("billing_cloud_storage") / "codes.toml").read_text(encoding="utf-8")
    return list(read_codes(text, source="billing_cloud_storage/codes.toml").values())


@hookimpl
def billing_usage_kinds() -> Sequence[UsageKind]:
    """Offer bucket days."""
    return [BUCKET_DAY]


@hookimpl
def billing_readers() -> Sequence[Reader]:
    """Offer their file."""
    return [BUCKETS_CSV]


@hookimpl
def billing_raters() -> Sequence[Rater]:
    """Offer their rater."""
    return [RATER]
