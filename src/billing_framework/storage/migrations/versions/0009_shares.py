"""Shares of agreements among payers, with their guards."""

from alembic import op

from billing_framework.storage.master.share_tables import create_share_tables

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_share_tables(op.get_bind())
