"""What code of others is given and must leave as it is: what it has written into is noticed, and put back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import Any, Self

import attrs

_PLAIN: tuple[Any, ...] = (dict, list, set)


@attrs.frozen(eq=False)
class _Container:
    """A dict, list or set and a copy of it; asked by the methods of the plain class, whatever its own do."""

    kind: Any
    value: Any
    held: Any

    def is_as_held(self) -> bool:
        return bool(self.kind.__eq__(self.value, self.held))

    def put_back(self) -> None:
        self.kind.clear(self.value)
        (list.extend if self.kind is list else self.kind.update)(self.value, self.held)


@attrs.frozen(eq=False)
class _Fields:
    """An object of attrs or dataclasses, what reads its fields, and what they were; a frozen one can be written into, too."""

    value: object
    names: tuple[str, ...]
    read: Callable[[object], Any]
    held: Any

    def is_as_held(self) -> bool:
        return bool(self.read(self.value) == self.held)

    def put_back(self) -> None:
        for name, held in zip(self.names, self.held if len(self.names) > 1 else (self.held,), strict=True):
            object.__setattr__(self.value, name, held)


@attrs.frozen(eq=False)
class Kept:
    """A value as it was: its dicts, lists and sets, and objects of attrs and dataclasses, however deep inside."""

    _parts: tuple[_Container | _Fields, ...]

    @classmethod
    def of(cls, value: object) -> Self:
        """Return what a value is now."""
        parts: list[_Container | _Fields] = []
        seen: set[int] = set()
        waiting = [value]
        while waiting:
            one = waiting.pop()
            if id(one) not in seen:
                seen.add(id(one))
                waiting += _inside(one)
                parts += _part(one)
        return cls(tuple(parts))

    def put_back(self) -> bool:
        """Make the value what it was; return whether anything had been written into it."""
        if self._is_as_held():
            return False
        for part in self._parts:
            part.put_back()
        return True

    def _is_as_held(self) -> bool:
        try:
            return all(part.is_as_held() for part in self._parts)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001  a field is gone, or what stands there now cannot be compared
            return False


def _names(one: object) -> tuple[str, ...]:
    """Return the names of the fields of an object of attrs or dataclasses, as far as they are filled."""
    sort = type(one)
    fields = attrs.fields(sort) if attrs.has(sort) else dataclasses.fields(sort) if dataclasses.is_dataclass(sort) else ()
    return tuple(field.name for field in fields if hasattr(one, field.name))


def _inside(one: object) -> Iterator[object]:
    if isinstance(one, Mapping):
        yield from one.values()
    elif isinstance(one, list | tuple | set | frozenset):
        yield from one
    else:
        yield from (getattr(one, name) for name in _names(one))


def _part(one: Any) -> Iterator[_Container | _Fields]:
    for kind in _PLAIN:
        if isinstance(one, kind):
            yield _Container(kind, one, kind.copy(one))
            return
    if names := _names(one):
        read = attrgetter(*names)
        yield _Fields(one, names, read, read(one))
