"""Indexes for what was found by looking at all rows: the runs of an account, readers and writers of state, trace numbers."""

from alembic import op

from billing_framework.storage.billing.tables import carried_state, document_state_read, run_account
from billing_framework.storage.receivable.answer_tables import answer

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_ADDED = ("run_account_by_account", "document_state_read_by_scope", "carried_state_by_writer", "answer_by_trace")


def upgrade() -> None:
    """Add the indexes where the tables were made without them."""
    for table in (run_account, document_state_read, carried_state, answer):
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if index.name in _ADDED:
                index.create(op.get_bind(), checkfirst=True)
