"""Guards of the numbers that SQLite gives to rows beside their keys: by them, too, one row may be put in the place of another.

A row has such a number (``rowid``) unless its table has none, or one whole number is the key and the number alike. ``INSERT OR
REPLACE`` and ``UPDATE OR REPLACE`` with the number of a stored row delete that row, and fire no trigger for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from billing_framework.storage.guard import Guard, number_taken

NUMBERED = (
    "billed_period", "billed_record", "book_version", "carried_state", "charge_key", "document", "document_input",
    "document_line", "document_party", "document_records", "document_state_read", "document_tax", "edit",
    "manual_charge", "number_issued", "number_series", "open_item", "outbox_delivery", "personal_key", "plan_version",
    "posting_manifest", "rate_table_version", "run_account", "run_plan", "run_shard", "tax_file", "usage_coverage",
)  # fmt: skip
"""Tables with rows that are kept, and have numbers beside their keys; tables of usage have a guard of their own."""

_MESSAGE = "STORAGE25 a row takes the place of no other"


def guards() -> Iterator[Guard]:
    """Yield the guards; a row that the database is still to number has the number -1, which it gives to none."""
    for table in NUMBERED:
        for event, name, when in (
            ("INSERT", "row_taken", number_taken(table)),
            ("UPDATE", "row_moved", "OLD.rowid <> NEW.rowid"),
        ):
            yield Guard(name=f"{table}_{name}", table=table, event=event, refuse_when=when, message=_MESSAGE, only="sqlite")
