"""What an officer should look at before a bill of calls is approved."""

from __future__ import annotations

from collections.abc import Iterator

from billing_framework import DraftDocument, Finding, ReviewBatch, ReviewCheck
from billing_telecom_usage.settings import TelecomSettings

_HOUR = 3600


def review_checks() -> tuple[ReviewCheck, ...]:
    """Return the checks that the plugin offers."""
    return (ReviewCheck(name="telecom_usage.long_calls", title="A call is longer than calls last", check=long_calls),)


def long_calls(batch: ReviewBatch) -> Iterator[Finding]:
    """Yield accounts with an itemised call above the bound of the settings, the longest of them by date and time.

    Most such calls are a hang-up that the switch has missed; they are the usual cause of a bill that shocks.
    """
    settings = batch.settings if isinstance(batch.settings, TelecomSettings) else TelecomSettings()
    for reviewed in batch.documents:
        longest = max(_lengths(reviewed.document), default=(0, ""))
        if longest[0] > settings.longest_call_hours * _HOUR:
            yield Finding(
                code="TEL40",
                what=f"a call on {longest[1]} lasted {longest[0] // _HOUR} hours",
                remedy="Correct its billed seconds or leave it for a later bill by an edit, or note why it is right",
                subject=reviewed.document.account,
                value=f"{longest[0]} s",
            )


def _lengths(document: DraftDocument) -> Iterator[tuple[int, str]]:
    for line in document.lines:
        for item in line.items:
            if item.quantity is not None and item.quantity.unit == "s":
                yield int(item.quantity.value), f"{item.on.isoformat()} {item.time}".strip()
