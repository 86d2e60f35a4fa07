"""Errors of code that is not ours: whatever a plugin raises is its fault, is told as such, and never ends the program.

What is raised may be of any class, an exit of the process among them, and its own methods may fail in their turn.
"""

from __future__ import annotations

import re
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import CodeType
from typing import NamedTuple

from billing_framework.values.code_name import is_storable, storable
from billing_framework.values.errors import BillingError, ContractBroken

MEND = "Report it to the author of the plugin; once it is mended, or its version before is back, draft again: billing run retry"
"""What to do where an account is held because of a plugin; to bill without the plugin would leave out what it bills."""

_LONGEST_MESSAGE = 200
_LONGEST_CODE = 100

_NOT_FOREIGN = frozenset({"", "billing_framework", "pluggy"}) | sys.stdlib_module_names


class Refusal(NamedTuple):
    """A value that a plugin refuses in the framework's own way: code, what is wrong, and what to do."""

    code: str
    what: str
    remedy: str

    @property
    def mend(self) -> str:
        """What to do where an account is held for it: what it says itself, and how the account is drafted again."""
        return f"{self.remedy.rstrip('.')}. {MEND}" if self.remedy else MEND


def refusal_of(error: BaseException) -> Refusal | None:
    """Return what a plugin refuses by an error of the framework's own, None where it fails in another way or says nonsense."""
    if not issubclass(type(error), BillingError):
        return None
    try:
        said = Refusal(error.code, error.what, error.remedy)  # type: ignore[attr-defined]  # as its class promises
    except BaseException:  # noqa: BLE001  it is the plugin's own class
        return None
    if set(map(type, said)) != {str} or not 0 < len(said.code) <= _LONGEST_CODE or not is_storable(said.code):
        return None
    return said


def told(error: BaseException, *, hidden: bool = False) -> str:
    """Return class, text and place of an error as text that can be shown and stored, whatever its own methods do.

    The place is that of the innermost line of the code that is not ours: ``KeyError: 'oops' (at billing_parking/reader.py:57)``.

    Args:
        error: what a plugin raised.
        hidden: True where what it says may be about a person, so that only its class is told.

    Raises:
        KeyboardInterrupt: it is one; the user has ended the program, not the plugin.
    """
    if issubclass(type(error), KeyboardInterrupt):
        raise error
    name = str(type.__dict__["__name__"].__get__(type(error)))  # a metaclass may have a name of its own, which fails
    said = name
    try:
        said = name if hidden else f"{name}: {error}"
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  it is the plugin's own method
        said = f"{name}, whose text cannot be made"
    return storable(f"{said[:_LONGEST_MESSAGE]}{_raised_at(error)}")


def _raised_at(error: BaseException) -> str:
    """Return where an error was raised, in the package by which code that is not ours was entered; empty where none was."""
    at = BaseException.__dict__["__traceback__"].__get__(error)  # its class may have something else of that name
    named = [(dict.get(frame.f_globals, "__name__"), frame.f_code, line) for frame, line in traceback.walk_tb(at)]
    foreign = [(name, code, line) for name, code, line in named if type(name) is str and _package(name) not in _NOT_FOREIGN]
    own = [one for one in foreign if _package(one[0]) == _package(foreign[0][0])]
    written = [one for one in own if not one[1].co_filename.startswith("<")] or own  # a method that attrs makes has no file
    return f" (at {_file(*written[-1][:2])}:{written[-1][2]})" if written else ""


def _package(module: str) -> str:
    return module.partition(".")[0]


def _file(module: str, code: CodeType) -> str:
    """Return the file of a module from its package on, without the folders of this machine."""
    parts = [part for part in re.split(r"[/\\]", code.co_filename) if part]
    depth = module.count(".") + 1 + (parts[-1:] == ["__init__.py"])
    return "/".join(parts[-depth:])


@contextmanager
def failures_of(who: str, *, place: str = "", remedy: str = "", hidden: bool = False) -> Iterator[None]:
    """Tell whatever code of a plugin raises inside the block as its failure; what it refuses by our own errors is passed on.

    Args:
        who: the plugin and what is asked of it: ``the reader 'nem12' of plugin utility_metering``.
        place: file or document that it was asked about.
        remedy: what to do; to report it where empty.
        hidden: True where the text of the error may be about a person, so that only its class is told.

    Raises:
        ContractBroken: ``PLUGIN05``.
    """
    try:
        yield
    except GeneratorExit:  # whoever reads what a generator yields has had enough
        raise
    except BaseException as error:
        if refusal_of(error) is not None:
            raise
        what = f"{who} failed: {told(error, hidden=hidden)}"
        raise ContractBroken("PLUGIN05", what, place=place, remedy=remedy) from (None if hidden else error)
