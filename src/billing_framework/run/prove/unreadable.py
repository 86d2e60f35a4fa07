"""Lets a proof go on past a stored value that cannot be read any more: it is named, and hides nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from billing_framework.values.errors import BillingError, ConfigurationError, StorageError
from billing_framework.values.finding import Finding

_CHANGED = ("STORAGE20", "STORAGE21", "STORAGE24")
"""What the database's own layer says of rows that somebody changed; all else that it says concerns the database."""


def cannot_be_read(error: Exception) -> bool:
    """Return whether an error tells of a stored value that is none any more, and not of the database, the keys or the program.

    Whoever takes such a value apart fails in ways of his own: a missing field, a list where a mapping was, a word for a number.
    """
    if isinstance(error, StorageError):
        return error.code in _CHANGED
    if isinstance(error, BillingError):
        return not isinstance(error, ConfigurationError)
    # The library that builds values from plain data groups its errors.
    return isinstance(error, AttributeError | LookupError | TypeError | ValueError | ArithmeticError | ExceptionGroup)


def told_of(part: Callable[[], Iterable[Finding]], unreadable: Callable[[str], Finding]) -> Iterator[Finding]:
    """Yield the findings of a part of a proof, and one more where a stored value ends it.

    Args:
        part: what proves.
        unreadable: makes the finding of what cannot be read.
    """
    try:
        yield from part()
    except Exception as error:
        if not cannot_be_read(error):
            raise
        yield unreadable(f"what is stored cannot be read: {str(error) or type(error).__name__}")
