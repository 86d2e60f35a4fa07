"""A count of workers that hung at a shard and were ended."""

from alembic import op

from billing_framework.storage.billing.shard_tables import add_overruns

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column where the table was made without it."""
    add_overruns(op.get_bind())
