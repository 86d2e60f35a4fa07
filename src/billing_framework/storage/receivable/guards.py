"""What the database itself refuses around payments, open items and allocations, whoever sends the SQL."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.guard import SEARCH_PATH, Guard, append_only, create_guards, never_emptied, not_replaced
from billing_framework.storage.receivable import tables as receivable_tables

KEPT = "AR03 rows of receivables are only ever added; undo by a counter-row"

_CROSSES = (
    "NOT EXISTS (SELECT 1 FROM open_item d, open_item c WHERE d.id = NEW.debit_id AND c.id = NEW.credit_id"
    " AND d.account_id = NEW.account_id AND c.account_id = NEW.account_id"
    " AND d.currency = NEW.currency AND c.currency = NEW.currency AND d.original > 0 AND c.original < 0)"
)
_NO_MIRROR = (
    "NEW.undoes_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM allocation a WHERE a.id = NEW.undoes_id AND a.undoes_id IS NULL"
    " AND a.debit_id = NEW.debit_id AND a.credit_id = NEW.credit_id AND a.line = NEW.line AND a.amount = -NEW.amount)"
)
_ABOVE_OPEN = (
    "(SELECT COALESCE(sum(a.amount), 0) FROM allocation a WHERE a.debit_id = NEW.debit_id) + NEW.amount"
    " > (SELECT d.original FROM open_item d WHERE d.id = NEW.debit_id)"
    " OR (SELECT COALESCE(sum(a.amount), 0) FROM allocation a WHERE a.credit_id = NEW.credit_id) + NEW.amount"
    " > (SELECT -c.original FROM open_item c WHERE c.id = NEW.credit_id)"
)
# Two allocations of one item in two open transactions would each see only their own: the second must wait for the first, and
# then see what it did, which only READ COMMITTED shows.
LOCK = "allocation_a_lock"
LOCK_BODY = """
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION 'AR33 allocations are written in READ COMMITTED transactions only';
  END IF;
  PERFORM 1 FROM open_item WHERE id IN (NEW.debit_id, NEW.credit_id) ORDER BY id FOR UPDATE;
  RETURN NEW;
END """
LOCK_TRIGGER = f"CREATE TRIGGER {LOCK} BEFORE INSERT ON allocation FOR EACH ROW EXECUTE FUNCTION {LOCK}()"

_PAYMENT_FACTS = (
    "id", "book", "direction", "purpose", "method", "currency", "amount", "received_on", "external_ref", "remittance", "digest",
    "returns_id", "return_code", "file_id", "actor", "at",
)  # fmt: skip


def _taken(table: str) -> str:
    return f"AR34 a row of {table} with this key is there already"


def guards() -> tuple[Guard, ...]:
    """Return every guard; PostgreSQL fires them by name, so the lock comes before the checks."""
    changed = " OR ".join(f"OLD.{column} IS DISTINCT FROM NEW.{column}" for column in _PAYMENT_FACTS)
    return (
        Guard(
            name="allocation_crosses",
            table="allocation",
            event="INSERT",
            refuse_when=_CROSSES,
            message="AR01 an allocation links a debit and a credit item of one account and currency",
        ),
        Guard(
            name="allocation_mirror",
            table="allocation",
            event="INSERT",
            refuse_when=_NO_MIRROR,
            message="AR02 an allocation is undone only by its exact opposite",
        ),
        Guard(
            name="allocation_open",
            table="allocation",
            event="INSERT",
            refuse_when=f"NEW.amount > 0 AND ({_ABOVE_OPEN})",
            message="AR31 the allocation is more than is open",
        ),
        *append_only(receivable_tables.allocation, KEPT, taken=_taken("allocation")),
        *append_only(receivable_tables.open_item, KEPT, taken=_taken("open_item")),
        *append_only(receivable_tables.payment_file, KEPT, taken=_taken("payment_file")),
        Guard(
            name="payment_frozen",
            table="payment",
            event="UPDATE",
            refuse_when=f"OLD.account_id IS NOT NULL OR NEW.account_id IS NULL OR {changed}",
            message="AR32 a payment changes only once: from suspense to its account",
        ),
        not_replaced(receivable_tables.payment, _taken("payment")),
        Guard(name="payment_kept", table="payment", event="DELETE", refuse_when="1 = 1", message=KEPT),
        *never_emptied(sorted(receivable_tables.metadata.tables), KEPT),
    )


def create_receivable_tables(connection: Connection) -> None:
    """Create the tables with their guards; part of a migration."""
    receivable_tables.metadata.create_all(connection)
    if connection.dialect.name == "postgresql":
        kind = f"RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = {SEARCH_PATH}"
        connection.execute(sa.text(f"CREATE FUNCTION {LOCK}() {kind} AS $${LOCK_BODY}$$"))
        connection.execute(sa.text(LOCK_TRIGGER))
    create_guards(connection, guards())
