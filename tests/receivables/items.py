"""Small open items for the tests of receivables; amounts are written in major units of one currency."""

from collections.abc import Sequence
from datetime import date

from billing_framework.receivables.open_item import Allocation, ItemKind, ItemLine, OpenItem, Standing, standings
from billing_framework.values.money import Money

PAID_ON = date(2026, 8, 20)


def euros(text: str) -> Money:
    return Money.of(text, "EUR")


def debit(
    number: str,
    amount: str,
    *,
    due_on: date = date(2026, 8, 1),
    account: str = "A-1",
    lines: Sequence[tuple[str, str]] = (),
) -> OpenItem:
    return OpenItem(
        key=f"document/{number}",
        kind=ItemKind.DOCUMENT,
        account=account,
        reference=number,
        original=euros(amount),
        dated_on=date(2026, 7, 1),
        due_on=due_on,
        lines=tuple(ItemLine(number=place, charge_code=code, gross=euros(gross)) for place, (code, gross) in enumerate(lines, 1)),
    )


def credit(
    amount: str, number: str = "P-1", *, account: str = "A-1", kind: ItemKind = ItemKind.PAYMENT, corrects: str = ""
) -> OpenItem:
    return OpenItem(
        key=f"{kind.value}/{number}",
        kind=kind,
        account=account,
        reference=number,
        original=-euros(amount),
        dated_on=PAID_ON,
        due_on=PAID_ON,
        corrects=corrects,
    )


def open_of(*items: OpenItem, allocations: Sequence[Allocation] = ()) -> list[Standing]:
    return list(standings(items, allocations))
