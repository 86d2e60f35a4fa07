"""Control totals: what became of the records that an account was given must add up to their number."""

from __future__ import annotations

from collections.abc import Mapping

from billing_framework.storage.billing.account_briefs import OF_FINDING, OF_KIND

RECORDS = "records"
"""Name of the number that the others must add up to."""

_NO_FATES = (OF_KIND, OF_FINDING)


def fates(control: Mapping[str, int]) -> dict[str, int]:
    """Return what became of the records, without their number and without the numbers by kind and of findings."""
    return {name: count for name, count in control.items() if name != RECORDS and not name.startswith(_NO_FATES)}


def reconciles(control: Mapping[str, int]) -> bool:
    """Return whether what became of the records adds up to the number of records that were delivered."""
    return control.get(RECORDS, 0) == sum(fates(control).values())


def records_and_fates(control: Mapping[str, int]) -> dict[str, int]:
    """Return control totals in order of their names, without the numbers by kind and of findings."""
    return {name: count for name, count in sorted(control.items()) if not name.startswith(_NO_FATES)}
