"""Ids that follow from natural keys, so that a retry, another database or another process comes to the same ones."""

from __future__ import annotations

import xxhash

LARGEST_ID = 2**63 - 1
"""Ids have 63 bits: those of a hash under this mask."""


def natural_id(*parts: str | int) -> int:
    """Return the deterministic 63-bit id of a natural key, the same on both databases and on every retry.

    Args:
        parts: the natural key. Each part is encoded with its kind and length, so ``("ab", "c")``, ``("a", "bc")``, ``("1",)``
            and ``(1,)`` all differ.
    """
    encoded = "".join([f"{'i' if isinstance(part, int) else 's'}{len(str(part))}:{part}" for part in parts])
    return xxhash.xxh3_64_intdigest(encoded.encode()) & LARGEST_ID
