"""The words that bills need about entries, in English and German."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "timekeeper": "Timekeeper",
            "task": "Task",
            "activity": "Activity",
            "expense": "Expense",
            "vendor": "Paid to",
            "value": "Value",
            "adjustment": "Adjustment",
            "no_charge": "no charge",
            "write_down": "taken off",
            "write_up": "added",
            "ceiling": "approved rate",
            "flat": "within the flat fee",
            "cap": "above the agreed cap",
            "discount": "discount",
            "volume": "volume discount",
            "carried": "Carried over from earlier bills",
            "reserve": "Held back until the outcome",
        },
        "de": {
            "timekeeper": "Bearbeiter",
            "task": "Aufgabe",
            "activity": "Tätigkeit",
            "expense": "Auslage",
            "vendor": "Bezahlt an",
            "value": "Wert",
            "adjustment": "Anpassung",
            "no_charge": "ohne Berechnung",
            "write_down": "Nachlass",
            "write_up": "Zuschlag",
            "ceiling": "genehmigter Satz",
            "flat": "in der Pauschale enthalten",
            "cap": "über der vereinbarten Obergrenze",
            "discount": "Rabatt",
            "volume": "Mengenrabatt",
            "carried": "Übertrag aus früheren Rechnungen",
            "reserve": "Bis zum Ausgang zurückgestellt",
        },
    }
)

SEPARATOR = " · "
"""Between the parts of one fact: ``RH · Hale, Ruth · PARTNR``."""


def word(locale: str, key: str) -> str:
    """Return the wording `key` in the language of `locale`, in English where the plugin does not speak it."""
    return _WORDS.get(locale.replace("-", "_").split("_")[0], _WORDS["en"])[key]
