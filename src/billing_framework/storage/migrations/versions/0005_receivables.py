"""Payments, open items and allocations, with their guards."""

from alembic import op

from billing_framework.storage.receivable.guards import create_receivable_tables

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    create_receivable_tables(op.get_bind())
