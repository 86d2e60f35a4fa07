"""Ids that follow from natural keys, so that a retry, another database or another process comes to the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import xxhash

_BITS = 2**63 - 1


def natural_id(*parts: str | int) -> int:
    """Return the deterministic 63-bit id of a natural key, the same on both databases and on every retry.

    Args:
        parts: the natural key. Each part is encoded with its kind and length, so ``("ab", "c")``, ``("a", "bc")``, ``("1",)``
            and ``(1,)`` all differ.
    """
    encoded = "".join([f"{'i' if isinstance(part, int) else 's'}{len(str(part))}:{part}" for part in parts])
    return xxhash.xxh3_64_intdigest(encoded.encode()) & _BITS


def natural_ids(encoded: Iterable[bytes]) -> Iterator[int]:
    """Yield the ids of natural keys that are encoded already, as `natural_id` encodes them, for many at once."""
    return (hashed & _BITS for hashed in map(xxhash.xxh3_64_intdigest, encoded))
