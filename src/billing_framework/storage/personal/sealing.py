"""Sealing: AES-256-GCM over a short text, bound to its place, so that a sealed value cannot be moved elsewhere."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from billing_framework.values.errors import ConfigurationError, StorageError

KEY_BYTES = 32
MARK_BYTES = 16
_NONCE_BYTES = 12


def require_cipher() -> None:
    """Refuse to go on where the cipher is not installed.

    Raises:
        ConfigurationError: ``PERSONAL02``.
    """
    try:
        _cipher(bytes(KEY_BYTES))
    except ImportError as error:
        raise ConfigurationError(
            "PERSONAL02",
            "[personal_data] names a key, but the package that encrypts is not installed",
            remedy="pip install 'billing-framework[personal-data]'",
        ) from error


def _cipher(secret: bytes) -> Any:
    # An extra: a deployment without personal data neither installs nor loads it.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(secret)


def new_secret() -> bytes:
    """Return a new random key of 32 bytes."""
    return secrets.token_bytes(KEY_BYTES)


def derived(secret: bytes, use: str) -> bytes:
    """Return the key for one use, so that no key serves two purposes."""
    return hmac.digest(secret, f"billing {use}".encode(), hashlib.sha256)


def seal(secret: bytes, place: str, content: bytes) -> bytes:
    """Return a content encrypted under a key with a random nonce, for one place only.

    Args:
        secret: key of 32 bytes.
        place: where the result will stand; `unseal` needs the same.
        content: what is sealed.
    """
    nonce = secrets.token_bytes(_NONCE_BYTES)
    sealed: bytes = _cipher(secret).encrypt(nonce, content, place.encode())
    return nonce + sealed


def unseal(secret: bytes, place: str, sealed: bytes) -> bytes:
    """Return what was sealed.

    Raises:
        StorageError: ``PERSONAL05`` where it was altered, moved from another place, or sealed under another key.
    """
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415  see `_cipher`

    try:
        opened: bytes = _cipher(secret).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place.encode())
    except (InvalidTag, ValueError) as error:  # the latter for what is too short to be sealed at all
        raise StorageError(
            "PERSONAL05",
            f"the sealed value at {place} was altered, or belongs somewhere else",
            remedy="Find out who changed it behind the program's back, and restore it from a backup",
        ) from error
    return opened


def mark(secret: bytes, text: str) -> bytes:
    """Return the keyed digest of a text (16 bytes): equal for equal texts, and useless for trying texts out without the key."""
    return hmac.digest(derived(secret, "mark"), text.encode("utf-8", "surrogatepass"), hashlib.sha256)[:MARK_BYTES]
