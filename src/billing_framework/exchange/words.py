"""The words of printed documents: one catalogue per language, English where a language has none."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

FALLBACK = "en"


def languages() -> tuple[str, ...]:
    """Return the languages that have a catalogue, in order."""
    files = (resources.files("billing_framework.exchange") / "languages").iterdir()
    return tuple(sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml")))


def words_of(locale: str) -> Mapping[str, str]:
    """Return the words for a locale such as ``de_AT``: those of its language, else the English ones."""
    language = locale.replace("-", "_").split("_", maxsplit=1)[0].lower()
    return catalogue(language if language in languages() else FALLBACK)


@functools.cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the words of a shipped language, by key."""
    file = resources.files("billing_framework.exchange") / "languages" / f"{language}.toml"
    return MappingProxyType(tomllib.loads(file.read_text(encoding="utf-8")))
