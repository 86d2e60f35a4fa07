"""What was written into a value is noticed and put back, wherever inside of it; looking at it is not."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import attrs
import pytest

from billing_framework.values.kept import Kept


@dataclasses.dataclass
class Site:
    grace: int


@attrs.frozen
class Settings:
    limit: int
    graces: dict[str, Any]
    days: list[int]
    closed: set[int]
    sites: tuple[Site, ...]
    by_name: Any


class Incomparable:
    def __eq__(self, other: object) -> bool:
        raise SystemExit(3)

    __hash__ = None  # type: ignore[assignment]


def made() -> Settings:
    sites = (Site(5), Site(10))
    return Settings(3, {"default": 300, "night": {"late": 1}}, [1, 2], {6, 7}, sites, MappingProxyType({"first": sites[0]}))


WRITES: dict[str, Callable[[Settings], object]] = {
    "an entry": lambda one: one.graces.update(default=0),
    "an entry more": lambda one: one.graces.update(noon=0),
    "an entry inside": lambda one: one.graces["night"].clear(),
    "an entry that cannot be compared": lambda one: one.graces.update(default=Incomparable()),
    "an item": lambda one: one.days.append(3),
    "a member": lambda one: one.closed.discard(6),
    "a frozen field": lambda one: object.__setattr__(one, "limit", 4),
    "a frozen field with another list": lambda one: object.__setattr__(one, "days", [9]),
    "no field": lambda one: object.__delattr__(one, "graces"),
    "a field of a dataclass": lambda one: setattr(one.sites[1], "grace", 0),
    "a field behind a view": lambda one: setattr(one.by_name["first"], "grace", 0),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_is_written_is_put_back(write: str) -> None:
    value = made()
    kept = Kept.of(value)
    assert not kept.put_back()
    WRITES[write](value)
    assert kept.put_back()
    assert value == made()
    assert not kept.put_back()


@pytest.mark.parametrize("value", [None, 7, "settings", (), object()], ids=["none", "number", "text", "tuple", "object"])
def test_what_cannot_be_written_into_is_as_it_was(value: object) -> None:
    assert not Kept.of(value).put_back()


def test_a_value_that_holds_itself_is_kept() -> None:
    value: dict[str, object] = {"limit": 3}
    value["own"] = [value]
    kept = Kept.of(value)
    value["limit"] = 4
    assert kept.put_back()
    assert value["limit"] == 3
