"""Values of the domain as plain data and as one JSON text, and back, without losing a digit.

Exact numbers, dates and instants are text, lengths of time are seconds, money is ``12.50 USD``, enumerations are their values.
What is written is read back equal; a stored manifest can therefore be replayed years later, and a digest over the text is of
the value.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from json.encoder import encode_basestring
from typing import Any, TypeVar, get_args, get_origin

import cattrs
import orjson
from cattrs.errors import ForbiddenExtraKeysError

from billing_framework.values.errors import UNREADABLE, ValueRefused, unreadable
from billing_framework.values.money import Money, minor_digits
from billing_framework.values.number import exact, exact_text, stored_number

Value = TypeVar("Value")

_MICROSECOND = timedelta(microseconds=1)
_PLAIN = frozenset((str, int, bool, type(None)))
_encode = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False, check_circular=False
).encode
_LIKE_JSON = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME
_MAY_BE_A_FLOAT = re.compile(r'(?:^|[\[:,])-?\d+[.eE]|[{,]"-?\d+[.eE][^"]*":')
"""What a float looks like in JSON, as a value or as a key; text may look alike, so that a hit is only a reason to look closer."""


_OF_OTHER_DATA = (*UNREADABLE, AttributeError, LookupError, ForbiddenExtraKeysError)
"""How data are refused that no value was written as: a missing field, one too many, a list for a mapping, a word for a number."""


def to_plain(value: object) -> Any:
    """Return an attrs value, or a list of them, as mappings, lists, text and whole numbers."""
    return _converter(terse=False).unstructure(value)


def to_terse(value: object) -> Any:
    """Return a value as plain data without the fields that are at their default.

    A field at its default says nothing, so that a field which a later version adds changes no digest and no stored text of
    today; the default of a field that is stored can therefore never change.
    """
    return _converter(terse=True).unstructure(value)


def from_plain(data: Any, cls: type[Value]) -> Value:
    """Return the value of `cls` that `to_plain` or `to_terse` had written.

    Raises:
        StorageError: ``STORAGE21`` where neither had written it.
    """
    try:
        return _converter(terse=False).structure(data, cls)
    except _OF_OTHER_DATA as error:
        raise unreadable(str(getattr(cls, "__name__", cls))) from error


def to_text(value: object) -> str:
    """Return the one JSON text of a value, without the fields that are at their default; digests are taken over it."""
    return text_of_plain(to_terse(value))


def text_of_plain(data: Any) -> str:
    """Return the one JSON text of what `to_plain` or `to_terse` returned, whose exact numbers are text already."""
    try:
        return orjson.dumps(data, option=_LIKE_JSON).decode()
    except TypeError:  # for whole numbers beyond 64 bits and keys that are no text, the same text, slower
        return _encode(data)


def read_mapping(text: str) -> dict[str, Any]:
    """Return the mapping that a stored text says as plain data; an empty one where it cannot be read, or says another thing."""
    try:
        said = orjson.loads(text)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def json_string(text: str) -> str:
    """Return a text as `canonical_json` writes it."""
    return encode_basestring(text)


def canonical_json(value: Mapping[str, Any] | list[Any] | str | int | None) -> str:
    """Return the one JSON text of plain data: keys sorted, no blanks; a float anywhere inside is refused.

    Raises:
        ValueRefused: ``STORAGE15`` for a float or another value that JSON has no exact form for.
    """
    try:
        text = _encode(value)
    except (TypeError, ValueError):
        _refuse_inexact(value)
        raise
    if _MAY_BE_A_FLOAT.search(text):
        _refuse_inexact(value)
    return text


def _refuse_inexact(value: Any) -> None:
    if type(value) in _PLAIN:
        return
    if isinstance(value, Mapping):
        for key, part in value.items():
            _refuse_inexact(key)
            _refuse_inexact(part)
    elif isinstance(value, list | tuple):
        for part in value:
            _refuse_inexact(part)
    elif value is not None and not isinstance(value, str | int):
        raise ValueRefused(
            "STORAGE15",
            f"{value!r} of type {type(value).__name__} cannot be stored as JSON",
            remedy="Store exact numbers as text",
        )


@functools.cache
def _converter(*, terse: bool) -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False, omit_if_default=terse)
    converter.register_unstructure_hook(Fraction, exact_text)
    converter.register_structure_hook(Fraction, lambda text, _: stored_number(text))
    converter.register_unstructure_hook(Money, str)
    converter.register_structure_hook(Money, _money)
    converter.register_unstructure_hook(datetime, lambda instant: instant.isoformat())
    converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text).astimezone(UTC))
    converter.register_unstructure_hook(timedelta, lambda span: exact_text(Fraction(span // _MICROSECOND, 10**6)))
    converter.register_structure_hook(timedelta, lambda text, _: int(exact(text) * 10**6) * _MICROSECOND)
    converter.register_unstructure_hook(date, functools.lru_cache(maxsize=1024)(date.isoformat))  # the same few, again and again
    converter.register_structure_hook(date, lambda text, _: date.fromisoformat(text))
    converter.register_unstructure_hook_factory(_is_row, _row_writer)
    converter.register_unstructure_hook_func(_holds_days, lambda days: [day.isoformat() for day in sorted(days)])
    converter.register_structure_hook_func(_is_days, lambda texts, _: frozenset(map(date.fromisoformat, texts)))
    return converter


def _is_row(cls: object) -> bool:
    """Return whether a type is a tuple of any number of values of one type; nearly all of a document's text is of such."""
    return get_origin(cls) is tuple and get_args(cls)[1:] == (...,)


def _row_writer(cls: object, converter: cattrs.Converter) -> Callable[[tuple[Any, ...]], Any]:
    one = get_args(cls)[0]
    if one in _PLAIN or (get_origin(one) is tuple and _PLAIN.issuperset(get_args(one))):
        return list  # JSON writes a pair of texts as a list, too
    write = converter.get_unstructure_hook(one)
    return lambda values: [write(value) for value in values]


def _holds_days(cls: object) -> bool:
    return cls is frozenset or _is_days(cls)  # a set by itself, without the field that says what it holds


def _is_days(cls: object) -> bool:
    return cls == frozenset[date]


def _money(text: str, _: object) -> Money:
    number, currency = text.split(" ")
    whole, _, part = number.partition(".")
    if len(part) == minor_digits(currency):
        return Money(int(whole + part), currency)
    return Money.of(number, currency)
