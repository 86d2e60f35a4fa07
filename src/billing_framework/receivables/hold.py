"""Holds: one concept for dispute, promise to pay, deferral, hardship and agency; it shields an account, an item or a line."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import date

import attrs

from billing_framework.receivables.open_item import Standing
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money


class Block(enum.Enum):
    """What a hold forbids; ``DRAW`` keeps money that has not cleared from being drawn or paid back."""

    BILLING = "billing"
    DUNNING = "dunning"
    LATE_CHARGE = "late_charge"
    COLLECTION = "collection"
    ALLOCATION = "allocation"
    DRAW = "draw"


@attrs.frozen(kw_only=True)
class Hold:
    """A shield with a reason and an end.

    Attributes:
        key: natural key.
        account: code of the account.
        item: key of an open item, empty for the whole account.
        line: number of a line of that item, 0 for the whole item.
        blocks: what it forbids.
        reason: ``dispute``, ``promise``, ``deferral``, ``plan``, ``hardship``, ``agency`` or the deployment's own word.
        note: why, in the officer's words.
        amount: held part; None holds all that is open in its scope.
        since: first day.
        until: the day after the last, None until it is released.
        outcome: how it ended (``upheld``, ``rejected``, ``kept``, ``broken``, ``recalled``), empty while it lasts.
    """

    key: str
    account: str
    item: str = ""
    line: int = 0
    blocks: tuple[Block, ...]
    reason: str
    note: str = ""
    amount: Money | None = None
    since: date
    until: date | None = None
    outcome: str = ""

    def __attrs_post_init__(self) -> None:
        wrong = ""
        if not self.blocks:
            wrong = "a hold must block something"
        elif self.line and not self.item:
            wrong = "a hold of a line must name its item"
        elif self.until is not None and self.until <= self.since:
            wrong = f"a hold must end after it begins: {self.since} to {self.until}"
        elif self.amount is not None and self.amount.minor <= 0:
            wrong = f"a held amount must be above zero, not {self.amount}"
        if wrong:
            raise Refused("AR17", wrong, remedy="Place the hold with a scope, blocks and dates that fit")

    @property
    def scope(self) -> str:
        """``line``, ``item`` or ``account``."""
        return "line" if self.line else "item" if self.item else "account"

    def is_active(self, on: date) -> bool:
        """True where it shields on that day."""
        return not self.outcome and self.since <= on and (self.until is None or on < self.until)


def release(hold: Hold, *, on: date, outcome: str) -> Hold:
    """Return the hold as it ended.

    Raises:
        Refused: ``AR18`` where it has ended before, or no outcome is given.
    """
    if hold.outcome or not outcome:
        raise Refused("AR18", f"the hold {hold.key} has ended, or no outcome is given", remedy="Say how it ended, once")
    return attrs.evolve(hold, until=max(on, hold.since) if hold.until is None or hold.until > on else hold.until, outcome=outcome)


@attrs.frozen(kw_only=True)
class Shielded:
    """An open amount in two parts: ``open = free + held``; the held part is shown, not hidden."""

    open: Money
    held: Money
    free: Money


def shielded(standing: Standing, holds: Sequence[Hold], *, on: date, block: Block) -> Shielded:
    """Return how much of an open debit item an act may touch on a day; with `Block.DUNNING` the free part is dunnable.

    Several holds of one scope hold the largest of their amounts, holds of different lines add up, and never more is held than
    is open.
    """
    zero = Money.zero(standing.open.currency)
    item = standing.item
    lines: dict[int, Money] = {}
    for hold in holds:
        if hold.account != item.account or hold.item not in ("", item.key) or block not in hold.blocks or not hold.is_active(on):
            continue
        limit = standing.line_open(hold.line) if hold.line else standing.open
        part = limit if hold.amount is None else min(limit, hold.amount)
        lines[hold.line] = max(part, lines.get(hold.line, zero))
    whole = lines.pop(0, zero)
    held = min(standing.open, max(whole, Money.total(lines.values(), zero.currency)))
    return Shielded(open=standing.open, held=held, free=standing.open - held)
