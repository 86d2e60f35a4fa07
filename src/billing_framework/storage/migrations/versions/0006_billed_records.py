"""Carried records of drafts, and which document has billed each, with their guards."""

from alembic import op

from billing_framework.storage.billing.record_tables import create_record_tables

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    create_record_tables(op.get_bind())
