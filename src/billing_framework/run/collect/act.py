"""How an act of collecting is carried out: accounts locked, the pure step taken, everything written in one transaction.

Whoever settles, returns, refunds or moves something first takes the accounts' rows in order of their codes; two officers at one
account therefore act one after the other, each on what the other left. The database's own guards stand behind that.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date
from typing import TypeVar

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.ledger.batch import Batch
from billing_framework.ledger.book import book_id
from billing_framework.ledger.entry import Entry
from billing_framework.receivables.hold import Block, Hold, shielded
from billing_framework.receivables.open_item import Allocation, OpenItem, Standing, standings
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.run.master.customer_change import find
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.ledger.books import list_periods
from billing_framework.storage.ledger.post import post_batch
from billing_framework.storage.master.account_rows import load_accounts, lock_accounts
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.master.master_kind import ACCOUNTS
from billing_framework.storage.outbox import Event, put_events
from billing_framework.storage.receivable.holds import holds_of
from billing_framework.storage.receivable.payments import StoredPayment, insert_payments
from billing_framework.storage.receivable.rows import (
    insert_allocations,
    insert_items,
    load_allocations,
    load_items,
    load_standings,
)
from billing_framework.values.clock import timezone, today
from billing_framework.values.errors import LedgerRefused, NotFound, Refused
from billing_framework.values.money import Money

Value = TypeVar("Value")


@attrs.frozen(kw_only=True)
class Position:
    """An account with all that is owed and owing on it.

    Attributes:
        account: the account.
        items: its open items, settled ones included.
        allocations: all allocations between them.
        holds: the holds that stand on it.
    """

    account: Account
    items: tuple[OpenItem, ...] = ()
    allocations: tuple[Allocation, ...] = ()
    holds: tuple[Hold, ...] = ()

    def standings(self) -> tuple[Standing, ...]:
        """Return each item and what is open of it."""
        return standings(self.items, self.allocations)

    def open(self, *, debit: bool, currency: str = "") -> list[Standing]:
        """Return the debit (or credit) items with something open, of one currency where given."""
        # Of the others nothing is computed: an account may have thousands of payments beside a few documents.
        asked = [item for item in self.items if item.is_debit is debit and currency in ("", item.original.currency)]
        return [one for one in standings(asked, self.allocations) if one.open]

    def payable(self, on: date, currency: str) -> list[Standing]:
        """Return the debit items as far as no hold keeps them from being settled."""
        return [free for one in self.open(debit=True, currency=currency) if (free := self._free(one, on)).open]

    def _free(self, standing: Standing, on: date) -> Standing:
        free = shielded(standing, self.holds, on=on, block=Block.ALLOCATION).free
        lines = {hold.line for hold in self.holds if hold.line and hold.item == standing.item.key}
        opens = [
            (number, shielded_line(standing, self.holds, number, on) if number in lines else rest)
            for number, rest in standing.line_opens
        ]
        return attrs.evolve(standing, open=free, line_opens=tuple(opens))

    def after(self, items: Iterable[OpenItem] = (), allocations: Iterable[Allocation] = ()) -> Position:
        """Return the position with these items and allocations added."""
        return attrs.evolve(self, items=(*self.items, *items), allocations=(*self.allocations, *allocations))


def shielded_line(standing: Standing, holds: Sequence[Hold], line: int, on: date) -> Money:
    """Return what may be settled of one line of an item."""
    own = [hold for hold in holds if hold.line == line]
    rest = standing.line_open(line)
    held = shielded(standing, own, on=on, block=Block.ALLOCATION).held
    return rest - min(rest, held)


@attrs.frozen(kw_only=True)
class Act:
    """What an act writes in one book.

    Attributes:
        book: code of the book.
        source: natural key of the act.
        payments: movements of money.
        items: new open items.
        allocations: code of each account to its new allocations, counter-allocations first.
        entries: ledger entries.
        events: rows of the audit trail.
        told: what others are told after the commit.
    """

    book: str
    source: str
    payments: tuple[StoredPayment, ...] = ()
    items: tuple[OpenItem, ...] = ()
    allocations: Mapping[str, Sequence[Allocation]] = attrs.field(factory=dict)
    entries: tuple[Entry, ...] = ()
    events: tuple[AuditEvent, ...] = ()
    told: tuple[Event, ...] = ()


def carry_out(deployment: Deployment, connection: Connection, *acts: Act) -> None:
    """Write acts, each of another book; the entries come last, in the order of the books' ids.

    Raises:
        LedgerRefused: ``LEDGER06`` where a date lies in no open period, and whatever else the ledger refuses.
        Refused: ``AR01``, ``AR02`` or ``AR31`` where the database refuses an allocation.
    """
    now, actor = deployment.clock.now(), deployment.actor
    for act in acts:
        _refuse_closed(connection, act)
        insert_payments(connection, act.payments, actor=actor, now=now)
        insert_items(connection, act.book, act.items)
        insert_allocations(connection, act.allocations, actor=actor, now=now)
        record_many(connection, now, actor, act.events)
        put_events(connection, now, act.told)
    for act in sorted(acts, key=lambda one: book_id(one.book)):
        if act.entries:
            post_batch(connection, Batch(book=act.book, source=act.source, entries=act.entries), now=now, actor=actor)


def _refuse_closed(connection: Connection, act: Act) -> None:
    """Refuse allocations dated into a closed period: they post nothing, but they would change what was reported as open."""
    dates = {one.on for some in act.allocations.values() for one in some}
    if not dates:
        return
    spans = [period.span for period in list_periods(connection, act.book) if period.is_open]
    for on in sorted(dates):
        if not any(on in span for span in spans):
            raise LedgerRefused(
                "LEDGER06",
                f"nothing can be settled on {on}: no open period of book {act.book} holds the date",
                remedy=f"Date the act into an open period, or open one: billing period open {act.book} {on:%Y-%m}",
            )


def locked_positions(connection: Connection, codes: Collection[str], *, lock: bool = True) -> dict[str, Position]:
    """Return accounts with what is open on them, kept from every other act until the transaction ends; unknown ones left out.

    Args:
        connection: a connection with the action's write transaction.
        codes: codes of the accounts.
        lock: False to only look, as in a read transaction.
    """
    if lock:
        lock_accounts(connection, codes)
    return positions(connection, codes)


def positions(connection: Connection, codes: Collection[str]) -> dict[str, Position]:
    """Return accounts with what is open on them, to look at; unknown codes are left out."""
    accounts = load_accounts(connection, codes)
    items = load_items(connection, accounts=sorted(accounts))
    owners = {item.key: item.account for item in items}
    items_of = _by_account((item.account, item) for item in items)
    links_of = _by_account((owners[one.debit], one) for one in load_allocations(connection, items))
    holds = _by_account((hold.account, hold) for hold in holds_of(connection, accounts, items))
    return {
        code: Position(
            account=account,
            items=tuple(items_of.get(code, ())),
            allocations=tuple(links_of.get(code, ())),
            holds=tuple(holds.get(code, ())),
        )
        for code, account in accounts.items()
    }


def _by_account(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    found: dict[str, list[Value]] = {}
    for account, value in pairs:
        found.setdefault(account, []).append(value)
    return found


def locked_position(connection: Connection, code: str) -> Position:
    """Return one account with what is open on it, kept from every other act until the transaction ends.

    Raises:
        NotFound: ``ACCOUNT09``, with the nearest code.
    """
    find(connection, ACCOUNTS, code)
    return locked_positions(connection, [code])[code]


def book_mapping(connection: Connection, book: str) -> ChartMapping:
    """Return where the entries of a book post to."""
    return mapping_of(load_book(connection, book).profile)


def act_date(deployment: Deployment, connection: Connection, book: str, on: date | None) -> date:
    """Return the date of an act: as given, else today in the zone of the book."""
    return on or today(deployment.clock, timezone(load_book(connection, book).profile.zone))


def account_of_item(connection: Connection, named: str, account: str = "") -> str:
    """Return the account on which the one item called `named` stands, by its key or reference; of several the one that is open.

    Raises:
        NotFound: ``AR43`` where there is none.
        Refused: ``AR44`` where several accounts have one.
    """
    found = load_standings(connection, keys=[named], references=[named])
    own = [one for one in found if account in ("", one.item.account)]
    if not own:
        where = f" on account {account}" if account else ""
        raise NotFound("AR43", f"there is no open item {named!r}{where}", remedy="billing payment open ACCOUNT lists them")
    accounts = {one.item.account for one in own if one.open} or {one.item.account for one in own}
    if len(accounts) > 1:
        raise Refused(
            "AR44",
            f"items called {named!r} stand on the accounts {', '.join(sorted(accounts))}",
            remedy="Say which one with --account, or name the item by its key",
        )
    return accounts.pop()


def item_called(position: Position, named: str, *, debit: bool | None = None) -> Standing:
    """Return the item of an account by its key or reference; of several the one with something open.

    Args:
        position: the account.
        named: key or reference.
        debit: True for a debit item only, False for a credit item only.

    Raises:
        NotFound: ``AR43`` where there is none.
        Refused: ``AR44`` where several are open.
    """
    sided = [one for one in position.standings() if debit is None or one.item.is_debit is debit]
    exact = [one for one in sided if one.item.key == named]
    found = exact or [one for one in sided if one.item.reference == named]
    if not found:
        raise NotFound(
            "AR43",
            f"there is no open item {named!r} on account {position.account.code}",
            remedy=f"billing payment open {position.account.code} lists them",
        )
    choice = [one for one in found if one.open] or found[-1:]
    if len(choice) > 1:
        raise Refused(
            "AR44",
            f"several open items are called {named!r}: {', '.join(one.item.key for one in choice)}",
            remedy="Name the item by its key",
        )
    return choice[0]
