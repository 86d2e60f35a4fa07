"""Telephone numbers as a switch writes them become E.164 digits, short numbers, or a refusal."""

from __future__ import annotations

import enum
import re

import attrs

from billing_framework import ValueRefused

E164_DIGITS = 15
"""Most digits of an international number (ITU-T E.164); a dialled number may go on, the digits after these name nobody."""

LONGEST_DIALLED = 40
_SEPARATORS = str.maketrans("", "", " -.()/\t\u00a0")
_DIGITS = re.compile(r"[0-9]+")
LEAST_BEFORE_PREFIX = 7


class NumberClass(enum.Enum):
    """What kind of number it is.

    ``INTERNATIONAL``: E.164 digits with country code. ``SHORT``: a short code or an extension, which no prefix may match (2001 is
    not in Egypt). ``OTHER``: what was dialled is no number at all; kept for calls that nobody answered, and never priced.
    """

    INTERNATIONAL = "international"
    SHORT = "short"
    OTHER = "other"


class Plain(enum.Enum):
    """How a number without any prefix is read: ``INTERNATIONAL`` begins with its country code, ``NATIONAL`` does not."""

    INTERNATIONAL = "international"
    NATIONAL = "national"


def _digits(_plan: object, field: attrs.Attribute[str], text: str) -> None:
    if text and not _DIGITS.fullmatch(text):
        raise ValueRefused("TEL07", f"{field.name} must be digits, not {text!r}")


def _all_digits(_plan: object, field: attrs.Attribute[tuple[str, ...]], texts: tuple[str, ...]) -> None:
    if not all(_DIGITS.fullmatch(text) for text in texts):
        raise ValueRefused("TEL07", f"{field.name} must be prefixes of digits, not {', '.join(map(repr, texts))}")


@attrs.frozen(kw_only=True)
class NumberPlan:
    """How the numbers of one switch are dialled.

    Attributes:
        country: country code of the switch, for national numbers: ``49``.
        area: area code of the switch, put before numbers that are dialled without `trunk`: ``30``. Empty where they have one.
        international: prefixes of international calls: ``00``, ``011``.
        trunk: prefix of national calls: ``0``.
        plain: how a number without any prefix is read.
        short_digits: numbers of at most so many digits are short codes and extensions.
        tech_prefixes: what the switch puts in front for its own use, stripped before anything else: ``7777#``.
    """

    country: str = attrs.field(default="", validator=_digits)
    area: str = attrs.field(default="", validator=_digits)
    international: tuple[str, ...] = attrs.field(default=(), validator=_all_digits)
    trunk: str = attrs.field(default="", validator=_digits)
    plain: Plain = Plain.INTERNATIONAL
    short_digits: int = attrs.field(default=5, validator=[attrs.validators.ge(0), attrs.validators.le(E164_DIGITS)])
    tech_prefixes: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        """Refuse a plan by which a national number could not be completed."""
        if self.plain is Plain.NATIONAL and not self.country:
            raise ValueRefused("TEL07", "national numbers need a country code", remedy='Give country, for example "49"')


@attrs.frozen
class Number:
    """A number after normalisation.

    Attributes:
        digits: E.164 digits with country code and without plus, or those of a short number; what was dialled for any other.
        kind: what it is.
    """

    digits: str
    kind: NumberClass


def normalised(text: str, plan: NumberPlan) -> Number:
    """Return the number that a switch wrote as `text`.

    Separators and technical prefixes are stripped; then a leading plus or international prefix makes it international, few digits
    make it short, and what is left is read as `NumberPlan.plain` says. Digits after the fifteenth (overdialling) are kept.

    Args:
        text: the number as written.
        plan: how the switch's numbers are dialled.
    """
    plain = without_separators(text)
    for prefix in plan.tech_prefixes:
        if prefix and plain.startswith(prefix):
            plain = plain[len(prefix) :]
            break
    international = plain.startswith("+")
    rest = plain[1:] if international else plain
    if not _DIGITS.fullmatch(rest) or len(rest) > LONGEST_DIALLED:
        return Number(text.strip(), NumberClass.OTHER)
    if not international and len(rest) > LEAST_BEFORE_PREFIX:
        for prefix in plan.international:
            if rest.startswith(prefix):
                return _international(rest[len(prefix) :], text)
    if international:
        return _international(rest, text)
    if len(rest) <= plan.short_digits:
        return Number(rest, NumberClass.SHORT)
    return _international(_with_country(rest, plan) if plan.plain is Plain.NATIONAL else rest, text)


def is_of_class(digits: str, kind: NumberClass) -> bool:
    """Return whether a number can be what `normalised` gives for one of a class."""
    if kind is NumberClass.OTHER:
        return bool(digits)
    return bool(_DIGITS.fullmatch(digits)) and not (kind is NumberClass.INTERNATIONAL and digits.startswith("0"))


def without_separators(text: str) -> str:
    """Return a number as written without what only makes it easier to read."""
    return text.translate(_SEPARATORS)


def _with_country(digits: str, plan: NumberPlan) -> str:
    if plan.trunk and digits.startswith(plan.trunk):
        return plan.country + digits[len(plan.trunk) :]
    return plan.country + plan.area + digits


def _international(digits: str, text: str) -> Number:
    """Return an international number; country codes never begin with zero."""
    if not digits or digits.startswith("0"):
        return Number(text.strip(), NumberClass.OTHER)
    return Number(digits, NumberClass.INTERNATIONAL)
