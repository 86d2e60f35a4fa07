"""Ranges of identifiers: one assignment for a block of numbers that are written one after the other, such as 493400..493499."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

import attrs

from billing_framework.accounts.assignment import Assignment
from billing_framework.values.errors import ValueRefused

BETWEEN = ".."
"""What stands between the first and the last identifier of a range."""

_DIGITS = re.compile(r"[0-9]+")


@attrs.frozen(order=True)
class IdentifierRange:
    """The identifiers from `first` to `last`: as long as they are, beginning as both do, and with digits after that.

    Attributes:
        first: the first identifier.
        last: the last one, which belongs to it.
    """

    first: str
    last: str

    @property
    def text(self) -> str:
        """The range as the subject of an assignment."""
        return f"{self.first}{BETWEEN}{self.last}"

    def holds(self, identifier: str) -> bool:
        """Return whether an identifier is one of the range."""
        if len(identifier) != len(self.first) or not self.first <= identifier <= self.last:
            return False
        head = _shared(self.first, self.last)
        rest = identifier[head:]
        return identifier[:head] == self.first[:head] and (not rest or _DIGITS.fullmatch(rest) is not None)

    def meets(self, other: IdentifierRange) -> bool:
        """Return whether any identifier is one of both ranges."""
        if len(self.first) != len(other.first):
            return False
        shared = max(self.first, other.first)
        return self.holds(shared) and other.holds(shared)


def range_of(subject: str) -> IdentifierRange | None:
    """Return the range that the subject of an assignment names, None where it names one identifier.

    Raises:
        ValueRefused: ``ACCOUNT21`` for two ends of different lengths, that differ in more than digits, or in the wrong order.
    """
    if BETWEEN not in subject:
        return None
    first, _, last = subject.partition(BETWEEN)
    head = _shared(first, last)
    tails = (first[head:], last[head:])
    if len(first) != len(last) or first >= last or not all(_DIGITS.fullmatch(tail) for tail in tails):
        raise ValueRefused(
            "ACCOUNT21",
            f"{subject!r} is no range of identifiers",
            remedy="Write the first and the last one with two full stops between them, equally long and differing in digits only",
        )
    return IdentifierRange(first, last)


def span_of_subject(subject: str) -> IdentifierRange:
    """Return the range that a subject names; one identifier is the range from itself to itself."""
    return range_of(subject) or IdentifierRange(subject, subject)


def merged(subjects: Iterable[str]) -> tuple[str, ...]:
    """Return the subjects of assignments in order, those that share an identifier as one range from first to last.

    A range that grew or shrank on some date has an assignment for each of its sizes; readers of a bill want to see it once.

    Args:
        subjects: identifiers and ranges, in any order, also repeatedly.

    Raises:
        ValueRefused: ``ACCOUNT21`` for a range that is none.
    """
    found: list[IdentifierRange] = []
    for span in sorted((span_of_subject(one) for one in set(subjects)), key=lambda one: (len(one.first), one.first, one.last)):
        if found and found[-1].meets(span):
            found[-1] = IdentifierRange(found[-1].first, max(found[-1].last, span.last))
        else:
            found.append(span)
    return tuple(one.first if one.first == one.last else one.text for one in sorted(found))


def _shared(first: str, last: str) -> int:
    """Return how many characters two texts begin with together."""
    pairs = zip(first, last, strict=False)
    return next((place for place, (one, other) in enumerate(pairs) if one != other), min(len(first), len(last)))


def spread(ranged: Assignment, identifiers: Iterable[str]) -> Iterator[Assignment]:
    """Yield the assignment of a range as one assignment for each of those of `identifiers` that are in it, in order."""
    span = span_of_subject(ranged.subject)
    for identifier in sorted(set(identifiers)):
        if span.holds(identifier):
            yield attrs.evolve(ranged, subject=identifier, within=ranged.subject)


def with_members(assignments: Iterable[Assignment], identifiers: Collection[str]) -> tuple[Assignment, ...]:
    """Return assignments in order of subject and date, each range followed by one for every identifier in it that delivered."""
    found: list[Assignment] = []
    for one in assignments:
        found.append(one)
        if BETWEEN in one.subject:
            found.extend(spread(one, identifiers))
    return tuple(sorted(found, key=lambda one: (one.subject, one.starts_on)))
