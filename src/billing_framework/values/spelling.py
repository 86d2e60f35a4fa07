"""Names in messages: the nearest known one for a misspelt one, which every "unknown ..." message offers; the first of many."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known name that `word` is most likely meant to be, or an empty text where none is near; case is ignored."""
    by_folded = {name.casefold(): name for name in sorted(known, reverse=True)}
    found = difflib.get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str], *, shown: int = 12) -> str:
    """Return the remedy for an unknown name: the nearest one, else the first known ones."""
    names = sorted(known)
    found = nearest(word, names)
    if found:
        return f"Did you mean {found!r}?"
    if not names:
        return "None are defined"
    rest = f", and {len(names) - shown} more" if len(names) > shown else ""
    return f"Known are {', '.join(names[:shown])}{rest}"


def first_of(names: Sequence[str], most: int) -> str:
    """Return the first names and how many more there are: ``A-1, A-2 and 7 more``."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
