"""Deletions that sources deliver, with their guards."""

from alembic import op

from billing_framework.storage.usage.deletion_tables import create_deletion_tables

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_deletion_tables(op.get_bind())
