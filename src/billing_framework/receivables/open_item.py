"""Open items: everything owed or owing. What is open follows from allocations alone; no open amount is ever stored."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Sequence
from datetime import date

import attrs

from billing_framework.invoicing.document import Document, DocumentStatus
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.invoicing.figures import DocumentFigures, figures_of
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money


class ItemKind(enum.Enum):
    """What made an open item."""

    DOCUMENT = "document"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    RETURN = "return"
    FEE = "fee"
    REFUND = "refund"
    DEPOSIT = "deposit"
    TRANSFER = "transfer"
    WRITE_OFF = "write_off"
    RECOVERY = "recovery"
    OPENING = "opening"
    ANSWER = "answer"
    ADJUSTMENT = "adjustment"


@attrs.frozen(kw_only=True)
class ItemLine:
    """One line of the document behind an item, for strategies and holds that look at lines.

    Attributes:
        number: number of the line on the document.
        charge_code: its charge code.
        gross: its amount with tax.
    """

    number: int
    charge_code: str
    gross: Money


@attrs.frozen(kw_only=True)
class OpenItem:
    """One thing that is owed (a debit item, positive) or owing (a credit item, negative).

    Attributes:
        key: natural key, for example ``document/4711`` or ``payment/BANK-2026-07-01-3``; the same on every retry.
        kind: what made it.
        account: code of the account.
        reference: number that people know it by: the document's number, the payment's reference.
        original: what it came to; never zero.
        dated_on: date of the document or payment.
        due_on: date from which it is overdue the next day; a credit item is due at once.
        corrects: key of the item that a credit note corrects, or empty.
        lines: lines of the document, where there are some.
    """

    key: str
    kind: ItemKind
    account: str
    reference: str = ""
    original: Money
    dated_on: date
    due_on: date
    corrects: str = ""
    lines: tuple[ItemLine, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not self.original:
            raise Refused("AR11", f"the open item {self.key} would be of nothing", remedy="Nothing needs to be settled")

    @property
    def is_debit(self) -> bool:
        """True where the customer owes."""
        return self.original.minor > 0


@attrs.frozen(kw_only=True)
class Allocation:
    """A link that settles a part of a debit item by a part of a credit item; taken back only by its exact opposite.

    Attributes:
        key: natural key.
        debit: key of the debit item.
        credit: key of the credit item.
        amount: positive; negative where it undoes another allocation.
        on: date on which it counts.
        strategy: name of the strategy that chose it.
        line: number of the debit item's line that it is for, 0 for the item as a whole.
        undoes: key of the allocation that it takes back, or empty.
    """

    key: str
    debit: str
    credit: str
    amount: Money
    on: date
    strategy: str
    line: int = 0
    undoes: str = ""


@attrs.frozen(kw_only=True)
class Standing:
    """An item and what is open of it.

    Attributes:
        item: the item.
        open: positive for a debit item, negative for a credit item, zero when settled.
        line_opens: number of a line to what is open of it, for items with lines.
    """

    item: OpenItem
    open: Money
    line_opens: tuple[tuple[int, Money], ...] = ()

    @property
    def available(self) -> Money:
        """What is open, without its sign."""
        return self.open if self.open.minor >= 0 else -self.open

    def line_open(self, number: int) -> Money:
        """Return what is open of one line, nothing where there is no such line."""
        return dict(self.line_opens).get(number, Money.zero(self.open.currency))


def standings(items: Iterable[OpenItem], allocations: Iterable[Allocation]) -> tuple[Standing, ...]:
    """Return what is open of each item, in the order of the items.

    Raises:
        Refused: ``AR12`` where the allocations of an item exceed it: the stored rows were changed behind the program's back.
    """
    settled: dict[str, list[Allocation]] = {}
    for allocation in allocations:
        settled.setdefault(allocation.debit, []).append(allocation)
        settled.setdefault(allocation.credit, []).append(allocation)
    return tuple(_standing(item, settled.get(item.key, [])) for item in items)


def _standing(item: OpenItem, allocations: Sequence[Allocation]) -> Standing:
    currency = item.original.currency
    taken = Money.total((allocation.amount for allocation in allocations), currency)
    rest = item.original - taken if item.is_debit else item.original + taken
    low, high = sorted((Money.zero(currency), item.original))
    if not low <= rest <= high:
        raise Refused(
            "AR12",
            f"{item.original} of the item {item.key} was settled with {taken}",
            remedy="Verify the ledger: allocations were changed behind the program's back",
        )
    return Standing(item=item, open=rest, line_opens=_line_opens(item, allocations) if item.lines else ())


def _line_opens(item: OpenItem, allocations: Sequence[Allocation]) -> tuple[tuple[int, Money], ...]:
    """Take what names a line from that line, and everything else from the lines as they are printed.

    Lines that are credits on their own document settle like an allocation of the whole item.
    """
    zero = Money.zero(item.original.currency)
    opens = {line.number: max(line.gross, zero) for line in item.lines}
    whole = Money.total((zero - line.gross for line in item.lines if line.gross < zero), zero.currency)
    for allocation in allocations:
        if allocation.line in opens:
            opens[allocation.line] = opens[allocation.line] - allocation.amount
        else:
            whole = whole + allocation.amount
    for number, rest in opens.items():
        part = min(max(rest, zero), whole)
        opens[number], whole = rest - part, whole - part
    return tuple(opens.items())


def item_of(document: Document) -> OpenItem | None:
    """Return the open item of an issued document; None for a void one and for one that comes to nothing.

    The item is of the gross total with cash rounding; what was prepaid settles it by allocations like any other payment.
    """
    return item_of_figures(figures_of(document.content), document.number) if document.status is DocumentStatus.ISSUED else None


def item_of_figures(document: DocumentFigures, number: str) -> OpenItem | None:
    """Return the open item of a document that was issued under a number, None for one that comes to nothing."""
    owed = document.gross + document.rounding
    if not owed:
        return None
    return OpenItem(
        key=document_item_key(document.key),
        kind=document_item_kind(document.kind),
        account=document.account,
        reference=number,
        original=Money(owed, document.currency),
        dated_on=document.issue_on,
        due_on=document.due_on,
        corrects=document_item_key(document.corrects) if document.corrects else "",
        lines=tuple(
            ItemLine(number=line.number, charge_code=line.charge_code, gross=Money(line.net + line.tax, document.currency))
            for line in document.lines
        ),
    )


def document_item_kind(kind: DocumentKind) -> ItemKind:
    """Return the kind of the open item of a document of some kind."""
    return ItemKind.CREDIT_NOTE if kind is DocumentKind.CREDIT_NOTE else ItemKind.DOCUMENT


def document_item_key(document: int) -> str:
    """Return the key of the open item of the document with that key."""
    return f"document/{document}"
