"""Indexes for what is asked of the newest rows, of those that wait, and of the item of a payment."""

from alembic import op

from billing_framework.storage.billing.tables import document, outbox, run
from billing_framework.storage.delivery_tables import outbox_delivery
from billing_framework.storage.receivable.tables import open_item
from billing_framework.storage.usage.tables import usage_batch

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_ADDED = {
    "run_by_approval",
    "document_of_no_run",
    "outbox_unpublished",
    "outbox_delivery_by_state",
    "open_item_by_payment",
    "usage_batch_by_time",
}


def upgrade() -> None:
    """Add the indexes where the tables were made without them."""
    for table in (run, document, outbox, outbox_delivery, open_item, usage_batch):
        for index in sorted(table.indexes, key=lambda one: str(one.name)):
            if index.name in _ADDED:
                index.create(op.get_bind(), checkfirst=True)
