"""Codes that people write in files and commands, and texts that are printed: what may stand in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import attrs

from billing_framework.values.errors import ValueRefused

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+#~-]{0,99}")
_LONGEST_TITLE = 500


def is_code(_holder: object, field: attrs.Attribute[str], text: str) -> None:
    """Refuse what is no code; written for attrs validators.

    A code is up to 100 letters, digits and ``. _ : / + # ~ -``; no ``@``, because CODE@VERSION names a version of a
    plan, and nothing that a terminal, a file name or a query could take for more than text.

    Raises:
        ValueRefused: ``VALUE27`` with what is allowed.
    """
    if not _CODE.fullmatch(text):
        raise ValueRefused(
            "VALUE27",
            f"the {field.name} {text[:60]!r} is no code",
            remedy="Use up to 100 letters, digits and . _ : / + # ~ - and begin with a letter or digit",
        )


def is_code_or_empty(holder: object, field: attrs.Attribute[str], text: str) -> None:
    """Refuse what is neither empty nor a code; see `is_code`."""
    if text:
        is_code(holder, field, text)


def are_titles(_holder: object, field: attrs.Attribute[Any], titles: Mapping[str, str]) -> None:
    """Refuse printed texts by language that are empty, too long, or hold characters that are not printed; for attrs validators.

    Raises:
        ValueRefused: ``VALUE28`` with the language.
    """
    for language, text in titles.items():
        if not text.strip() or not text.isprintable() or len(text) > _LONGEST_TITLE:
            raise ValueRefused(
                "VALUE28",
                f"the {field.name} for {language!r} is no printed line: {text[:60]!r}",
                remedy=f"Write one line of at most {_LONGEST_TITLE} printable characters",
            )


def is_storable(text: str) -> bool:
    """Return whether every database stores a text: it has no NUL, and no half of a surrogate pair."""
    if text.isascii():
        return "\0" not in text
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def storable(text: str) -> str:
    """Return a text in which all that some database does not store is written as an escape; for what strangers say."""
    return text if is_storable(text) else text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()
