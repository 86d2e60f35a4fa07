"""Reconciliations of held money with the bank's statements, with their guards."""

from alembic import op

from billing_framework.storage.receivable.reconciliation_tables import create_reconciliation_tables

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_reconciliation_tables(op.get_bind())
