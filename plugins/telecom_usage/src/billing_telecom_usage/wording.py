"""The words that bills need about calls, in English and German."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType

_WORDS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "en": {
            "calls": "Calls",
            "duration": "Duration",
            "charged": "Charged time",
            "included": "Of this included",
            "number": "Number",
            "late": "{destination}, earlier calls",
            "attempts": "{destination}, calls not answered",
        },
        "de": {
            "calls": "Verbindungen",
            "duration": "Dauer",
            "charged": "Berechnete Zeit",
            "included": "Davon inklusive",
            "number": "Rufnummer",
            "late": "{destination}, frühere Verbindungen",
            "attempts": "{destination}, nicht angenommene Anrufe",
        },
    }
)


def word(locale: str, key: str, **values: object) -> str:
    """Return the wording `key` in the language of `locale`, in English where the plugin does not speak it."""
    pattern = _pattern(locale, key)
    return pattern.format(**values) if values else pattern


@functools.lru_cache(maxsize=1024)
def _pattern(locale: str, key: str) -> str:
    words = _WORDS.get(locale.replace("-", "_").split("_")[0], _WORDS["en"])
    return words[key]


@functools.lru_cache(maxsize=65536)
def clock(seconds: int) -> str:
    """Return a length of time as hours, minutes and seconds: ``1:02:03``."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}"


def shown_number(number: str, hidden_digits: int) -> str:
    """Return a called number as the itemisation prints it, its last digits replaced where they are hidden."""
    kept = number[: len(number) - hidden_digits] if hidden_digits else number
    return f"+{kept}{'x' * (len(number) - len(kept))}"
