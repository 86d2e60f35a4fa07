"""The keys of the people about whom data are kept."""

from alembic import op

from billing_framework.storage.personal.tables import create_personal_tables

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_personal_tables(op.get_bind())
