"""Shards of runs, with their guards."""

from alembic import op

from billing_framework.storage.billing.shard_tables import create_shard_tables

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_shard_tables(op.get_bind())
