"""What the database itself refuses around documents, whoever sends the SQL."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.billing import hold_tables
from billing_framework.storage.billing import tables as billing_tables
from billing_framework.storage.guard import ROW_BY_ROW, Guard, append_only, create_guards, never_emptied, not_replaced
from billing_framework.storage.partitions import create_others

ISSUED = "AR05 an issued document, its lines, taxes and inputs never change"
STATE = "AR10 carried state changes only by the credit note that rewinds it"
NUMBER = "INVOICE21 a number that was issued is never given again"
RESERVED = "RUN27 the numbers of approved documents stay reserved for them"
RUN = "RUN26 a run stays what it was started as, and for ever what it was posted as"
HOLD = "AR54 a hold is ended with its outcome, never changed or removed"


def _same(*columns: str) -> str:
    return " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in columns)


_CONTENT = (
    "id", "book", "account_id", "account", "month", "kind", "final", "issue_on", "due_on", "period_start", "period_end",
    "currency", "net", "tax", "gross", "payable", "run_id", "version", "revision", "corrects_id", "replaces_id",
    "content", "state", "digest",
)  # fmt: skip
_NOT_DRAFT = "COALESCE((SELECT status FROM document WHERE id = {row}.document_id), 'none') <> 'draft'"
_OF_OTHER_MONTH = " OR NOT EXISTS (SELECT 1 FROM document WHERE id = NEW.document_id AND month = NEW.month)"
_PARTS = ("document_line", "document_tax", "document_input", "document_party", "document_state_read")


def _document_guards() -> Iterator[Guard]:
    yield Guard(name="document_frozen", table="document", event="UPDATE", message=ISSUED, refuse_when="OLD.status <> 'draft'")
    yield not_replaced(billing_tables.document, ISSUED)
    yield Guard(
        name="document_same",
        table="document",
        event="UPDATE",
        message="AR07 issuing a document changes nothing that it says",
        refuse_when=_same("id", "replaces_id"),
    )
    yield Guard(name="document_kept", table="document", event="DELETE", message=ISSUED, refuse_when="OLD.status <> 'draft'")
    yield Guard(
        name="document_born_draft",
        table="document",
        event="INSERT",
        message="AR06 a document is drafted before it is issued",
        refuse_when="NEW.status <> 'draft'",
    )
    yield Guard(
        name="document_issue_keeps",
        table="document",
        event="UPDATE",
        message="AR07 issuing a document changes nothing that it says",
        refuse_when=f"NEW.status <> 'draft' AND ({_same(*_CONTENT)})",
    )
    yield Guard(
        name="document_rehearsed",
        table="document",
        event="UPDATE",
        message="AR08 a document of a rehearsal is never issued",
        refuse_when="NEW.status <> 'draft' AND NOT NEW.final",
    )
    yield Guard(
        name="document_totals",
        table="document",
        event="UPDATE",
        message="AR04 the totals of the document differ from its lines or taxes",
        refuse_when="NEW.status <> 'draft' AND ("
        "(SELECT COALESCE(sum(net), 0) FROM document_line WHERE document_id = NEW.id) <> NEW.net"
        " OR (SELECT COALESCE(sum(tax), 0) FROM document_line WHERE document_id = NEW.id) <> NEW.tax"
        " OR (SELECT COALESCE(sum(tax), 0) FROM document_tax WHERE document_id = NEW.id) <> NEW.tax)",
        at_once=True,
    )
    yield Guard(
        name="document_number_known",
        table="document",
        event="UPDATE",
        message="AR09 the number of the document was not issued to it",
        refuse_when="NEW.status <> 'draft' AND NOT EXISTS (SELECT 1 FROM number_issued n WHERE n.document_id = NEW.id"
        f" AND n.book = NEW.book AND n.series = NEW.series AND n.number = NEW.number{ROW_BY_ROW})",
        at_once=True,
    )


def _part_guards() -> Iterator[Guard]:
    for table in _PARTS:
        late = _NOT_DRAFT.format(row="NEW") + (_OF_OTHER_MONTH if table == "document_input" else "")
        # One that is partitioned is watched row by row: rows that are written to a partition directly pass by the whole.
        alone = table != "document_input"
        yield Guard(name=f"{table}_late", table=table, event="INSERT", message=ISSUED, refuse_when=late, at_once=alone)
        yield Guard(name=f"{table}_frozen", table=table, event="UPDATE", message=ISSUED, refuse_when="1 = 1")
        yield Guard(
            name=f"{table}_kept",
            table=table,
            event="DELETE",
            message=ISSUED,
            refuse_when="EXISTS (SELECT 1 FROM document WHERE id = OLD.document_id AND status <> 'draft')",
        )


def _key_guards() -> Iterator[Guard]:
    yield not_replaced(billing_tables.charge_key, "CHARGE01 the charge was billed before and not taken back")
    yield Guard(
        name="charge_key_next",
        table="charge_key",
        event="INSERT",
        message="CHARGE01 the charge was billed before and not taken back",
        refuse_when="NEW.reversed_by IS NOT NULL OR (NEW.revision <> 1 AND NOT EXISTS (SELECT 1 FROM charge_key k"
        " WHERE k.charge_id = NEW.charge_id AND k.revision = NEW.revision - 1 AND k.reversed_by IS NOT NULL))"
        " OR NEW.revision < 1",
        at_once=True,
    )
    yield Guard(
        name="charge_key_final",
        table="charge_key",
        event="INSERT",
        message="CHARGE02 only a draft of a final run may take a charge",
        refuse_when=f"NOT EXISTS (SELECT 1 FROM document WHERE id = NEW.document_id AND status = 'draft' AND final{ROW_BY_ROW})",
        at_once=True,
    )
    yield Guard(
        name="charge_key_frozen",
        table="charge_key",
        event="UPDATE",
        message="CHARGE03 a billed charge changes only by the posted credit note that takes it back",
        refuse_when=f"OLD.reversed_by IS NOT NULL OR NEW.reversed_by IS NULL OR {_same('charge_id', 'revision', 'document_id')}"
        " OR NOT EXISTS (SELECT 1 FROM document WHERE id = NEW.reversed_by AND status = 'issued' AND kind = 'credit_note'"
        " AND corrects_id = OLD.document_id)",
    )
    yield Guard(
        name="charge_key_kept",
        table="charge_key",
        event="DELETE",
        message="CHARGE03 a billed charge changes only by the posted credit note that takes it back",
        refuse_when="EXISTS (SELECT 1 FROM document WHERE id = OLD.document_id AND status = 'issued')",
    )
    yield Guard(
        name="billed_period_once",
        table="billed_period",
        event="INSERT",
        message="CHARGE04 another run has billed or is billing these dates of the account",
        refuse_when="EXISTS (SELECT 1 FROM billed_period p WHERE p.account_id = NEW.account_id"
        " AND p.period_start < NEW.period_end AND p.period_end > NEW.period_start)",
        only="sqlite",
    )
    yield Guard(
        name="billed_period_frozen", table="billed_period", event="UPDATE", refuse_when="1 = 1",
        message="CHARGE05 a billed period is released by cancelling its draft, never changed",
    )  # fmt: skip
    yield Guard(
        name="billed_period_kept",
        table="billed_period",
        event="DELETE",
        message="CHARGE05 a billed period is released by cancelling its draft, never changed",
        refuse_when="EXISTS (SELECT 1 FROM run_account a JOIN document d ON d.id = a.document_id"
        " WHERE a.run_id = OLD.run_id AND a.account_id = OLD.account_id AND d.status = 'issued')",
    )


_STARTED = (
    "id", "code", "book", "cycle", "period_start", "period_end", "kind", "sequence", "as_of", "known_at", "accounts", "versions",
    "started_by", "started_at",
)  # fmt: skip


def _run_guards() -> Iterator[Guard]:
    yield Guard(
        name="run_fixed",
        table="run",
        event="UPDATE",
        message=RUN,
        refuse_when=f"OLD.state IN ('posted', 'cancelled') OR {_same(*_STARTED)}"
        " OR (OLD.state = NEW.state AND OLD.digest IS DISTINCT FROM NEW.digest)",
    )
    yield Guard(name="run_kept", table="run", event="DELETE", message=RUN, refuse_when="OLD.kind <> 'rehearsal'")
    yield not_replaced(billing_tables.run, RUN)
    yield Guard(
        name="run_account_fixed",
        table="run_account",
        event="UPDATE",
        message=RUN,
        refuse_when=f"OLD.state = 'posted' OR {_same('run_id', 'account_id', 'account')}",
    )
    yield Guard(
        name="run_account_kept",
        table="run_account",
        event="DELETE",
        message=RUN,
        refuse_when="EXISTS (SELECT 1 FROM run r WHERE r.id = OLD.run_id AND r.kind <> 'rehearsal')",
    )
    yield not_replaced(billing_tables.run_account, RUN)


def _number_guards() -> Iterator[Guard]:
    yield from append_only(billing_tables.number_issued, "AR03 a number is issued once and for ever")
    yield Guard(
        name="number_series_forward",
        table="number_series",
        event="UPDATE",
        message=NUMBER,
        refuse_when="OLD.book <> NEW.book OR OLD.series <> NEW.series OR EXISTS (SELECT 1 FROM number_issued n"
        " WHERE n.book = NEW.book AND n.series = NEW.series AND n.counter >= NEW.next_number)",
    )
    yield Guard(name="number_series_kept", table="number_series", event="DELETE", refuse_when="1 = 1", message=NUMBER)
    yield not_replaced(billing_tables.number_series, NUMBER)
    yield Guard(name="posting_manifest_fixed", table="posting_manifest", event="UPDATE", refuse_when="1 = 1", message=RESERVED)
    yield Guard(
        name="posting_manifest_kept",
        table="posting_manifest",
        event="DELETE",
        message=RESERVED,
        refuse_when="EXISTS (SELECT 1 FROM number_issued n WHERE n.document_id = OLD.document_id)",
    )
    yield not_replaced(billing_tables.posting_manifest, RESERVED)


def _hold_guards() -> Iterator[Guard]:
    names = (column.name for column in hold_tables.hold.c)
    facts = _same(*(name for name in names if name not in ("until", "outcome", "ended_by", "ended_at")))
    yield Guard(name="hold_fixed", table="hold", event="UPDATE", message=HOLD, refuse_when=f"OLD.outcome IS NOT NULL OR {facts}")
    yield Guard(name="hold_kept", table="hold", event="DELETE", message=HOLD, refuse_when="1 = 1")
    yield not_replaced(hold_tables.hold, HOLD)


def _append_only() -> Iterator[Guard]:
    yield from append_only(billing_tables.edit, "AR03 edits of a draft are only ever added")
    yield Guard(
        name="carried_state_frozen",
        table="carried_state",
        event="UPDATE",
        message=STATE,
        refuse_when="OLD.rewound_by IS NOT NULL OR NEW.rewound_by IS NULL OR "
        + _same("scope", "name", "period_start", "period_end", "written_by")
        + ' OR OLD."values" IS DISTINCT FROM NEW."values"'
        " OR NOT EXISTS (SELECT 1 FROM document WHERE id = NEW.rewound_by AND status = 'issued')",
    )
    yield not_replaced(billing_tables.carried_state, STATE)
    yield Guard(
        name="carried_state_present",
        table="carried_state",
        event="INSERT",
        message=STATE,
        refuse_when="EXISTS (SELECT 1 FROM carried_state s WHERE s.scope = NEW.scope AND s.name = NEW.name"
        " AND s.period_end = NEW.period_end AND s.rewound_by IS NULL)",
        only="sqlite",
    )
    yield Guard(
        name="carried_state_kept", table="carried_state", event="DELETE", refuse_when="1 = 1",
        message=STATE,
    )  # fmt: skip


def guards() -> tuple[Guard, ...]:
    """Return every guard, in the order in which they are created."""
    rows = (
        *_document_guards(),
        *_part_guards(),
        *_key_guards(),
        *_run_guards(),
        *_number_guards(),
        *_hold_guards(),
        *_append_only(),
    )
    return (*rows, *never_emptied(sorted({guard.table for guard in rows}), "AR03 rows of billing are only ever added"))


def input_guards() -> tuple[Guard, ...]:
    """Return the guards of the stored input of documents, which each of its partitions has too."""
    return tuple(guard for guard in guards() if guard.table == "document_input")


def create_billing_tables(connection: Connection) -> None:
    """Create the tables with their guards; part of a migration."""
    billing_tables.metadata.create_all(connection)
    hold_tables.metadata.create_all(connection)
    create_guards(connection, guards())
    create_others(connection, "document_input", input_guards())
    if connection.dialect.name == "postgresql":
        # Also between two open transactions; an id as a range of one needs no extension.
        connection.execute(
            sa.text(
                "ALTER TABLE billed_period ADD CONSTRAINT billed_period_once EXCLUDE USING gist"
                " (int8range(account_id, account_id, '[]') WITH &&, daterange(period_start, period_end) WITH &&)"
            )
        )
