"""What an officer looks at before acting: the open items of an account with what a hold shields, and its payments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import attrs

from billing_framework.receivables.hold import Block, shielded
from billing_framework.receivables.open_item import Allocation, ItemKind, Standing
from billing_framework.run.collect.act import Position, act_date, positions
from billing_framework.run.collect.held import role_of, uncleared_money
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.run.master.customer_change import find
from billing_framework.storage.master.book_rows import find_books, load_book
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.storage.receivable.held import guarded_balances
from billing_framework.storage.receivable.holds import holds_on
from billing_framework.storage.receivable.payments import StoredPayment, list_payments, payments_called, returns_of
from billing_framework.storage.receivable.rows import load_items
from billing_framework.values.errors import NotFound
from billing_framework.values.money import Money


def item_names(deployment: Deployment, keys: Iterable[str]) -> dict[str, str]:
    """Return by key how people call an open item: the number of a document, a refund, or the account that money moved to."""
    with deployment.database.read() as connection:
        found = {item.key: item for item in load_items(connection, keys=sorted(set(keys)))}
        arrived = {key: f"{key.removesuffix('/from')}/to" for key, item in found.items() if item.kind is ItemKind.TRANSFER}
        moved = {item.key: item.account for item in load_items(connection, keys=sorted(arrived.values()))}
    names = {}
    for key in keys:
        item = found.get(key)
        name = item.reference if item is not None and item.reference else key
        if key in arrived:
            name = f"transfer to account {moved.get(arrived[key], '')}".rstrip()
        elif item is not None and item.kind is ItemKind.REFUND:
            name = f"refund {name}"
        names[key] = name
    return names


@attrs.frozen(kw_only=True)
class OpenLine:
    """One item of an account as an officer sees it.

    Attributes:
        key: its key.
        kind: what made it.
        reference: number that people know it by.
        dated_on: its date.
        due_on: its due date.
        original: what it came to.
        open: what is open of it.
        held: part that a hold keeps from being dunned.
        dunnable: open less held, for a debit item that is overdue; zero for all others.
    """

    key: str
    kind: str
    reference: str
    dated_on: date
    due_on: date
    original: Money
    open: Money
    held: Money
    dunnable: Money


@attrs.frozen(kw_only=True)
class OpenAccount:
    """An account with its open items.

    Attributes:
        account: code of the account.
        on: day on which holds and due dates are looked at.
        items: its items by due date.
        balance: sum of what is open, one per currency; below zero where the customer has a credit.
    """

    account: str
    on: date
    items: tuple[OpenLine, ...]
    balance: tuple[Money, ...]


def open_items(deployment: Deployment, account: str, *, on: date | None = None, settled: bool = False) -> OpenAccount:
    """Return the open items of an account; with `settled` those too of which nothing is open.

    Raises:
        NotFound: ``ACCOUNT09``: there is no such account.
    """
    with deployment.database.read() as connection:
        book = find(connection, ACCOUNTS, account).value.book
        day = act_date(deployment, connection, book, on)
        position = positions(connection, [account])[account]
    shown = [one for one in position.standings() if settled or one.open]
    currencies = sorted({one.open.currency for one in shown})
    sums = (Money.total((one.open for one in shown if one.open.currency == name), name) for name in currencies)
    return OpenAccount(account=account, on=day, items=tuple(_line(position, one, day) for one in shown), balance=tuple(sums))


def _line(position: Position, standing: Standing, on: date) -> OpenLine:
    item = standing.item
    zero = Money.zero(standing.open.currency)
    held = shielded(standing, position.holds, on=on, block=Block.DUNNING).held if item.is_debit else zero
    return OpenLine(
        key=item.key,
        kind=item.kind.value,
        reference=item.reference,
        dated_on=item.dated_on,
        due_on=item.due_on,
        original=item.original,
        open=standing.open,
        held=held,
        dunnable=standing.open - held if item.is_debit and item.due_on < on else zero,
    )


@attrs.frozen(kw_only=True)
class PaymentView:
    """A payment with what became of it.

    Attributes:
        stored: the payment.
        status: ``on account`` where nothing of it is applied, ``partly applied``, ``applied``, ``suspense``, ``returned CODE``,
            ``refund``, ``return``, or the purpose of held money.
        unapplied: what is open of it, None where it is on no account.
        allocations: what it settled, undone allocations included.
    """

    stored: StoredPayment
    status: str
    unapplied: Money | None = None
    allocations: tuple[Allocation, ...] = ()


def payments(
    deployment: Deployment, *, book: str = "", account: str = "", suspense: bool = False, limit: int = 100
) -> list[PaymentView]:
    """Return payments, newest first; see `storage.receivable_payments.list_payments`.

    Raises:
        NotFound: ``BOOK08`` or ``ACCOUNT09``: there is no such book or account.
    """
    with deployment.database.read() as connection:
        if book:
            load_book(connection, book)
        if account:
            find(connection, ACCOUNTS, account)
        found = list_payments(connection, book=book, account=account, suspense=suspense, limit=limit)
        back = returns_of(connection, [one.payment.key for one in found])
        at = positions(connection, sorted({one.payment.account for one in found} - {""}))
    return [_viewed(one, back.get(one.payment.key), at.get(one.payment.account)) for one in found]


def payment_views(deployment: Deployment, reference: str) -> list[PaymentView]:
    """Return the payments with one reference, in order of their books.

    Raises:
        NotFound: ``AR43``: there is none.
    """
    with deployment.database.read() as connection:
        found = payments_called(connection, reference)
        if not found:
            raise NotFound("AR43", f"there is no payment {reference!r}", remedy="billing payment list shows them")
        back = returns_of(connection, [one.payment.key for one in found])
        at = positions(connection, sorted({one.payment.account for one in found} - {""}))
    return [_viewed(one, back.get(one.payment.key), at.get(one.payment.account)) for one in found]


def _viewed(stored: StoredPayment, back: StoredPayment | None, position: Position | None) -> PaymentView:
    payment = stored.payment
    standing = next((one for one in (position.standings() if position else ()) if one.item.key == payment.key), None)
    if stored.returns:
        status = f"return of {stored.returns.rpartition('/')[2]}"
    elif stored.purpose:
        status = stored.purpose if payment.direction.value == "in" else f"{stored.purpose} paid back"
    elif payment.direction.value == "out":
        status = "refund"
    elif back is not None:
        status = f"returned {back.return_code}"
    else:
        status = _applied(standing) if payment.account else "suspense"
    touching: Sequence[Allocation] = position.allocations if position and standing else ()
    return PaymentView(
        stored=stored,
        status=status,
        unapplied=standing.available if standing else None,
        allocations=tuple(one for one in touching if one.credit == payment.key),
    )


def _applied(standing: Standing | None) -> str:
    if standing is None or standing.available == -standing.item.original:
        return "on account"
    return "partly applied" if standing.available else "applied"


@attrs.frozen(kw_only=True)
class HeldView:
    """Money held for a customer.

    Attributes:
        book: code of the book that holds it.
        account: code of the account.
        purpose: purpose and subject, with a slash between them.
        money: what is held.
        uncleared: part of it that the bank may still take back.
    """

    book: str
    account: str
    purpose: str
    money: Money
    uncleared: Money


def held_money(deployment: Deployment, *, account: str = "", on: date | None = None) -> list[HeldView]:
    """Return what is held, by book, account and purpose; of one account where given."""
    views = []
    with deployment.database.read() as connection:
        if account:
            find(connection, ACCOUNTS, account)
        holds = holds_on(connection, [account] if account else None)
        for code, loaded in sorted(find_books(connection).items()):
            day = act_date(deployment, connection, code, on)
            roles = mapping_of(loaded.profile).roles
            for role in sorted({role_of("deposit"), role_of("trust")} & set(roles)):
                for one in guarded_balances(connection, code, roles[role], account):
                    own = [hold for hold in holds if hold.scope_key == one.account]
                    uncleared = uncleared_money(own, code, one.sub_key, one.money.currency, day)
                    views.append(
                        HeldView(book=code, account=one.account, purpose=one.sub_key, money=one.money, uncleared=uncleared)
                    )
    return views
