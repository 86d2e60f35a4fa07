"""Finds the one payment that a reference means."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from billing_framework.receivables.payment import Direction
from billing_framework.storage.receivable.payments import StoredPayment, lock_payment, payments_called
from billing_framework.values.errors import NotFound, Refused


def payment_called(connection: Connection, reference: str, book: str = "") -> StoredPayment:
    """Return the payment with this reference that came in.

    Args:
        connection: a connection.
        reference: its reference at the bank.
        book: code of its book, needed where several books have one.

    Raises:
        NotFound: ``AR43`` where there is none.
        Refused: ``AR44`` where several books have one.
    """
    found = [one for one in payments_called(connection, reference) if book in ("", one.payment.book)]
    incoming = [one for one in found if one.payment.direction is Direction.IN]
    if not incoming:
        what = f"the payment {reference} went out" if found else f"there is no payment {reference!r}"
        raise NotFound("AR43", what, remedy="billing payment list shows the payments that came in")
    if len(incoming) > 1:
        books = ", ".join(one.payment.book for one in incoming)
        raise Refused("AR44", f"the books {books} each have a payment {reference}", remedy="Say which one with --book")
    return incoming[0]


def locked_payment(connection: Connection, reference: str, book: str = "") -> StoredPayment:
    """Return the payment as `payment_called`, kept from every other act until the transaction ends."""
    found = payment_called(connection, reference, book)
    lock_payment(connection, found.payment.key)
    # What was read before the lock may have changed while we waited for it.
    return payment_called(connection, reference, found.payment.book)
