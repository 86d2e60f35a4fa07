"""What mail programs have taken out of a Maildir: looked at again only where the folder has changed since."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from pathlib import Path
from time import monotonic_ns

import attrs

_SETTLED = 2_000_000_000
"""Nanoseconds that a folder is to stand unchanged before a look at it is kept: the times of files are no finer on some disks."""


@attrs.frozen
class _Look:
    changed: int
    since: int
    is_settled: bool
    names: Sequence[str]


@attrs.define
class TakenLetters:
    """The letters that mail programs have moved on to ``cur``, where they bear flags behind their name."""

    _looks: dict[Path, _Look] = attrs.field(factory=dict)

    def has(self, folder: Path, name: str) -> bool:
        """Return whether a letter was taken out of a Maildir.

        Args:
            folder: the Maildir, with its folders.
            name: the name under which it was put there.
        """
        names = self._names(folder / "cur")
        place = bisect_left(names, name)
        return place < len(names) and names[place].startswith(name)

    def _names(self, folder: Path) -> Sequence[str]:
        """Return what is in a folder, in order."""
        changed, now = folder.stat().st_mtime_ns, monotonic_ns()
        look = self._looks.get(folder)
        if look is not None and look.changed == changed and look.is_settled:
            return look.names
        since = look.since if look is not None and look.changed == changed else now
        look = _Look(changed, since, now - since >= _SETTLED, sorted(path.name for path in folder.iterdir()))
        self._looks[folder] = look
        return look.names
