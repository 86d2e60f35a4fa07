"""Every error that the framework raises, as one tree in reading order.

An error says what is wrong, where, and what to do. Problems of *data* are not errors but `Finding` values; an error stops
the command. Each class fixes the exit code that the command line returns.
"""

from __future__ import annotations

from typing import ClassVar

LONGEST_TEXT = 2_000
"""Characters of each part of a message; what is longer is cut."""


class BillingError(Exception):
    """The root: a stable code, one sentence on what is wrong, the place, and the remedy.

    Args:
        code: stable code such as ``LEDGER04``; every code has a page in the reference.
        what: what is wrong, with the offending value.
        place: where: file and line, field, record or command.
        remedy: what the reader can do about it.
    """

    exit_code: ClassVar[int] = 2

    def __init__(self, code: str, what: str, *, place: str = "", remedy: str = "") -> None:
        self.code = code
        self.what = shortened(what)
        self.place = shortened(place)
        self.remedy = shortened(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.code} {self.what}"
        if self.place:
            text = f"{self.place}: {text}"
        return f"{text}. {self.remedy}" if self.remedy else text

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.code, self.what, self.place, self.remedy))


def shortened(text: str) -> str:
    """Return a text that is cut where it is too long; a message quotes what it refuses, which may be a file of its own."""
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _rebuild(cls: type[BillingError], code: str, what: str, place: str, remedy: str) -> BillingError:
    return cls(code, what, place=place, remedy=remedy)


class ValueRefused(BillingError):
    """A value cannot be what it claims to be: unknown currency, too many decimals, not a number."""


class UnitMismatch(ValueRefused):
    """Two values whose units or currencies do not fit were combined; the message names both."""


class ConfigurationError(BillingError):
    """``billing.toml``, a plugin or the environment is not as it must be."""


class InputRefused(BillingError):
    """A file or argument is refused as a whole; nothing of it was taken in."""


class NotFound(BillingError):
    """A named thing does not exist; the remedy offers the nearest name."""


class Refused(BillingError):
    """The state of the books, a run or a document forbids the action."""

    exit_code: ClassVar[int] = 3


class Conflict(Refused):
    """The key was used before with other content."""


class LedgerRefused(Refused):
    """The database's guards refused an entry, a batch or a change of the books."""


class StorageError(BillingError):
    """The database cannot be reached, or its schema is not the one this version needs."""

    exit_code: ClassVar[int] = 4


class OutputRefused(BillingError):
    """The result cannot be written where it is to go; what the command has done stands."""

    exit_code: ClassVar[int] = 74


UNREADABLE = (ArithmeticError, TypeError, ValueError, BillingError)
"""How values, and what is made of them, refuse what was never stored."""


def unreadable(what: str) -> StorageError:
    """Return the error that something stored is no longer what was stored there.

    What stands there instead may be about people and is never quoted.
    """
    return StorageError(
        "STORAGE21",
        f"a stored {what} cannot be read; it is not what was stored there",
        remedy="Find out who changed it behind the program's back, and restore it from a backup",
    )


class ContractBroken(BillingError):
    """A plugin returned something that the contract of its hook forbids: a fault of a program, not of data."""

    exit_code: ClassVar[int] = 70
