"""The tables of receivables: payments, open items and allocations. No open amount is stored; it follows from the allocations."""

from __future__ import annotations

import sqlalchemy as sa

from billing_framework.storage.column_types import CurrencyCode, Day, Digest, Instant, JsonText, Key, MinorUnits, Scattered, Whole

metadata = sa.MetaData()

payment_file = sa.Table(
    "payment_file",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("book", Key, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("sha256", Digest, nullable=False),
    sa.Column("control", JsonText, nullable=False),  # rows and money: in = recorded + duplicate + suspense
    sa.Column("actor", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sqlite_strict=True,
)

payment = sa.Table(
    "payment",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("book", Key, nullable=False),
    sa.Column("account_id", Whole),  # NULL: in suspense, until an officer says whose it is
    sa.Column("account", Key),
    sa.Column("direction", Key, nullable=False),  # in: from the customer; out: a refund or a return
    sa.Column("purpose", Key, nullable=False, server_default=""),  # of held money: deposit, trust, prepaid; else empty
    sa.Column("method", Key, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("amount", MinorUnits, nullable=False),
    sa.Column("received_on", Day, nullable=False),
    sa.Column("external_ref", Key, nullable=False),
    sa.Column("remittance", sa.Text, nullable=False, server_default=""),
    sa.Column("digest", Digest, nullable=False),  # of what the bank said: the same reference with another is a conflict
    sa.Column("returns_id", Whole, unique=True),  # the payment that this one takes back
    sa.Column("return_code", Key, nullable=False, server_default=""),
    sa.Column("file_id", Whole),
    sa.Column("actor", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.UniqueConstraint("book", "external_ref"),
    sa.CheckConstraint("direction IN ('in', 'out')"),
    sa.CheckConstraint("amount > 0"),
    sa.CheckConstraint("(account_id IS NULL) = (account IS NULL)"),
    sqlite_strict=True,
)
sa.Index("payment_by_account", payment.c.account_id, payment.c.received_on)

open_item = sa.Table(
    "open_item",
    metadata,
    sa.Column("id", Scattered, primary_key=True, autoincrement=False),
    sa.Column("key", Key, nullable=False, unique=True),
    sa.Column("kind", Key, nullable=False),
    sa.Column("book", Key, nullable=False),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("account", Key, nullable=False),
    sa.Column("reference", Key, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("original", MinorUnits, nullable=False),  # owed > 0, owing < 0
    sa.Column("dated_on", Day, nullable=False),
    sa.Column("due_on", Day, nullable=False),
    sa.Column("document_id", Whole),
    sa.Column("payment_id", Whole),
    sa.Column("corrects", Key, nullable=False, server_default=""),
    sa.Column("lines", JsonText, nullable=False),
    sa.CheckConstraint("original <> 0"),
    sqlite_strict=True,
)
sa.Index("open_item_by_account", open_item.c.account_id, open_item.c.due_on)
sa.Index("open_item_by_document", open_item.c.document_id)
sa.Index("open_item_by_reference", open_item.c.reference)
_OF_PAYMENT = open_item.c.payment_id.is_not(None)
sa.Index("open_item_by_payment", open_item.c.payment_id, sqlite_where=_OF_PAYMENT, postgresql_where=_OF_PAYMENT)

allocation = sa.Table(
    "allocation",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("key", Key, nullable=False, unique=True),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("debit_id", Whole, nullable=False),
    sa.Column("credit_id", Whole, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("amount", MinorUnits, nullable=False),
    sa.Column("on_date", Day, nullable=False),
    sa.Column("strategy", Key, nullable=False),
    sa.Column("line", Whole, nullable=False, server_default="0"),
    sa.Column("undoes_id", Whole, unique=True),
    sa.Column("actor", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.CheckConstraint("(undoes_id IS NULL) = (amount > 0)"),
    sa.CheckConstraint("amount <> 0"),
    sqlite_strict=True,
)
sa.Index("allocation_by_debit", allocation.c.debit_id)
sa.Index("allocation_by_credit", allocation.c.credit_id)
sa.Index("allocation_by_account", allocation.c.account_id)
