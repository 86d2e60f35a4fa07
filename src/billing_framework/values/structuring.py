"""Plain data (from TOML, JSON or the command line) into frozen attrs values, strictly, and what is wrong with it as problems."""

from __future__ import annotations

import contextlib
import enum
import functools
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any

import attrs
import cattrs
from cattrs.cols import homogenous_tuple_structure_factory, is_mapping, mapping_structure_factory
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
    IterableValidationNote,
)
from cattrs.gen import make_dict_structure_fn

from billing_framework.values.errors import BillingError
from billing_framework.values.money import Money
from billing_framework.values.number import exact
from billing_framework.values.period import sane_date
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class Problem:
    """One thing that is wrong with data.

    Attributes:
        path: keys and 0-based positions that lead to it.
        kind: ``unknown`` key, ``missing`` key or ``bad`` value.
        what: what is wrong.
        remedy: what to do.
        value: the offending value as text.
        code: stable code where the value's own check gave one, else empty.
    """

    path: tuple[str | int, ...]
    kind: str
    what: str
    remedy: str = ""
    value: str = ""
    code: str = ""


class WrongValue(Exception):
    """A value is not of its type; raised by structure hooks and turned into a `Problem`."""

    def __init__(self, what: str, remedy: str, value: object) -> None:
        self.what = what
        self.remedy = remedy
        self.value = shown(value)
        super().__init__(what)


def shown(value: object) -> str:
    """Return a value of plain data as a message quotes it."""
    return str(getattr(value, "text", value))[:200]


@functools.cache
def strict_converter() -> cattrs.Converter:
    """Return the converter that takes every value only in its own type: text is no number, a float is never exact."""
    converter = cattrs.Converter(detailed_validation=True, forbid_extra_keys=True)
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(bool, _boolean)
    converter.register_structure_hook(int, _whole)
    converter.register_structure_hook(Fraction, _exact)
    converter.register_structure_hook(date, _date)
    converter.register_structure_hook(datetime, _instant)
    converter.register_structure_hook(Money, _money)
    converter.register_structure_hook_func(_is_enum, _enum)
    converter.register_structure_hook_factory(_is_tuple, _only_lists(homogenous_tuple_structure_factory))
    converter.register_structure_hook_factory(is_mapping, _only_tables(mapping_structure_factory))
    converter.register_structure_hook_factory(_is_plain_attrs, _only_tables(_class_hook))
    return converter


def _text(value: object, _: object) -> str:
    if type(value) is str:
        return value
    raise WrongValue("text is needed here", "Write it in double quotes", value)


def _boolean(value: object, _: object) -> bool:
    if type(value) is bool:
        return value
    raise WrongValue("true or false is needed here", "Write true or false without quotes", value)


def _whole(value: object, _: object) -> int:
    if type(value) is int:
        return value
    raise WrongValue("a whole number is needed here", "Write it without quotes and decimals", value)


def _exact(value: object, _: object) -> Fraction:
    if type(value) is str or type(value) is int or isinstance(value, Fraction):
        return exact(value)
    raise WrongValue("an exact number is needed here", 'Write it in double quotes, for example "0.1234"', value)


def _date(value: object, _: object) -> date:
    if type(value) is str:
        with contextlib.suppress(ValueError):
            value = date.fromisoformat(value)
    if type(value) is date:
        return sane_date(value)
    raise WrongValue("a date is needed here", "Write it as 2026-07-31", value)


def _instant(value: object, _: object) -> datetime:
    if type(value) is str:
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            value = None
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value
    raise WrongValue("an instant with its offset is needed here", "Write it as 2026-07-31T23:59:00+02:00", value)


def _money(value: object, _: object) -> Money:
    if isinstance(value, Money):
        return value
    if type(value) is str and len(value.split()) == 2:
        number, currency = value.split()
        return Money.of(number, currency)
    raise WrongValue("an amount of money is needed here", 'Write it as "5000.00 USD"', value)


def _is_enum(cls: object) -> bool:
    return isinstance(cls, type) and issubclass(cls, enum.Enum)


def _enum(value: object, cls: type[enum.Enum]) -> enum.Enum:
    allowed = [str(member.value) for member in cls]
    for member in cls:
        if member.value == value or member is value:
            return member
    raise WrongValue(f"{shown(value)!r} is not one of {', '.join(allowed)}", did_you_mean(shown(value), allowed), value)


def _is_tuple(cls: object) -> bool:
    return getattr(cls, "__origin__", None) is tuple


def _is_plain_attrs(cls: object) -> bool:
    return isinstance(cls, type) and attrs.has(cls) and cls is not Money


Hook = Callable[[Any, Any], Any]
HookFactory = Callable[[Any, cattrs.Converter], Hook]


def _only_lists(factory: HookFactory) -> HookFactory:
    return _guarded(factory, (list, tuple), "a list is needed here", "Write it in square brackets")


def _only_tables(factory: HookFactory) -> HookFactory:
    return _guarded(factory, Mapping, "a table is needed here", "Write key = value lines below a [header], or { key = value }")


def _guarded(factory: HookFactory, types: type | tuple[type, ...], what: str, remedy: str) -> HookFactory:
    def guarded_factory(cls: type, converter: cattrs.Converter) -> Hook:
        inner = factory(cls, converter)

        def hook(value: object, target: type) -> object:
            if not isinstance(value, types):
                raise WrongValue(what, remedy, value)
            return inner(value, target)

        return hook

    return guarded_factory


def _class_hook(cls: type, converter: cattrs.Converter) -> Hook:
    return make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True, _cattrs_detailed_validation=True)


def problems_of(error: BaseException, path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """Yield what is wrong, from the error that cattrs raised, in the order of the data."""
    if isinstance(error, BaseValidationError):
        for inner in error.exceptions:
            yield from problems_of(inner, path + _step(inner))
    elif isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)] if attrs.has(error.cl) else []
        for key in sorted(error.extra_fields):
            yield Problem(
                path=(*path, key), kind="unknown", what=f"the key {key!r} is unknown here", remedy=did_you_mean(key, known)
            )
    elif isinstance(error, KeyError):
        yield Problem(path=path, kind="missing", what="a required key is missing", remedy=f"Add {path[-1] if path else error}")
    elif isinstance(error, WrongValue):
        yield Problem(path=path, kind="bad", what=error.what, remedy=error.remedy, value=error.value)
    elif isinstance(error, BillingError):
        yield Problem(path=path, kind="bad", what=error.what, remedy=error.remedy, code=error.code)
    else:
        yield Problem(path=path, kind="bad", what=f"{error}", remedy="Correct the value")


def _step(error: BaseException) -> tuple[str | int, ...]:
    for note in getattr(error, "__notes__", ()):
        if isinstance(note, AttributeValidationNote):
            return (note.name,)
        if isinstance(note, IterableValidationNote):
            return (note.index,)
    return ()
