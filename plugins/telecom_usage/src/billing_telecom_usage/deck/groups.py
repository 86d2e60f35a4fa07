"""Price groups of a call: which price and increment hold from which second of the call on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction

import attrs

from billing_framework import ValueRefused, exact, exact_text

_PART = re.compile(r"(\d{1,6}):(\d{1,12}(?:\.\d{1,12})?)/(\d{1,6})/(\d{1,6})", re.ASCII)
_MINUTE = 60


@attrs.frozen
class Group:
    """From a second of the call on: so much per so many seconds, in steps.

    Attributes:
        start: second of the call at which it begins.
        rate: price of `per` seconds.
        per: seconds that `rate` is for.
        increment: seconds of one step; a step that has begun is charged whole.
    """

    start: int
    rate: Fraction
    per: int
    increment: int


def two_blocks(rate_per_min: Fraction, initial_s: int, increment_s: int) -> tuple[Group, ...]:
    """Return the groups of a first block and steps after it, at one price per minute: 60/6, 30/6, 1/1."""
    first = Group(0, rate_per_min, _MINUTE, initial_s)
    return (first,) if initial_s == increment_s else (first, Group(initial_s, rate_per_min, _MINUTE, increment_s))


def parse_groups(text: str) -> tuple[Group, ...]:
    """Return the groups that a text says: ``0:0.20/60/60 900:0.10/60/1`` is 0.20 per 60 s in steps of 60 s, from 900 s on 0.10.

    Raises:
        ValueRefused: ``TEL20`` for anything else, groups out of order, none at second 0, or steps of no length.
    """
    found = []
    for part in text.split():
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueRefused(
                "TEL20", f"{part!r} is no price group", remedy="Write second:rate/per/increment, as in 0:0.20/60/60"
            )
        found.append(Group(int(match[1]), exact(match[2]), int(match[3]), int(match[4])))
    check_groups(found)
    return tuple(found)


def check_groups(groups: Sequence[Group]) -> None:
    """Refuse groups that leave a second of the call without a price, or two of which begin together.

    Raises:
        ValueRefused: ``TEL20``.
    """
    starts = [group.start for group in groups]
    if not starts or starts[0] != 0 or starts != sorted(set(starts)):
        shown = ", ".join(map(str, starts)) or "none"
        raise ValueRefused("TEL20", f"groups must begin at second 0 and ascend, not at {shown}", remedy="Order them")
    for group in groups:
        if group.increment < 1 or group.per < 1 or group.rate < 0:
            raise ValueRefused(
                "TEL20",
                f"the group at second {group.start} has a step or unit of no length, or a negative price",
                remedy="Give a step and unit of at least one second",
            )


def groups_text(groups: Sequence[Group]) -> str:
    """Return groups as a text that `parse_groups` reads."""
    return " ".join(f"{group.start}:{exact_text(group.rate)}/{group.per}/{group.increment}" for group in groups)
