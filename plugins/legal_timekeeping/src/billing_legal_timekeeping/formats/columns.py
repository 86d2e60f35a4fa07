"""The columns of a CSV file and the keys of a JSON file: the same names for the same facts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ENVELOPE: Mapping[str, str] = MappingProxyType({"external_id": "id", "subject": "matter", "start": "date"})
"""What every entry has: its id at the source, its matter, and the date of the work."""

TIME: Mapping[str, str] = MappingProxyType(
    {
        "timekeeper": "timekeeper",
        "worked_seconds": "worked_seconds",
        "hours": "hours",
        "narrative": "narrative",
        "task": "task",
        "activity": "activity",
        "status": "status",
        "rate": "rate",
        "adjustment": "adjustment",
        "classification": "classification",
        "entered_on": "entered_on",
    }
)
EXPENSE: Mapping[str, str] = MappingProxyType(
    {
        "code": "code",
        "narrative": "narrative",
        "quantity": "quantity",
        "unit_cost": "unit_cost",
        "cost": "cost",
        "amount": "amount",
        "status": "status",
        "adjustment": "adjustment",
        "timekeeper": "timekeeper",
        "vendor": "vendor",
        "receipt": "receipt",
    }
)
