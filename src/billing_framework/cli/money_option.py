"""Money as an option of a command: ``12.50USD`` or ``"12.50 USD"``, or ``12.50`` where the command knows the currency."""

from __future__ import annotations

import re

import click

from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Money

_MONEY = re.compile(r"(?P<number>-?[0-9]+(?:\.[0-9]+)?) ?(?P<currency>[A-Z]{3})", re.ASCII)

_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?", re.ASCII)


def money(text: str) -> Money:
    """Read an amount with its currency, as the type of an option."""
    found = _MONEY.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is no amount with a currency, such as 12.50USD")
    try:
        return Money.of(found["number"], found["currency"])
    except ValueRefused as refused:
        raise click.BadParameter(str(refused)) from refused


def money_or_number(text: str) -> Money | str:
    """Read an amount with its currency, or the text of one without, as the type of an option."""
    return text.strip() if _NUMBER.fullmatch(text.strip()) else money(text)
