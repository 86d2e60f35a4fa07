"""What the plugin offers to the framework."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

from billing_framework import CodePage, Rater, RateTableKind, Reader, ReviewCheck, UsageKind, hookimpl, read_codes
from billing_telecom_usage.deck.table import DECK
from billing_telecom_usage.formats.asterisk import ASTERISK
from billing_telecom_usage.formats.freeswitch import FREESWITCH
from billing_telecom_usage.formats.mapped import MAPPED
from billing_telecom_usage.kinds import usage_kinds
from billing_telecom_usage.rating.rate import RATER
from billing_telecom_usage.review import review_checks
from billing_telecom_usage.settings import TelecomSettings


@hookimpl
def billing_settings() -> type:
    """Offer the settings of calls."""
    return TelecomSettings


@hookimpl
def billing_codes() -> Sequence[CodePage]:
    """Offer the pages of the codes TEL01 and up."""
    text = (resources.files("billing_telecom_usage") / "codes.toml").read_text(encoding="utf-8")
    return list(read_codes(text, source="billing_telecom_usage/codes.toml").values())


@hookimpl
def billing_usage_kinds() -> Sequence[UsageKind]:
    """Offer calls."""
    return usage_kinds()


@hookimpl
def billing_readers() -> Sequence[Reader]:
    """Offer the file formats."""
    return ASTERISK, FREESWITCH, MAPPED


@hookimpl
def billing_rate_tables() -> Sequence[RateTableKind]:
    """Offer decks."""
    return (DECK,)


@hookimpl
def billing_raters() -> Sequence[Rater]:
    """Offer the rater of calls, which prices components of the model ``telecom_usage.calls`` itself."""
    return (RATER,)


@hookimpl
def billing_review_checks() -> Sequence[ReviewCheck]:
    """Offer a check for very long calls."""
    return review_checks()
