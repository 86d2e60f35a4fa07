"""Parties, accounts, agreements, assignments; loaded books, price plans and tax rates; manual charges; with their guards."""

from alembic import op

from billing_framework.storage.master.account_tables import create_account_tables
from billing_framework.storage.master.master_tables import create_master_tables

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    connection = op.get_bind()
    create_account_tables(connection)
    create_master_tables(connection)
