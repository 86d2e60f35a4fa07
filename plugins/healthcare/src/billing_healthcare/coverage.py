"""Who pays for an encounter, in order: the payers with the patient's numbers there."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import attrs

from billing_framework import ValueRefused

RELATIONS = ("18", "01", "19", "20", "21", "39", "40", "53", "G8")
"""Relation of the patient to the subscriber: 18 self, 01 spouse, 19 child, 20 employee, 21 unknown, G8 other, and others."""

MOST_PAYERS = 3


@attrs.frozen(kw_only=True)
class Coverage:
    """One payer of an encounter. All of it is personal data of the patient or the subscriber.

    Attributes:
        payer: identifier of the payer at the clearing house.
        member: the subscriber's member number.
        group: group or policy number, or empty.
        filing: claim filing indicator: ``CI`` commercial, ``MB`` Medicare part B, ``MC`` Medicaid.
        relation: what the patient is to the subscriber.
        last: the subscriber's last name; empty where the patient is the subscriber.
        first: first name.
        birth: date of birth, None where unknown.
        sex: ``F``, ``M`` or ``U``.
    """

    payer: str
    member: str = attrs.field(repr=False)
    group: str = ""
    filing: str = "CI"
    relation: str = "18"
    last: str = attrs.field(default="", repr=False)
    first: str = attrs.field(default="", repr=False)
    birth: date | None = attrs.field(default=None, repr=False)
    sex: str = ""

    @property
    def is_patient(self) -> bool:
        """True where the patient is the subscriber."""
        return self.relation == "18"


_NAMES = tuple(field.name for field in attrs.fields(Coverage))


def make_coverage(given: object) -> Coverage:
    """Return the coverage that a mapping of texts describes.

    Raises:
        ValueRefused: ``HEALTH11`` for a key that is not known, a missing number, or an unknown relation. No value is repeated,
            because all are personal.
    """
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise ValueRefused("HEALTH11", "coverage is no table of texts", remedy=f"Give the keys {', '.join(_NAMES)}")
    unknown = sorted(set(given) - set(_NAMES))
    if unknown:
        raise ValueRefused("HEALTH11", f"coverage has no key {unknown[0]!r}", remedy=f"Known are: {', '.join(_NAMES)}")
    missing = [name for name in ("payer", "member") if not given.get(name)]
    if missing:
        raise ValueRefused("HEALTH11", f"coverage names no {missing[0]}", remedy="Give the payer and the member number")
    if given.get("relation", "18") not in RELATIONS:
        raise ValueRefused("HEALTH11", "the relation to the subscriber is unknown", remedy=f"Use one of {', '.join(RELATIONS)}")
    if given.get("relation", "18") != "18" and not given.get("last"):
        raise ValueRefused("HEALTH11", "the subscriber has no name", remedy="Give last and first of the subscriber")
    texts: dict[str, Any] = {name: text.strip() for name, text in given.items() if text.strip()}
    if "birth" in texts:
        try:
            texts["birth"] = date.fromisoformat(texts["birth"])
        except ValueError as error:
            raise ValueRefused("HEALTH11", "the subscriber's birth is no date", remedy="Write it as 1980-01-31") from error
    return Coverage(**texts)


def write_coverages(coverages: Sequence[Coverage]) -> str:
    """Return coverages as the text that an encounter's record keeps: JSON with sorted keys, nothing that is empty."""
    listed = [{name: str(value) for name, value in attrs.asdict(one).items() if value not in ("", None)} for one in coverages]
    return json.dumps(listed, sort_keys=True, separators=(",", ":")) if listed else ""


def read_coverages(text: str) -> tuple[Coverage, ...]:
    """Return the coverages of an encounter's record, in order.

    Raises:
        ValueRefused: ``HEALTH11`` where the text is no list of coverages, or names more than three payers.
    """
    if not text:
        return ()
    try:
        listed = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueRefused("HEALTH11", "coverage is no JSON", remedy="Give a list of tables") from error
    if not isinstance(listed, list) or len(listed) > MOST_PAYERS:
        raise ValueRefused("HEALTH11", "coverage is no list of up to three payers", remedy="Give the payers in order")
    return tuple(make_coverage(one) for one in listed)
