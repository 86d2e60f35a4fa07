"""Watching calls of plugins: who is told when one begins and ends, and what ends one that takes too long.

The floors that call plugins are pure and know no clock; whoever runs them gives them somebody who has one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

import attrs

from billing_framework.values.finding import Finding

T = TypeVar("T")


class PluginOverran(BaseException):
    """A call of a plugin is ended because it takes longer than it may.

    Args:
        seconds: how long it may take.
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"did not return within {seconds} s and was ended")


class CallWatch(Protocol):
    """Somebody who watches calls of plugins."""

    def call(self, plugin: str, what: str, function: Callable[[], T]) -> T:
        """Return what the function returns.

        Args:
            plugin: name of the plugin.
            what: what is asked of it, for people.
            function: the call.

        Raises:
            PluginOverran: it took too long and was ended.
        """

    def tell(self, finding: Finding) -> None:
        """Take note of a fault that costs time and changes no result, such as a fast way that failed."""

    def fell_back(self, rater: str, accounts: int) -> None:
        """Take note that the columnar twin of a rater failed at some accounts, which its reference rates instead."""


@attrs.frozen
class Unwatched:
    """Nobody watches."""

    def call(self, _plugin: str, _what: str, function: Callable[[], T]) -> T:
        """Return what the function returns."""
        return function()

    def tell(self, _finding: Finding) -> None:
        """Take no note."""

    def fell_back(self, _rater: str, _accounts: int) -> None:
        """Take no note."""


UNWATCHED = Unwatched()
