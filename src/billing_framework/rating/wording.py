"""The few words that charge models add to a component's title, in the languages that the framework ships."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "tier": "tier {number}",
            "included": "included",
            "above": "above what is included",
            "unused": "credit for the unused part",
            "minimum": "up to the minimum",
            "maximum": "down to the maximum",
            "commitment": "up to the committed amount",
            "share": "share {part}",
            "share of": "share {part} of {whole}",
            "whole quantity": "Whole quantity",
            "unit price": "Unit price",
            "whole amount": "Whole amount",
            "days": "Days",
            "late": "late usage",
        },
        "de": {
            "tier": "Stufe {number}",
            "included": "enthalten",
            "above": "über dem Enthaltenen",
            "unused": "Gutschrift für den nicht genutzten Teil",
            "minimum": "Auffüllung zum Mindestbetrag",
            "maximum": "Begrenzung auf den Höchstbetrag",
            "commitment": "Auffüllung zum zugesagten Betrag",
            "share": "Anteil {part}",
            "share of": "Anteil {part} von {whole}",
            "whole quantity": "Gesamtmenge",
            "unit price": "Einzelpreis",
            "whole amount": "Gesamtbetrag",
            "days": "Tage",
            "late": "Nachberechnung",
        },
    }
)


def word(locale: str, key: str, **values: object) -> str:
    """Return the wording `key` in the language of `locale`, in English where the framework does not speak it."""
    words = _WORDS.get(locale.replace("-", "_").split("_")[0], _WORDS["en"])
    return words[key].format(**values)


def titled(title: str, locale: str, key: str, **values: object) -> str:
    """Return a component's title with an addition: ``Energy, tier 2``."""
    return f"{title}, {word(locale, key, **values)}"
