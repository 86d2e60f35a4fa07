"""Extras: libraries that a deployment may do without, and what is done by columns where they are there."""

from __future__ import annotations

import functools
import importlib.util

_BULK = ("polars", "polars_hash")


@functools.cache
def has_bulk() -> bool:
    """Return whether the libraries of the extra ``bulk`` are installed; what they do by columns is else done row by row."""
    return all(map(importlib.util.find_spec, _BULK))
