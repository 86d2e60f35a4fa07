"""Payments as rows: what the bank or the cashier said, once per reference; only suspense ever changes, to its account."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from billing_framework.receivables.payment import Direction, Payment
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.column_types import canonical_json, natural_id
from billing_framework.storage.likely import likely
from billing_framework.storage.many import one_of, rows_of, streamed
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.master.master_tables import book_version
from billing_framework.storage.receivable.answer_tables import answer
from billing_framework.storage.receivable.tables import open_item, payment, payment_file
from billing_framework.values.money import Money

_COLUMNS = (
    "id", "book", "account_id", "account", "direction", "purpose", "method", "currency", "amount", "received_on", "external_ref",
    "remittance", "digest", "returns_id", "return_code", "file_id", "actor", "at",
)  # fmt: skip


@attrs.frozen(kw_only=True)
class StoredPayment:
    """A payment with what the row adds to it.

    Attributes:
        payment: the payment; its account is the one that it belongs to now.
        digest: digest of what was said of it first; the same reference with another digest is a conflict.
        purpose: ``deposit``, ``trust`` or ``prepaid`` for held money, else empty.
        returns: key of the payment that this one takes back, or empty.
        return_code: why, in the bank's code.
        file_id: id of the file that it came in, None for a single one.
        actor: who recorded it.
        at: when.
    """

    payment: Payment
    digest: bytes
    purpose: str = ""
    returns: str = ""
    return_code: str = ""
    file_id: int | None = None
    actor: str = ""
    at: datetime | None = None


def said(payment: Payment, *, account: str, purpose: str = "", return_code: str = "") -> bytes:
    """Return the digest of what was said of a payment.

    Args:
        payment: the payment.
        account: the account as it was named, which may be an unknown one.
        purpose: what held money it is, or empty.
        return_code: code of a return, or empty.
    """
    facts = [
        payment.book, payment.external_ref, account, payment.direction.value, purpose, payment.method, str(payment.money),
        payment.received_on.isoformat(), payment.remittance, return_code,
    ]  # fmt: skip
    return hashlib.sha256(canonical_json(facts).encode()).digest()


def payment_id(key: str) -> int:
    """Return the id of the payment with this natural key."""
    return natural_id("payment", key)


def insert_payments(connection: Connection, payments: Iterable[StoredPayment], *, actor: str, now: datetime) -> int:
    """Add payments and return how many they were; a reference that is there already is a Conflict."""
    return bulk_insert(connection, payment, _COLUMNS, (_row(one, actor, now) for one in payments))


def _row(stored: StoredPayment, actor: str, now: datetime) -> tuple[object, ...]:
    one = stored.payment
    return (
        payment_id(one.key),
        one.book,
        account_id(one.account) if one.account else None,
        one.account or None,
        one.direction.value,
        stored.purpose,
        one.method,
        one.money.currency,
        one.money.minor,
        one.received_on,
        one.external_ref,
        one.remittance,
        stored.digest,
        payment_id(stored.returns) if stored.returns else None,
        stored.return_code,
        stored.file_id,
        actor,
        now,
    )


def load_payments(connection: Connection, book: str, references: Collection[str]) -> dict[str, StoredPayment]:
    """Return the payments of a book with these references, by reference."""
    keys = [payment_id(f"payment/{book}/{reference}") for reference in references]
    rows = rows_of(connection, keys, lambda some: _query().where(one_of(payment.c.id, some)))
    return {row.external_ref: _stored(row) for row in rows}


def payments_called(connection: Connection, reference: str) -> list[StoredPayment]:
    """Return the payments with this reference, in order of their books; each book has at most one."""
    books = sa.select(book_version.c.book)  # the index of references begins with the book
    query = _query().where(payment.c.book.in_(books), payment.c.external_ref == reference).order_by(payment.c.book)
    return [_stored(row) for row in connection.execute(query)]


def returns_of(connection: Connection, keys: Collection[str]) -> dict[str, StoredPayment]:
    """Return the payments that take these back, by the key of the one taken back."""
    ids = {payment_id(key): key for key in keys}
    rows = rows_of(connection, ids, lambda some: _query().where(one_of(payment.c.returns_id, some)))
    return {ids[row.returns_id]: _stored(row) for row in rows}


def list_payments(
    connection: Connection, *, book: str = "", account: str = "", suspense: bool = False, limit: int = 1_000
) -> list[StoredPayment]:
    """Return payments, newest first.

    Args:
        connection: a connection.
        book: only of this book, where given.
        account: only of this account, where given.
        suspense: True for those only whose account is not known, that did not go back, and that no answer has taken for its own.
        limit: at most so many.
    """
    query = _query().order_by(payment.c.received_on.desc(), payment.c.external_ref).limit(limit)
    if book:
        query = query.where(likely(payment.c.book == book) if account or suspense else payment.c.book == book)
    if account:
        query = query.where(payment.c.account_id == account_id(account))
    if suspense:
        back = payment.alias("back")
        gone = sa.select(back.c.id).where(back.c.returns_id == payment.c.id).exists()
        answered = sa.select(answer.c.id).where(answer.c.payment_id == payment.c.id).exists()
        query = query.where(payment.c.account_id.is_(None), payment.c.direction == Direction.IN.value, ~gone, ~answered)
    return [_stored(row) for row in connection.execute(query)]


def give_account(connection: Connection, key: str, account: str) -> bool:
    """Give a payment in suspense its account; return False where it has one meanwhile."""
    changed = (
        payment.update()
        .where(payment.c.id == payment_id(key), payment.c.account_id.is_(None))
        .values(account_id=account_id(account), account=account)
    )
    return connection.execute(changed).rowcount == 1


def lock_payment(connection: Connection, key: str) -> None:
    """Keep every other act from the payment until this transaction ends."""
    connection.execute(sa.select(payment.c.id).where(payment.c.id == payment_id(key)).with_for_update()).one_or_none()


def odd_payments(connection: Connection, book: str) -> Iterator[tuple[str, str]]:
    """Yield account and fault of each payment that differs from its open item, and of each item whose payment is not there."""
    columns, item = payment.c, open_item.c
    query = (
        sa.select(columns.external_ref, columns.account, columns.amount, item.original, item.account.label("owner"))
        .outerjoin(open_item, item.payment_id == columns.id)
        .where(columns.book == book, columns.account.is_not(None), columns.purpose == "", columns.direction == Direction.IN.value)
        .order_by(columns.external_ref)
    )
    for row in itertools.chain.from_iterable(streamed(connection, query)):
        if row.original is None:
            yield row.account, f"the payment {row.external_ref} has no open item"
        elif (row.original, row.owner) != (-row.amount, row.account):
            yield row.account, f"the payment {row.external_ref} differs from its open item"
    lost = sa.select(item.account, item.reference).where(
        item.book == book, item.payment_id.is_not(None), ~sa.exists().where(columns.id == item.payment_id)
    )
    for owner, reference in itertools.chain.from_iterable(streamed(connection, lost.order_by(item.reference))):
        yield owner, f"the payment behind the open item {reference} is not there"


def file_id(book: str, content: bytes) -> int:
    """Return the id of a file of payments: the same book and bytes are the same file."""
    return natural_id("payment_file", book, hashlib.sha256(content).hexdigest())


def add_file(
    connection: Connection, book: str, name: str, content: bytes, control: dict[str, Any], *, actor: str, now: datetime
) -> None:
    """Remember a file with its control totals."""
    connection.execute(
        payment_file.insert().values(
            id=file_id(book, content),
            book=book,
            name=name,
            sha256=hashlib.sha256(content).digest(),
            control=control,
            actor=actor,
            at=now,
        )
    )


def file_is_known(connection: Connection, book: str, content: bytes) -> bool:
    """True where a file with these bytes was taken in for the book before."""
    return connection.scalar(sa.select(payment_file.c.id).where(payment_file.c.id == file_id(book, content))) is not None


def _query() -> sa.Select[Any]:
    back = payment.alias("taken_back")
    return sa.select(payment, back.c.external_ref.label("taken_back")).outerjoin(back, back.c.id == payment.c.returns_id)


def _stored(row: Row[Any]) -> StoredPayment:
    return StoredPayment(
        payment=Payment(
            book=row.book,
            external_ref=row.external_ref,
            account=row.account or "",
            direction=Direction(row.direction),
            method=row.method,
            money=Money(row.amount, row.currency),
            received_on=row.received_on,
            remittance=row.remittance,
        ),
        digest=row.digest,
        purpose=row.purpose,
        returns=f"payment/{row.book}/{row.taken_back}" if row.taken_back else "",
        return_code=row.return_code,
        file_id=row.file_id,
        actor=row.actor,
        at=row.at,
    )
