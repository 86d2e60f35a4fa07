"""Personal data: fields that tell about a person are marked in their class, and never show themselves."""

from __future__ import annotations

from typing import Any

import attrs

REDACTED = "<personal>"
"""What stands in the place of a personal value wherever it is not shown."""

ERASED = "<erased>"
"""What stands in the place of a personal value whose key was destroyed."""

_MARK = "billing_framework.personal"


def personal(default: Any = attrs.NOTHING) -> Any:
    """Return an attrs field whose value is personal data: stored encrypted, never in a repr, a log, an error or a list.

    Use it in the body of a usage kind: ``name: str = personal()``, or ``note: str = personal("")`` where it may be missing.

    Args:
        default: the value where none is given; without it the field is required.
    """
    return attrs.field(default=default, repr=_hidden, metadata={_MARK: True})


def _hidden(value: object) -> str:
    return repr(value) if value is None else REDACTED


def is_erased(value: object) -> bool:
    """Return True where a personal value was read of somebody whose key was destroyed: nothing can be told from it any more."""
    return value == ERASED


def is_personal(field: attrs.Attribute[Any]) -> bool:
    """Return True where a field of a class was marked by `personal`."""
    return bool(field.metadata.get(_MARK, False))
