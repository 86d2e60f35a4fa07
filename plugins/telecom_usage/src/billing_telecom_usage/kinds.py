"""What a call detail record says: one telephone call."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from billing_framework import UsageKind, ValueRefused
from billing_telecom_usage.numbers import NumberClass, is_of_class

LONGEST_SECONDS = 366 * 86_400
"""No call lasts longer."""


class Direction(enum.Enum):
    """Which way a call went, seen from the customer: ``OUTGOING`` belongs to the caller, ``INCOMING`` to the called number."""

    OUTGOING = "outgoing"
    INCOMING = "incoming"


def _lasts_no_longer(_call: object, field: attrs.Attribute[int], seconds: int) -> None:
    if seconds > LONGEST_SECONDS:
        raise ValueRefused("TEL05", f"no call lasts so long ({field.name} {seconds})", remedy=f"Give at most {LONGEST_SECONDS}")


def _is_number(call: Call, _field: object, number: str) -> None:
    if not is_of_class(number, call.b_class):
        remedy = "Write the digits with the country code and without plus, those of a short number as they are"
        raise ValueRefused("TEL03", f"{number!r} is no {call.b_class.value} telephone number", remedy=remedy)


@attrs.frozen(kw_only=True)
class Call:
    """One call, or one leg of it.

    Attributes:
        a_number: number of the caller, as E.164 digits.
        b_number: number that was called: E.164 digits, a short number, or what was dialled where that is no number.
        b_class: which of these it is.
        direction: which way the call went.
        answered_at: when it was answered; None where it was not.
        duration_seconds: from setup to end.
        billed_seconds: from answer to end; 0 where nobody answered.
        disposition: how it ended, as the switch writes it.
        continuation: True for the second and later legs of a session, which bear no connection fee.
        account_code: account code that the switch noted.
    """

    a_number: str
    b_number: str = attrs.field(validator=_is_number)
    b_class: NumberClass
    direction: Direction = Direction.OUTGOING
    answered_at: datetime | None = None
    duration_seconds: int = attrs.field(validator=[attrs.validators.ge(0), _lasts_no_longer])
    billed_seconds: int = attrs.field(validator=[attrs.validators.ge(0), _lasts_no_longer])
    disposition: str = ""
    continuation: bool = False
    account_code: str = ""

    @property
    def other_number(self) -> str:
        """The number at the other end, as the customer sees it."""
        return self.a_number if self.direction is Direction.INCOMING else self.b_number

    @property
    def is_answered(self) -> bool:
        """True where somebody answered and at least a second was spoken."""
        return self.answered_at is not None and self.billed_seconds > 0


CALL = UsageKind(
    name="call",
    title="One telephone call, or one leg of it",
    body=Call,
    carried=True,
    editable=("b_number", "billed_seconds", "continuation"),
)


def usage_kinds() -> tuple[UsageKind, ...]:
    """Return the kinds that the plugin offers."""
    return (CALL,)
