"""Loaded rate tables, with their guards."""

from alembic import op

from billing_framework.storage.master.rate_table_tables import create_rate_table_tables

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_rate_table_tables(op.get_bind())
