"""Runs, documents, the keys that forbid double billing, holds and the outbox, with their guards."""

from alembic import op

from billing_framework.storage.billing.guards import create_billing_tables

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    create_billing_tables(op.get_bind())
