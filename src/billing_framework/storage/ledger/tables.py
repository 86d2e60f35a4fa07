"""The tables of the ledger.

Rows of a batch come first (`entry`, `posting`), its header (`posting_batch`) after them is the seal, its link (`batch_chain`) is
last. What must be unique for ever stands in unpartitioned tables: keys, reversals and ids in `entry`, sequence and hashes in
`batch_chain`. `posting`, which grows fastest, is partitioned by month on PostgreSQL; opening a period makes its partitions.

Entries and postings carry no foreign keys on PostgreSQL: the seal checks the same as sets, at a fraction of the cost.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import CurrencyCode, Day, Digest, Instant, Key, MinorUnits, Whole
from billing_framework.storage.ledger.seal import create_seal

metadata = sa.MetaData()


def _deferred_on_sqlite(column: str, target: str) -> sa.ForeignKeyConstraint:
    """Return a foreign key checked at COMMIT; PostgreSQL holds the same by the seal's deferred trigger."""
    key = sa.ForeignKeyConstraint([column], [target], deferrable=True, initially="DEFERRED")
    key.ddl_if(dialect="sqlite")
    return key


book = sa.Table(
    "book",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("key", Key, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("genesis", Digest, nullable=False, unique=True),
    sa.CheckConstraint("length(genesis) = 32", name="book_genesis_is_sha256"),
    sqlite_strict=True,
)

gl_account = sa.Table(
    "gl_account",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("book_id", Whole, sa.ForeignKey("book.id"), nullable=False),
    sa.Column("code", Key, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", Key, nullable=False),
    sa.Column("floor", Key, nullable=False),
    sa.Column("control_of", Key, nullable=False),
    sa.UniqueConstraint("book_id", "code"),
    sa.CheckConstraint("type IN ('asset', 'liability', 'equity', 'income', 'expense')", name="gl_account_type"),
    sa.CheckConstraint("floor IN ('none', 'no_debit', 'no_credit')", name="gl_account_floor"),
    sqlite_strict=True,
)

period = sa.Table(
    "period",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("book_id", Whole, sa.ForeignKey("book.id"), nullable=False),
    sa.Column("starts_on", Day, nullable=False),
    sa.Column("ends_before", Day, nullable=False),  # half-open: the first date after the period
    sa.Column("status", Key, nullable=False),
    sa.Column("closed_at", Instant),
    sa.UniqueConstraint("book_id", "starts_on"),
    sa.CheckConstraint("starts_on < ends_before", name="period_has_dates"),
    sa.CheckConstraint("status IN ('open', 'closed')", name="period_status"),
    sa.CheckConstraint("(status = 'closed') = (closed_at IS NOT NULL)", name="period_closed_at"),
    sqlite_strict=True,
)

posting_batch = sa.Table(
    "posting_batch",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("book_id", Whole, sa.ForeignKey("book.id"), nullable=False),
    sa.Column("digest", Digest, nullable=False),
    sa.Column("entry_count", Whole, nullable=False),
    sa.Column("posting_count", Whole, nullable=False),
    sa.Column("posted_at", Instant, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.CheckConstraint("length(digest) = 32", name="posting_batch_digest_is_sha256"),
    _deferred_on_sqlite("id", "batch_chain.batch_id"),
    sqlite_strict=True,
)

batch_chain = sa.Table(
    "batch_chain",
    metadata,
    sa.Column("book_id", Whole, sa.ForeignKey("book.id"), nullable=False),
    sa.Column("seq", Whole, nullable=False),
    # No foreign key to the header, which refers to its link: the link's trigger looks for the header.
    sa.Column("batch_id", Whole, nullable=False, unique=True),
    sa.Column("prev_hash", Digest, nullable=False, unique=True),
    sa.Column("hash", Digest, nullable=False, unique=True),
    sa.PrimaryKeyConstraint("book_id", "seq", name="LEDGER02 the sequence is used"),
    sa.CheckConstraint("seq > 0", name="batch_chain_seq_from_1"),
    sa.CheckConstraint("length(prev_hash) = 32 AND length(hash) = 32", name="batch_chain_hashes_are_sha256"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

# Clustered by batch on SQLite, so that the rows of a batch are written and checked side by side.
entry = sa.Table(
    "entry",
    metadata,
    sa.Column("batch_id", Whole, nullable=False),
    sa.Column("id", Whole, nullable=False),
    sa.Column("month", Whole, nullable=False),  # yyyymm of effective_on, the partition key of its postings
    sa.Column("book_id", Whole, nullable=False),
    sa.Column("period_id", Whole, nullable=False),
    sa.Column("effective_on", Day, nullable=False),
    sa.Column("kind", Key, nullable=False),
    sa.Column("source", Key, nullable=False),
    sa.Column("idempotency_key", Key, nullable=False),
    sa.Column("request_digest", Digest, nullable=False),
    sa.Column("reverses_id", Whole),
    sa.Column("memo", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("batch_id", "id"),
    sa.UniqueConstraint("id", name="LEDGER02 the id of the entry is used"),
    sa.UniqueConstraint("book_id", "idempotency_key", name="LEDGER02 the idempotency key is used"),
    sa.CheckConstraint("length(request_digest) = 32", name="entry_digest_is_sha256"),
    sa.Index(
        "LEDGER02 the entry is reversed already",
        "reverses_id",
        unique=True,
        sqlite_where=sa.text("reverses_id IS NOT NULL"),
        postgresql_where=sa.text("reverses_id IS NOT NULL"),
    ),
    _deferred_on_sqlite("batch_id", "posting_batch.id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)

posting = sa.Table(
    "posting",
    metadata,
    sa.Column("batch_id", Whole, nullable=False),
    sa.Column("entry_id", Whole, nullable=False),
    sa.Column("line", Whole, nullable=False),
    sa.Column("month", Whole, nullable=False),
    sa.Column("book_id", Whole, nullable=False),
    sa.Column("gl_account_id", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),  # sub-ledger account, 0 for none
    sa.Column("sub_key", Key, nullable=False),  # what inside the account: a deposit, a matter; empty for none
    sa.Column("document_key", Key, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("amount", MinorUnits, nullable=False),
    sa.PrimaryKeyConstraint("batch_id", "entry_id", "line", "month"),
    sa.CheckConstraint("amount <> 0", name="LEDGER16 a line is zero"),
    sa.CheckConstraint("length(currency) = 3", name="posting_currency"),
    sa.Index("posting_by_account", "account_id", "gl_account_id"),
    _deferred_on_sqlite("batch_id", "posting_batch.id"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (month)",
)

balance = sa.Table(
    "balance",
    metadata,
    sa.Column("gl_account_id", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("sub_key", Key, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("floor", Key, nullable=False),
    sa.Column("amount", MinorUnits, nullable=False),
    sa.PrimaryKeyConstraint("gl_account_id", "account_id", "sub_key", "currency"),
    sa.CheckConstraint("floor <> 'no_debit' OR amount <= 0", name="LEDGER10 a guarded balance would become a debit"),
    sa.CheckConstraint("floor <> 'no_credit' OR amount >= 0", name="LEDGER10 a guarded balance would become a credit"),
    sqlite_strict=True,
    sqlite_with_rowid=False,
)


def create_ledger(connection: Connection) -> None:
    """Create the tables of the ledger and their seal; part of the first revision."""
    metadata.create_all(connection)
    create_seal(connection)
