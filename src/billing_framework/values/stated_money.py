"""Reads an amount as people state it: with its currency or without, where the currency is known from elsewhere."""

from __future__ import annotations

import re

from billing_framework.values.errors import UnitMismatch

_STATED = re.compile(r"(?P<number>.*?[0-9.]) ?(?P<currency>[A-Za-z]{3})", re.ASCII)


def stated_number(text: str, currency: str, *, of: str) -> str:
    """Return the number of an amount that is stated as ``12.50``, ``12.50 EUR`` or ``12.50EUR``; whether it is one, others prove.

    Args:
        text: the amount.
        currency: the currency that it must be in.
        of: what is in this currency, for example ``the account C1``.

    Raises:
        UnitMismatch: ``VALUE07`` where it names another currency.
    """
    found = _STATED.fullmatch(text.strip())
    if found is None:
        return text.strip()
    if found["currency"].upper() != currency:
        raise UnitMismatch(
            "VALUE07", f"{text.strip()[:60]!r} is not in {currency}, the currency of {of}", remedy=f"State it in {currency}"
        )
    return found["number"]
