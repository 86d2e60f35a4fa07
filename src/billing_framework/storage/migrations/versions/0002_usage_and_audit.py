"""The audit trail, and the tables of usage that all kinds share."""

from alembic import op

from billing_framework.storage.audit import create_audit_table
from billing_framework.storage.usage.tables import create_usage_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    connection = op.get_bind()
    create_audit_table(connection)
    create_usage_tables(connection)
