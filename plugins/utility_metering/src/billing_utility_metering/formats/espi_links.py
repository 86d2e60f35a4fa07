"""Which entry of a Green Button feed belongs to which: by links, absolute or relative, and by paths that contain each other."""

from __future__ import annotations

from collections.abc import Sequence

from billing_utility_metering.formats.espi_feed import Entry


def _same(one: str, other: str) -> bool:
    return bool(one and other) and (one == other or one.endswith(f"/{other}") or other.endswith(f"/{one}"))


def parent_of(child: Entry, collection: str, parents: Sequence[Entry]) -> Entry | None:
    """Return the entry that the child belongs to: ``.../MeterReading/01`` for ``.../MeterReading/01/IntervalBlock/173``.

    Args:
        child: the entry to place.
        collection: name of the child's collection in paths, for example ``IntervalBlock``.
        parents: the entries to choose from.
    """
    holder, _, _ = (f"{child.own}/").rpartition(f"/{collection}/")
    above = child.up.removesuffix(f"/{collection}")
    for parent in parents:
        if _same(holder, parent.own) or _same(above, parent.own) or any(_same(child.up, href) for href in parent.related):
            return parent
    return None


def named_by(holder: Entry, candidates: Sequence[Entry]) -> Entry | None:
    """Return the entry that one of the holder's related links names."""
    for candidate in candidates:
        if any(_same(candidate.own, href) for href in holder.related):
            return candidate
    return None


def only(candidates: Sequence[Entry]) -> Entry | None:
    """Return the entry where there is exactly one to choose from."""
    return candidates[0] if len(candidates) == 1 else None
