"""Ids that follow from natural keys, so that a retry, another database or another process comes to the same ones."""

from __future__ import annotations

from collections.abc import Iterable

import xxhash

LARGEST_ID = 2**63 - 1
"""Ids have 63 bits: those of a hash under this mask."""


def natural_id(*parts: str | int) -> int:
    """Return the deterministic 63-bit id of a natural key, the same on both databases and on every retry.

    Args:
        parts: the natural key. Each part is encoded with its kind and length, so ``("ab", "c")``, ``("a", "bc")``, ``("1",)``
            and ``(1,)`` all differ.
    """
    return xxhash.xxh3_64_intdigest("".join(map(_encoded, parts)).encode()) & LARGEST_ID


def natural_ids_below(*parts: str | int, keys: Iterable[str]) -> list[int]:
    """Return for each of many texts what `natural_id` returns for `parts` and it."""
    head, hashed = "".join(map(_encoded, parts)), xxhash.xxh3_64_intdigest
    return [hashed(f"{head}s{len(key)}:{key}".encode()) & LARGEST_ID for key in keys]


def _encoded(part: str | int) -> str:
    return f"s{len(part)}:{part}" if type(part) is str else f"{'i' if isinstance(part, int) else 's'}{len(str(part))}:{part}"
