"""The tables of carried records: which ones a draft is made of, and which document has billed each.

A usage record carries no billed mark. What a draft bills is kept beside it in one packed row; a row per record is written when
the document is issued, and the database lets one standing document bill it.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.column_types import JsonText, Whole
from billing_framework.storage.guard import Guard, create_guards, never_emptied, not_replaced
from billing_framework.storage.packed import PackedWholes

metadata = sa.MetaData()

LINK = "CHARGE07 the document that bills a record is noted when it is issued, and for ever"
TWICE = "CHARGE06 another document that stands has billed the record"
PARTS = "AR05 an issued document, its lines, taxes and inputs never change"

document_records = sa.Table(
    "document_records",
    metadata,
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("account_id", Whole, nullable=False),  # whose agreements delivered: the payer's own, or those it pays for
    sa.Column("month", Whole, nullable=False),
    sa.Column("billed", PackedWholes, nullable=False),  # keys of the carried records that it bills, in order
    sa.Column("claims", PackedWholes, nullable=False),  # the slot of each, else its key: what only one document may bill
    sa.Column("deferred", JsonText, nullable=False),  # key to the reason why a record waits for a later bill
    sa.PrimaryKeyConstraint("document_id", "account_id"),
    sqlite_strict=True,
)

billed_record = sa.Table(
    "billed_record",
    metadata,
    sa.Column("record_key", Whole, nullable=False),
    sa.Column("document_id", Whole, nullable=False),
    sa.Column("claim", Whole, nullable=False),
    sa.Column("reversed_by", Whole),  # the posted credit note by which the record is free again
    sa.PrimaryKeyConstraint("record_key", "document_id"),
    sqlite_strict=True,
)
sa.Index("billed_record_by_document", billed_record.c.document_id)
sa.Index(
    "billed_record_once",
    billed_record.c.claim,
    unique=True,
    sqlite_where=billed_record.c.reversed_by.is_(None),
    postgresql_where=billed_record.c.reversed_by.is_(None),
)


def guards() -> tuple[Guard, ...]:
    """Return every guard of these tables."""
    part, status = document_records.name, "(SELECT status FROM document WHERE id = {row}.document_id)"
    return (
        Guard(
            name=f"{part}_late",
            table=part,
            event="INSERT",
            message=PARTS,
            refuse_when=f"COALESCE({status.format(row='NEW')}, 'none') <> 'draft'",
            at_once=True,
        ),
        not_replaced(document_records, PARTS),
        Guard(name=f"{part}_frozen", table=part, event="UPDATE", message=PARTS, refuse_when="1 = 1"),
        Guard(
            name=f"{part}_kept",
            table=part,
            event="DELETE",
            message=PARTS,
            refuse_when=f"COALESCE({status.format(row='OLD')}, 'draft') <> 'draft'",
        ),
        Guard(
            name="billed_record_present",
            table="billed_record",
            event="INSERT",
            message=TWICE,
            refuse_when="EXISTS (SELECT 1 FROM billed_record b WHERE b.claim = NEW.claim AND b.reversed_by IS NULL)",
            only="sqlite",
        ),
        not_replaced(billed_record, TWICE),
        Guard(
            name="billed_record_issued",
            table="billed_record",
            event="INSERT",
            message=LINK,
            refuse_when="NEW.reversed_by IS NOT NULL OR NOT EXISTS (SELECT 1 FROM document WHERE id = NEW.document_id"
            " AND status = 'issued' AND kind <> 'credit_note')"
            " AND NOT EXISTS (SELECT 1 FROM document d JOIN run r ON r.id = d.run_id WHERE d.id = NEW.document_id"
            " AND r.kind = 'migration' AND r.state = 'posting')",
            at_once=True,
        ),
        Guard(
            name="billed_record_frozen",
            table="billed_record",
            event="UPDATE",
            message=LINK,
            refuse_when="OLD.reversed_by IS NOT NULL OR NEW.reversed_by IS NULL OR OLD.record_key <> NEW.record_key"
            " OR OLD.document_id <> NEW.document_id OR OLD.claim <> NEW.claim"
            " OR NOT EXISTS (SELECT 1 FROM document WHERE id = NEW.reversed_by AND status = 'issued' AND kind = 'credit_note'"
            " AND corrects_id = OLD.document_id)",
        ),
        Guard(name="billed_record_kept", table="billed_record", event="DELETE", message=LINK, refuse_when="1 = 1"),
        *never_emptied([part, "billed_record"], LINK),
    )


def create_record_tables(connection: Connection) -> None:
    """Create the tables with their guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())
