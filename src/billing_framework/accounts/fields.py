"""Reads the fields of master data from text: each reader returns the value, or refuses it with the remedy.

Files, the command line and Python callers go through the same readers, so that nothing gets in by one door that another refuses.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import date

import attrs
from babel import Locale, UnknownLocaleError
from babel.localedata import locale_identifiers

from billing_framework.values.calendar import parse_cycle
from billing_framework.values.clock import timezone
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import minor_digits
from billing_framework.values.period import sane_date
from billing_framework.values.spelling import did_you_mean

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+#@~-]{0,63}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_LONGEST_TEXT = 500
_LONGEST_TERM_DAYS = 3_650

Reader = Callable[[str], object]


@attrs.frozen(kw_only=True)
class Field:
    """One field of a form.

    Attributes:
        name: name of the field; also the column of a file and the option of the command.
        read: turns text into the value or raises `ValueRefused`.
        help: one line for people.
        required: True where an empty text is refused; otherwise it means the default.
        of_deployment: True where the default is the deployment's setting of this name.
    """

    name: str
    read: Reader
    help: str
    required: bool = False
    of_deployment: bool = False


def code(text: str) -> str:
    """Read a code that officers, files and natural keys use: up to 64 letters, digits and ``. _ : / + # @ ~ -``."""
    if _CODE.fullmatch(text):
        return text
    raise ValueRefused(
        "ACCOUNT02",
        f"{text!r} is no code",
        remedy="Use up to 64 letters, digits and . _ : / + # @ ~ - and begin with a letter or digit",
    )


def text_line(text: str) -> str:
    """Read one line of free text: printable, without blanks at its ends, at most 500 characters."""
    if text.isprintable() and text == text.strip() and len(text) <= _LONGEST_TEXT:
        return text
    raise ValueRefused(
        "ACCOUNT02",
        f"{text[:60]!r} is no single line of text",
        remedy=f"Remove control characters and outer blanks; at most {_LONGEST_TEXT} characters",
    )


@functools.cache
def currency(text: str) -> str:
    """Read an ISO 4217 currency code."""
    minor_digits(text)
    return text


@functools.cache
def zone(text: str) -> str:
    """Read the name of an IANA time zone."""
    timezone(text)
    return text


@functools.cache
def locale(text: str) -> str:
    """Read a locale such as ``en_US`` or ``de_DE``; a hyphen is taken as an underscore."""
    name = text.replace("-", "_")
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError) as error:
        raise ValueRefused("ACCOUNT02", f"{text!r} is no locale", remedy=did_you_mean(name, locale_identifiers())) from error
    return name


@functools.cache
def country(text: str) -> str:
    """Read an ISO 3166 country code of two letters."""
    territories = (str(name) for name in Locale("en").territories)
    known = {name for name in territories if len(name) == 2 and name.isalpha()} - {"EU", "EZ", "UN", "ZZ", "XA", "XB"}
    if text in known:
        return text
    raise ValueRefused(
        "ACCOUNT02", f"{text!r} is no country code", remedy="Use two capital letters of ISO 3166, such as US or DE"
    )


@functools.cache
def cycle(text: str) -> str:
    """Read a billing cycle such as ``monthly:1`` and return its canonical text, by which runs choose accounts.

    A custom calendar is known only to the deployment, which refuses an unknown one when an account is entered.
    """
    kind, _, name = text.partition(":")
    return f"custom:{code(name)}" if kind == "custom" else str(parse_cycle(text))


def day(text: str) -> date:
    """Read a date written ``2026-07-01``."""
    if _DATE.fullmatch(text):
        try:
            return sane_date(date.fromisoformat(text))
        except ValueError:
            pass  # refused below, together with what does not even look like a date
    raise ValueRefused("ACCOUNT02", f"{text!r} is no date", remedy="Write year-month-day, for example 2026-07-01")


def term_days(text: str) -> int:
    """Read a number of days from 0 to 3650."""
    if text.isascii() and text.isdigit() and len(text) <= 4 and int(text) <= _LONGEST_TERM_DAYS:
        return int(text)
    raise ValueRefused("ACCOUNT02", f"{text!r} is no number of days", remedy=f"Use a whole number from 0 to {_LONGEST_TERM_DAYS}")


def email(text: str) -> str:
    """Read an address for electronic delivery."""
    if _EMAIL.fullmatch(text) and text.isprintable():
        return text
    # The address itself is personal data, so the message does not repeat it.
    raise ValueRefused("ACCOUNT02", "this is no e-mail address", remedy="Write name@domain")


def one_of(*names: str) -> Reader:
    """Return a reader that takes one of `names`."""

    def read(text: str) -> str:
        if text in names:
            return text
        raise ValueRefused("ACCOUNT02", f"{text!r} is not known here", remedy=did_you_mean(text, names))

    return read
