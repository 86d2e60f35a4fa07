"""Payment references and bank account numbers: what makes a bank line find its document (ISO 11649, ISO 13616; mod 97)."""

from __future__ import annotations

import re

from billing_framework.values.errors import ValueRefused

_LONGEST_REFERENCE = 21
_REFERENCE = re.compile(r"RF[0-9]{2}[0-9A-Z]{1,21}", re.ASCII)
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[0-9A-Z]{11,30}", re.ASCII)
_NOT_PRINTED = re.compile(r"[^0-9A-Za-z]", re.ASCII)


def rf_reference(number: str) -> str:
    """Return the RF creditor reference of a document number, without blanks.

    Args:
        number: a document number; anything but letters and digits is left out, so ``INV-2026-000042`` and ``INV2026000042``
            have the same reference.

    Raises:
        ValueRefused: ``INVOICE10`` where no letter or digit is left, or more than the 21 that ISO 11649 allows.
    """
    body = _NOT_PRINTED.sub("", number).upper()
    if not 1 <= len(body) <= _LONGEST_REFERENCE:
        raise ValueRefused(
            "INVOICE10",
            f"{number!r} gives no payment reference: it has {len(body)} letters and digits",
            remedy=f"Number documents with 1 to {_LONGEST_REFERENCE} letters and digits",
        )
    return f"RF{98 - _remainder(f'{body}RF00'):02}{body}"


def is_rf_reference(text: str) -> bool:
    """True where `text`, blanks aside, is an RF reference whose check digits are right."""
    compact = _compact(text)
    return bool(_REFERENCE.fullmatch(compact)) and _remainder(compact[4:] + compact[:4]) == 1


def is_iban(text: str) -> bool:
    """True where `text`, blanks aside, has the shape and the check digits of an IBAN (ISO 13616)."""
    compact = _compact(text)
    return bool(_IBAN.fullmatch(compact)) and _remainder(compact[4:] + compact[:4]) == 1


def in_fours(text: str) -> str:
    """Return a reference or IBAN in groups of four, as it is printed."""
    compact = _compact(text)
    return " ".join(compact[place : place + 4] for place in range(0, len(compact), 4))


def _compact(text: str) -> str:
    return "".join(text.split()).upper()


def _remainder(text: str) -> int:
    return int("".join(str(int(sign, 36)) for sign in text)) % 97
