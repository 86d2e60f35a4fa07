"""Which of several dated versions holds on a day: one rule for price plans and rate tables.

An open end means "until a later version begins"; a version that supersedes another wins over it on all dates of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Protocol, TypeVar


class Dated(Protocol):
    """A version of something, with the dates on which it holds."""

    @property
    def version(self) -> str:
        """Label of the version."""

    @property
    def valid_from(self) -> date:
        """First date on which it holds."""

    @property
    def valid_to(self) -> date | None:
        """The date after the last, None for open end."""

    @property
    def supersedes(self) -> str:
        """Label of the version that it corrects, or empty."""


Version = TypeVar("Version", bound=Dated)


def in_force(versions: Iterable[Version], day: date) -> list[Version]:
    """Return the versions of one thing that claim a day, in the order given: one where all is well, none, or several in conflict.

    Args:
        versions: the known versions.
        day: the day.
    """
    valid = [one for one in versions if one.valid_from <= day and (one.valid_to is None or day < one.valid_to)]
    if len(valid) < 2:
        return valid
    replaced = {one.supersedes for one in valid}
    left = [one for one in valid if one.version not in replaced]
    latest = max((one.valid_from for one in left), default=day)
    return [one for one in left if one.valid_to is not None or one.valid_from == latest]
