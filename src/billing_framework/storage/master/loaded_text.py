"""Texts of books, plans and taxes as they were loaded: nothing is computed from one that was changed since."""

from __future__ import annotations

import hashlib

from billing_framework.values.errors import StorageError


def as_loaded(source: str, sha256: bytes, what: str) -> str:
    """Return a stored text whose digest is still the one that was stored with it.

    Args:
        source: the text.
        sha256: the digest.
        what: what text it is, for people.

    Raises:
        StorageError: ``STORAGE20`` where it was changed.
    """
    if hashlib.sha256(source.encode()).digest() != sha256:
        raise StorageError(
            "STORAGE20",
            f"the stored text of {what} is not the one that was loaded",
            remedy="Find out who changed it behind the program's back, and restore it from a backup",
        )
    return source
