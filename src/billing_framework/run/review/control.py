"""Control totals: what became of the records that an account was given must add up to their number."""

from __future__ import annotations

from collections.abc import Mapping

RECORDS = "records"
"""Name of the number that the others must add up to."""


def reconciles(control: Mapping[str, int]) -> bool:
    """Return whether what became of the records adds up to the number of records that were delivered."""
    return control.get(RECORDS, 0) == sum(count for name, count in control.items() if name != RECORDS)
