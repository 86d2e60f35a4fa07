"""Draws held money for an issued document of the same account; a draw of trust money posts in two books at once."""

from __future__ import annotations

from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.receivables.entries import fiduciary_entry, trust_draw_entry
from billing_framework.receivables.fiduciary import FiduciaryMovement, Movement, draw, draw_settlement
from billing_framework.run.collect.act import Act, book_mapping, carry_out, item_called
from billing_framework.run.collect.held import HeldMoney, HeldPosition, Moved, held_event, locked_held
from billing_framework.run.deployment import Deployment
from billing_framework.storage.receivable.rows import load_items
from billing_framework.values.errors import Conflict, Refused
from billing_framework.values.money import Money


@attrs.frozen(kw_only=True)
class DrawRequest:
    """Held money to be used for a document.

    Attributes:
        held: whose money it is and what for.
        document: number or key of the document.
        amount: how much; where None, as much as is open and may be used.
        on: date; today in the zone of the book that holds the money where None.
        reference: name of the act, so that the same again changes nothing; where empty every call is an act of its own.
        reason: why, for the audit.
    """

    held: HeldMoney
    document: str
    amount: Money | None = None
    on: date | None = None
    reference: str = ""
    reason: str = ""


def apply_deposit(deployment: Deployment, request: DrawRequest) -> Moved:
    """Draw held money for an issued document.

    Raises:
        NotFound: ``ACCOUNT09`` or ``AR43``: there is no such account or document.
        Refused: ``AR26`` where the balance does not cover it, ``AR27`` where it is no issued document of the account or less is
            open of it.
        Conflict: ``AR45`` where the reference was used for another draw.
        LedgerRefused: ``LEDGER06`` where the date lies in no open period, ``LEDGER10`` where the database keeps the floor.
    """
    with deployment.database.begin() as connection:
        currency = "" if request.amount is None else request.amount.currency
        at = locked_held(deployment, connection, request.held, currency, request.on)
        # Allocations are only ever added, so their number on the account names the next act.
        name = request.reference or f"{request.held.account}/{len(at.position.allocations) + 1}"
        key = f"{request.held.purpose}_draw/{at.mapping.book}/{name}"
        earlier = _earlier(connection, key, request)
        if earlier is not None:
            return Moved(movement=earlier, outcome="duplicate", balance=at.balance)
        debit = item_called(at.position, request.document, debit=True)
        part = min(at.balance.available, debit.open) if request.amount is None else request.amount
        if request.amount is None and not at.balance.available:
            raise Refused(
                "AR26",
                f"nothing may be used yet of the {at.balance.balance} held as {request.held.sub_key} for {request.held.account}",
                remedy="Wait until more money has come in and cleared",
            )
        movement = draw(at.balance, part, debit, key=key, on=at.on)
        settled = draw_settlement(movement, debit)
        act = Act(
            book=at.position.account.book,
            source=key,
            items=settled.items,
            allocations={request.held.account: settled.allocations},
            events=(held_event("deposit apply", movement, at.mapping.book, request.reason),),
        )
        carry_out(deployment, connection, *_acts(connection, at, movement, act))
        return Moved(movement=movement, outcome="applied", balance=at.now(connection))


def _acts(connection: Connection, at: HeldPosition, movement: FiduciaryMovement, act: Act) -> tuple[Act, ...]:
    """Return the act with its entries; trust money leaves one book and enters the other."""
    entry = fiduciary_entry(movement, at.mapping)
    if movement.purpose != "trust":
        return (attrs.evolve(act, entries=(entry,)),)
    entered = trust_draw_entry(movement, book_mapping(connection, act.book))
    if at.mapping.book == act.book:
        return (attrs.evolve(act, entries=(entry, attrs.evolve(entered, key=f"{movement.key}/operating"))),)
    return (Act(book=at.mapping.book, source=movement.key, entries=(entry,)), attrs.evolve(act, entries=(entered,)))


def _earlier(connection: Connection, key: str, request: DrawRequest) -> FiduciaryMovement | None:
    found = load_items(connection, keys=[f"{key}/item"])
    if not found:
        return None
    (item,) = found
    if item.account != request.held.account or request.amount not in (None, -item.original):
        raise Conflict(
            "AR45",
            f"the draw {request.reference} was of {-item.original} for {item.account}",
            remedy="Give another draw its own reference",
        )
    return FiduciaryMovement(
        key=key,
        account=item.account,
        purpose=request.held.purpose,
        subject=request.held.subject,
        kind=Movement.DRAW,
        money=item.original,
        on=item.dated_on,
    )
