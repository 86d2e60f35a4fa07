"""A dated share: which account pays what part of the charges of an agreement."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import attrs


@attrs.frozen(kw_only=True)
class Share:
    """One account pays a part of an agreement's charges from one date to another; the first service date of a charge decides.

    Attributes:
        agreement: code of the agreement.
        payer: code of the account that pays; it belongs to the same book and has the same currency, and need be no client.
        percent: its percentage of each charge; None for the one payer who bears what the others leave.
        codes: charge codes that it shares in; empty for all.
        starts_on: first service date.
        ends_on: the date after the last, or None while it lasts.
    """

    agreement: str
    payer: str
    percent: Fraction | None = None
    codes: tuple[str, ...] = ()
    starts_on: date
    ends_on: date | None = None

    def holds_on(self, day: date) -> bool:
        """Return whether the share holds on a date."""
        return self.starts_on <= day and (self.ends_on is None or day < self.ends_on)

    def bears(self, code: str) -> bool:
        """Return whether it shares in charges of a charge code."""
        return not self.codes or code in self.codes
