"""Errors of code that is not ours: whatever a plugin raises is its fault, is told as such, and never ends the program.

What is raised may be of any class, an exit of the process among them, and its own methods may fail in their turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from billing_framework.values.code_name import is_storable, storable
from billing_framework.values.errors import BillingError, ContractBroken

MEND = "Report it to the author of the plugin; once it is mended, or its version before is back, draft again: billing run retry"
"""What to do where an account is held because of a plugin; to bill without the plugin would leave out what it bills."""

_LONGEST_MESSAGE = 200
_LONGEST_CODE = 100


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
    """Return class and text of an error as text that can be shown and stored, whatever its own methods do.

    Args:
        error: what a plugin raised.
        hidden: True where what it says may be about a person, so that only its class is told.

    Raises:
        KeyboardInterrupt: it is one; the user has ended the program, not the plugin.
    """
    if issubclass(type(error), KeyboardInterrupt):
        raise error
    name = str(type.__dict__["__name__"].__get__(type(error)))  # a metaclass may have a name of its own, which fails
    if hidden:
        return name
    try:
        said = f"{name}: {error}"
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001  it is the plugin's own method
        said = f"{name}, whose text cannot be made"
    return storable(said[:_LONGEST_MESSAGE])


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
