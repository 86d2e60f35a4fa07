"""The catalogue of stable codes: what each code of a finding or error means and what to do about it."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

import attrs

from billing_framework.values.errors import ConfigurationError

CODE = re.compile(r"[A-Z]{2,10}[0-9]{2}")
"""How a code looks: the desk that speaks, and a number that never changes its meaning."""

_FIELDS = {"title", "meaning", "remedy"}


@attrs.frozen(kw_only=True)
class CodePage:
    """What the reference says about one code.

    Attributes:
        code: the stable code, for example ``USAGE02``.
        title: what is wrong, in a few words.
        meaning: when it is reported and what has been done with the data.
        remedy: what the reader can do about it.
    """

    code: str
    title: str
    meaning: str
    remedy: str


def read_codes(text: str, *, source: str) -> Mapping[str, CodePage]:
    """Return the pages of a ``codes.toml``, in the order of the file.

    Args:
        text: content of the file: one table per code with ``title``, ``meaning`` and ``remedy``.
        source: name of the file for messages.

    Raises:
        ConfigurationError: ``CODE01`` where the text is no TOML, a code is misshapen, or a field is missing, unknown or empty.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError("CODE01", f"the catalogue of codes is no TOML: {error}", place=source) from error
    pages = {}
    for code, fields in tables.items():
        complete = (
            isinstance(fields, dict)
            and set(fields) == _FIELDS
            and all(isinstance(value, str) and value for value in fields.values())
        )
        if not (CODE.fullmatch(code) and complete):
            raise ConfigurationError(
                "CODE01",
                f"{code} is no page of a code",
                place=source,
                remedy="Name it like LEDGER04 and give title, meaning and remedy, nothing else",
            )
        pages[code] = CodePage(code=code, **fields)
    return MappingProxyType(pages)


@functools.cache
def core_codes() -> Mapping[str, CodePage]:
    """Return the pages of all codes of the core."""
    file = resources.files("billing_framework.values") / "codes.toml"
    return read_codes(file.read_text(encoding="utf-8"), source="billing_framework/values/codes.toml")
