"""The tables of billing: runs and their accounts, documents with their parts, and the keys that forbid double billing.

Growing tables carry `account_id` and `month`; what must be unique everywhere (charge keys, billed periods, numbers) stands in
tables of its own. The guards on these tables are in `billing_guards`.
"""

from __future__ import annotations

import sqlalchemy as sa

from billing_framework.storage.column_types import (
    CurrencyCode,
    Day,
    Digest,
    ExactText,
    Flag,
    Instant,
    JsonText,
    Key,
    MinorUnits,
    Scattered,
    Whole,
)

metadata = sa.MetaData()


def _in(column: str, *values: str) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})")


run = sa.Table(
    "run",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("code", Key, nullable=False, unique=True),
    sa.Column("book", Key, nullable=False),
    sa.Column("cycle", Key, nullable=False),
    sa.Column("period_start", Day, nullable=False),
    sa.Column("period_end", Day, nullable=False),
    sa.Column("kind", Key, nullable=False),
    sa.Column("sequence", Whole, nullable=False),
    sa.Column("as_of", Day, nullable=False),
    sa.Column("known_at", Instant, nullable=False),
    sa.Column("accounts", JsonText, nullable=False),  # the filter: codes, empty for all accounts of the cycle
    sa.Column("state", Key, nullable=False),
    sa.Column("versions", JsonText, nullable=False),  # framework, plugins, settings, time-zone rules
    sa.Column("started_by", Key, nullable=False),
    sa.Column("started_at", Instant, nullable=False),
    sa.Column("approved_by", Key),
    sa.Column("approved_at", Instant),
    sa.Column("ended_by", Key),
    sa.Column("ended_at", Instant),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("digest", Digest),  # of all documents and entries, frozen by the approval
    sa.UniqueConstraint("book", "cycle", "period_start", "period_end", "kind", "sequence"),
    sa.CheckConstraint("period_start < period_end"),
    _in("kind", "rehearsal", "final", "migration"),
    _in("state", "drafting", "drafted", "approved", "posting", "posted", "cancelled"),
    sa.CheckConstraint("kind <> 'rehearsal' OR state NOT IN ('approved', 'posting', 'posted')"),
    sqlite_strict=True,
)

sa.Index("run_by_approval", run.c.approved_at)

run_account = sa.Table(
    "run_account",
    metadata,
    sa.Column("run_id", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("account", Key, nullable=False),
    sa.Column("state", Key, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("evidence", JsonText, nullable=False),  # findings, as mappings
    sa.Column("control", JsonText, nullable=False),  # records in = rated + zero-priced, by kind
    sa.Column("document_id", Whole),
    sa.Column("manifest", Digest),  # digest of the input without the instant at which it was known
    sa.Column("manifest_parts", JsonText),  # digest per part, so that a stale draft can say what changed
    sa.Column("version", Whole, nullable=False, server_default="0"),  # counts the drafts
    sa.Column("known", Key, nullable=False, server_default=""),  # mark of all that was known when it was drafted
    sa.Column("released", Digest),  # content digest of the draft whose findings an officer has overruled
    sa.PrimaryKeyConstraint("run_id", "account_id"),
    _in("state", "pending", "drafted", "held", "approved", "posted", "skipped"),
    sqlite_strict=True,
)

sa.Index("run_account_by_document", run_account.c.document_id)
sa.Index("run_account_by_account", run_account.c.account_id)

billed_period = sa.Table(
    "billed_period",
    metadata,
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("period_start", Day, nullable=False),
    sa.Column("period_end", Day, nullable=False),
    sa.Column("run_id", Whole, nullable=False),
    sa.PrimaryKeyConstraint("account_id", "period_start"),
    sa.CheckConstraint("period_start < period_end"),
    sqlite_strict=True,
)

document = sa.Table(
    "document",
    metadata,
    sa.Column("id", Scattered, primary_key=True, autoincrement=False),
    sa.Column("book", Key, nullable=False),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("account", Key, nullable=False),
    sa.Column("month", Whole, nullable=False),
    sa.Column("kind", Key, nullable=False),
    sa.Column("status", Key, nullable=False),
    sa.Column("final", Flag, nullable=False),  # false on documents of a rehearsal, which can never be issued
    sa.Column("series", Key),
    sa.Column("counter", Whole),
    sa.Column("number", Key),
    sa.Column("issue_on", Day, nullable=False),
    sa.Column("due_on", Day, nullable=False),
    sa.Column("period_start", Day, nullable=False),
    sa.Column("period_end", Day, nullable=False),
    sa.Column("currency", CurrencyCode, nullable=False),
    sa.Column("net", MinorUnits, nullable=False),
    sa.Column("tax", MinorUnits, nullable=False),
    sa.Column("gross", MinorUnits, nullable=False),
    sa.Column("payable", MinorUnits, nullable=False),
    sa.Column("run_id", Whole),
    sa.Column("version", Whole, nullable=False),
    sa.Column("revision", Whole, nullable=False),  # 1, and one more with every credit and rebill
    sa.Column("corrects_id", Whole),
    sa.Column("replaces_id", Whole, unique=True),  # the document that this one bills anew
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("content", JsonText, nullable=False),  # the drafted document without its lines and taxes
    sa.Column("state", JsonText, nullable=False),  # carried state that it writes when it is posted
    sa.Column("digest", Digest, nullable=False),  # of what it says, without numbers, ids and clock times
    sa.Column("posted_at", Instant),
    sa.Column("state_digest", Digest),  # of the state as it was drafted, where there is any
    sa.CheckConstraint("(status = 'draft') = (number IS NULL)"),
    sa.CheckConstraint("(number IS NULL) = (series IS NULL) AND (number IS NULL) = (counter IS NULL)"),
    sa.CheckConstraint("gross = net + tax"),
    _in("status", "draft", "issued", "void"),
    sqlite_strict=True,
)
sa.Index("document_by_account", document.c.account_id, document.c.issue_on)
sa.Index("document_by_run", document.c.run_id)
sa.Index("document_by_corrected", document.c.corrects_id)
_OF_NO_RUN = document.c.run_id.is_(None)
sa.Index("document_of_no_run", document.c.posted_at, sqlite_where=_OF_NO_RUN, postgresql_where=_OF_NO_RUN)

document_line = sa.Table(
    "document_line",
    metadata,
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("line", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("month", Whole, nullable=False),
    sa.Column("charge", Key, nullable=False),  # natural key of the charge
    sa.Column("agreement", Key, nullable=False),
    sa.Column("component", Key, nullable=False),
    sa.Column("net", MinorUnits, nullable=False),
    sa.Column("tax", MinorUnits, nullable=False),
    sa.Column("amount", ExactText, nullable=False),
    sa.Column("quantity", ExactText),
    sa.Column("unit", Key),
    sa.Column("unit_price", ExactText),
    sa.Column("code", Key, nullable=False),
    sa.Column("service_start", Day, nullable=False),
    sa.Column("service_end", Day, nullable=False),
    sa.Column("origin", Key, nullable=False),
    sa.Column("content", JsonText, nullable=False),  # the whole line as it is printed
    sa.Column("evidence", JsonText, nullable=False),  # what it rests on: records, carried state, steps
    sa.PrimaryKeyConstraint("document_id", "line"),
    sqlite_strict=True,
)
sa.Index("document_line_by_component", document_line.c.agreement, document_line.c.component)

document_tax = sa.Table(
    "document_tax",
    metadata,
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("position", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("month", Whole, nullable=False),
    sa.Column("code", Key, nullable=False),
    sa.Column("base", MinorUnits, nullable=False),
    sa.Column("rate", ExactText, nullable=False),
    sa.Column("tax", MinorUnits, nullable=False),
    sa.Column("content", JsonText, nullable=False),
    sa.PrimaryKeyConstraint("document_id", "position"),
    sqlite_strict=True,
)

document_input = sa.Table(
    "document_input",
    metadata,
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),  # whose input: the payer's own, and that of each account it pays for
    sa.Column("month", Whole, nullable=False),
    sa.Column("manifest", sa.Text, nullable=False),  # canonical JSON
    sa.Column("digest", Digest, nullable=False),
    sa.PrimaryKeyConstraint("document_id", "account_id", "month"),  # a document has one month, which a guard compares
    sqlite_strict=True,
    postgresql_partition_by="RANGE (month)",  # it names every record that was rated
)

document_party = sa.Table(
    "document_party",
    metadata,
    sa.Column("document_id", Scattered, primary_key=True, autoincrement=False),
    sa.Column("seller", JsonText, nullable=False),  # name, address, tax ids and bank of the book as they were printed
    sa.Column("buyer", JsonText, nullable=False),  # personal data: outside every digest
    sqlite_strict=True,
)

charge_key = sa.Table(
    "charge_key",
    metadata,
    sa.Column("charge_id", Whole, nullable=False),  # natural id of the charge's natural key
    sa.Column("revision", Whole, nullable=False),
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("reversed_by", Whole),  # the posted credit note that took the charge back
    sa.PrimaryKeyConstraint("charge_id", "revision"),
    sqlite_strict=True,
)
sa.Index("charge_key_by_document", charge_key.c.document_id)

carried_state = sa.Table(
    "carried_state",
    metadata,
    sa.Column("scope", Key, nullable=False),
    sa.Column("name", Key, nullable=False),
    sa.Column("period_start", Day, nullable=False),
    sa.Column("period_end", Day, nullable=False),
    sa.Column("written_by", Whole, nullable=False),  # document
    sa.Column("values", JsonText, nullable=False),
    sa.Column("rewound_by", Whole),  # the credit note whose document had written it
    sa.PrimaryKeyConstraint("scope", "name", "period_end", "written_by"),
    sqlite_strict=True,
)
sa.Index(
    "carried_state_current",
    carried_state.c.scope,
    carried_state.c.name,
    carried_state.c.period_end,
    unique=True,
    sqlite_where=carried_state.c.rewound_by.is_(None),
    postgresql_where=carried_state.c.rewound_by.is_(None),
)
sa.Index("carried_state_by_writer", carried_state.c.written_by)

document_state_read = sa.Table(
    "document_state_read",
    metadata,
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("scope", Key, nullable=False),
    sa.Column("name", Key, nullable=False),
    sa.Column("written_by", Whole, nullable=False),  # document that wrote what was read; 0 where nothing was there yet
    sa.PrimaryKeyConstraint("document_id", "scope", "name"),
    sqlite_strict=True,
)
sa.Index("document_state_read_by_writer", document_state_read.c.written_by)
sa.Index("document_state_read_by_scope", document_state_read.c.scope)

edit = sa.Table(
    "edit",
    metadata,
    sa.Column("run_id", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),
    sa.Column("position", Whole, nullable=False),
    sa.Column("content", JsonText),  # NULL where the row only takes an earlier edit back
    sa.Column("withdraws", Whole),  # position of the edit that it takes back
    sa.Column("actor", Key, nullable=False),
    sa.Column("at", Instant, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "account_id", "position"),
    sa.UniqueConstraint("run_id", "account_id", "withdraws"),
    sa.CheckConstraint("(content IS NULL) = (withdraws IS NOT NULL)"),
    sa.CheckConstraint("withdraws < position"),
    sqlite_strict=True,
)

number_series = sa.Table(
    "number_series",
    metadata,
    sa.Column("book", Key, nullable=False),
    sa.Column("series", Key, nullable=False),  # the number's text before the counter, for example INV-2026-
    sa.Column("next_number", Whole, nullable=False),
    sa.PrimaryKeyConstraint("book", "series"),
    sa.CheckConstraint("next_number >= 1"),
    sqlite_strict=True,
)

posting_manifest = sa.Table(
    "posting_manifest",
    metadata,
    sa.Column("run_id", Whole, nullable=False),
    sa.Column("position", Whole, nullable=False),
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("series", Key, nullable=False),
    sa.Column("counter", Whole, nullable=False),
    sa.Column("number", Key, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "position"),
    sa.UniqueConstraint("document_id"),
    sqlite_strict=True,
)

number_issued = sa.Table(
    "number_issued",
    metadata,
    sa.Column("book", Key, nullable=False),
    sa.Column("series", Key, nullable=False),
    sa.Column("counter", Whole, nullable=False),
    sa.Column("number", Key, nullable=False),
    sa.Column("document_id", Whole, nullable=False, unique=True),
    sa.PrimaryKeyConstraint("book", "series", "counter"),
    sa.UniqueConstraint("book", "number"),
    sqlite_strict=True,
)

outbox = sa.Table(
    "outbox",
    metadata,
    sa.Column("id", Whole, primary_key=True, autoincrement=False),
    sa.Column("at", Instant, nullable=False),
    sa.Column("topic", Key, nullable=False),
    sa.Column("book", Key, nullable=False, server_default=""),
    sa.Column("key", Key, nullable=False),
    sa.Column("payload", JsonText, nullable=False),
    sa.Column("published_at", Instant),
    sqlite_strict=True,
)
_UNPUBLISHED = outbox.c.published_at.is_(None)
sa.Index("outbox_unpublished", outbox.c.topic, outbox.c.id, sqlite_where=_UNPUBLISHED, postgresql_where=_UNPUBLISHED)
