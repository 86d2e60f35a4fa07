"""The options of a format that a plugin offers, and the file that is written in it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from billing_framework.values.errors import InputRefused


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of a format as `options`; `format_pairs` reads them."""
    shown = "An option of the format; may be repeated."
    return click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help=shown)(command)


def format_pairs(options: Sequence[str]) -> dict[str, str]:
    """Return options as given on the command line, by name.

    Raises:
        InputRefused: ``EXPORT02`` for one without a value.
    """
    pairs = {}
    for option in options:
        name, sign, value = option.partition("=")
        if not sign:
            raise InputRefused("EXPORT02", f"the option {option!r} has no value", remedy="Write --option NAME=VALUE")
        pairs[name] = value
    return pairs


def write_file(path: Path, data: bytes | Iterable[bytes]) -> int:
    """Write a file whole or not at all, and return its size: what was there before stays until the new one is complete.

    Args:
        path: where it is to be.
        data: all of it, or one piece after the other.

    Raises:
        InputRefused: ``EXPORT05`` where it cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        file = part.open("wb")
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    try:
        with file:
            size = sum(map(file.write, [data] if isinstance(data, bytes) else data))
        part.replace(path)
    except BaseException as error:  # whatever ends it, be it what makes the pieces, no part of a file is left
        part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from error
        raise
    return size


def _unwritable(path: Path, error: OSError | ValueError) -> InputRefused:
    reason = getattr(error, "strerror", None) or str(error)
    return InputRefused("EXPORT05", f"the file cannot be written: {reason}", place=str(path)[:200])
