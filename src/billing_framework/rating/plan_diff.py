"""What changed between two versions of a plan, component by component and figure by figure."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.rating.price_plan import PlanVersion
from billing_framework.values.number import exact_text


@attrs.frozen(kw_only=True)
class Difference:
    """One thing that two versions say differently.

    Attributes:
        place: ``plan.valid_from``, or component and key: ``energy.tiers[2].price``.
        before: what the old version says, empty where it says nothing.
        after: what the new version says, empty where it says nothing.
    """

    place: str
    before: str
    after: str


_SHOWN_ELSEWHERE = {"components", "sha256", "source"}


def diff(old: PlanVersion, new: PlanVersion) -> tuple[Difference, ...]:
    """Return every difference of content, in the order of the new version; files that only look different have none."""
    before, after = dict(_said(old)), dict(_said(new))
    places = [*after, *(place for place in before if place not in after)]
    return tuple(
        Difference(place=place, before=before.get(place, ""), after=after.get(place, ""))
        for place in places
        if before.get(place, "") != after.get(place, "")
    )


def _said(plan: PlanVersion) -> Iterator[tuple[str, str]]:
    for field in attrs.fields(PlanVersion):
        if field.name not in _SHOWN_ELSEWHERE:
            yield from _flat(f"plan.{field.name}", getattr(plan, field.name))
    previous = ""
    for component in plan.components:
        yield f"{component.code}.after", previous or "the beginning"
        previous = component.code
        for field in attrs.fields(type(component)):
            value = getattr(component, field.name)
            if field.name == "params":
                for own in attrs.fields(type(value)):
                    yield from _flat(f"{component.code}.{own.name}", getattr(value, own.name))
            elif field.name != "code":
                yield from _flat(f"{component.code}.{field.name}", value)


def _flat(place: str, value: Any) -> Iterator[tuple[str, str]]:
    if attrs.has(type(value)):
        for field in attrs.fields(type(value)):
            yield from _flat(f"{place}.{field.name}", getattr(value, field.name))
    elif isinstance(value, Mapping):
        for key in value:
            yield from _flat(f"{place}.{key}", value[key])
    elif isinstance(value, tuple | list | frozenset):
        for number, item in enumerate(sorted(value, key=str) if isinstance(value, frozenset) else value, start=1):
            yield from _flat(f"{place}[{number}]", item)
    elif value is not None:
        yield place, _text(value)


def _text(value: object) -> str:
    if isinstance(value, enum.Enum):
        return str(value.value)
    if isinstance(value, Fraction):
        return exact_text(value)
    return value.isoformat() if isinstance(value, date) else str(value)
