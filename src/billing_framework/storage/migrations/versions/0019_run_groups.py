"""Groups of accounts by which runs are cut."""

import sqlalchemy as sa
from alembic import op

from billing_framework.storage.master.account_tables import account

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column where the table was made without it."""
    name = account.c.run_group.name
    if name not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns(account.name)}:
        op.add_column(account.name, sa.Column(name, account.c.run_group.type, nullable=False, server_default=""))
