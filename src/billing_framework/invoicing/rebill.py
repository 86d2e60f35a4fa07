"""Rebilling compared: what a new computation of a document changes, line by line."""

from __future__ import annotations

import attrs

from billing_framework.invoicing.draft import DraftDocument, DraftLine
from billing_framework.values.money import Money
from billing_framework.values.quantity import Quantity


@attrs.frozen(kw_only=True)
class LineChange:
    """One charge before and after.

    Attributes:
        charge_key: natural key of the charge.
        description: the newer description.
        before_quantity: quantity that was billed, None where there was none.
        after_quantity: quantity now.
        before: amount without tax that was billed; zero for a new line.
        after: amount without tax now; zero for a line that falls away.
    """

    charge_key: str
    description: str
    before_quantity: Quantity | None
    after_quantity: Quantity | None
    before: Money
    after: Money

    @property
    def difference(self) -> Money:
        """What the customer owes more (or less, where negative) for this charge, without tax."""
        return self.after - self.before


@attrs.frozen(kw_only=True)
class Comparison:
    """A document and its new computation.

    Attributes:
        lines: one row for each charge of either, in the order of the new document, then what fell away.
        net: difference of the totals without tax.
        tax: difference of the taxes.
        gross: difference of the totals.
    """

    lines: tuple[LineChange, ...]
    net: Money
    tax: Money
    gross: Money

    @property
    def is_unchanged(self) -> bool:
        """True where neither an amount nor a quantity differs: a rebill would say the same again."""
        same = all(not line.difference and line.before_quantity == line.after_quantity for line in self.lines)
        return same and not self.gross


def compare(before: DraftDocument, after: DraftDocument) -> Comparison:
    """Return what differs between an issued document's content and its new computation; both of one currency."""
    old = {line.charge_key: line for line in before.lines}
    new = {line.charge_key: line for line in after.lines}
    rows = [_change(key, old.get(key), new.get(key), after.currency) for key in dict.fromkeys([*new, *old])]
    return Comparison(
        lines=tuple(rows),
        net=after.totals.net - before.totals.net,
        tax=after.totals.tax - before.totals.tax,
        gross=after.totals.gross - before.totals.gross,
    )


def _change(key: str, old: DraftLine | None, new: DraftLine | None, currency: str) -> LineChange:
    shown = new or old
    return LineChange(
        charge_key=key,
        description=shown.description if shown else "",
        before_quantity=old.quantity if old else None,
        after_quantity=new.quantity if new else None,
        before=old.net if old else Money.zero(currency),
        after=new.net if new else Money.zero(currency),
    )
