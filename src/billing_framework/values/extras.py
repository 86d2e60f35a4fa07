"""Extras: libraries that a deployment may do without, and what is done by columns where they are there."""

from __future__ import annotations

import functools
import importlib.util

from billing_framework.values.errors import ConfigurationError

_BULK = ("polars", "polars_hash")


@functools.cache
def has_bulk() -> bool:
    """Return whether the libraries of the extra ``bulk`` are installed; what they do by columns is else done row by row."""
    return all(map(importlib.util.find_spec, _BULK))


def stand_in(name: str) -> type:
    """Return what stands for a name that needs the extra ``bulk`` where that is not installed.

    A module that imports the name for a faster way is loaded all the same, and never asked for that way; whoever calls the name
    is told what to install.
    """

    def refuse(*_: object, **__: object) -> None:
        raise ConfigurationError(
            "CONFIG10",
            f"{name} needs the library polars, which is not installed",
            remedy="pip install 'billing-framework[bulk]'",
        )

    return type(name, (), {"__new__": refuse})
