"""Deliveries of issued documents, with their guards."""

from alembic import op

from billing_framework.storage.delivery_tables import create_delivery_tables

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_delivery_tables(op.get_bind())
