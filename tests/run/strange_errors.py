"""What code of others may raise besides an honest error, as an answer to whatever it is asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import NoReturn

from billing_framework.values.errors import ValueRefused
from tests.run.faulty import Fault

UNSPEAKABLE = "half \ud800 and nothing \0"
"""A text that no database stores."""


def leave(*_: object) -> NoReturn:
    sys.exit("good bye")


class OwnError(BaseException):
    """What a plugin may take for a good idea."""


class UnsayableError(Exception):
    def __str__(self) -> str:
        raise OwnError


class NamelessErrors(type):
    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise OwnError


class NamelessError(Exception, metaclass=NamelessErrors):
    """An error that does not say its name."""


def raising(error: Callable[[], BaseException]) -> Fault:
    def fail(*_: object) -> NoReturn:
        raise error()

    return fail


STRANGE: dict[str, Fault] = {
    "raises an error whose text cannot be made": raising(UnsayableError),
    "raises an error whose text is a number": raising(type("OddError", (Exception,), {"__str__": lambda _: 5})),
    "raises an error whose text ends the program": raising(type("OddError", (Exception,), {"__str__": leave})),
    "raises an error without a name": raising(NamelessError),
    "raises an error of its own": raising(OwnError),
    "raises a group of errors": raising(lambda: BaseExceptionGroup("odd", [OwnError()])),
    "is cancelled": raising(asyncio.CancelledError),
    "refuses by a code that cannot be stored": raising(lambda: ValueRefused(UNSPEAKABLE, "odd")),
    "refuses by an endless code": raising(lambda: ValueRefused("ODD" * 1_000, "odd")),
}
