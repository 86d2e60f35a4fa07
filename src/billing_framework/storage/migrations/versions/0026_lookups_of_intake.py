"""Indexes for intake: whether all accounts are in one time zone, and when identifiers are assigned."""

from alembic import op

from billing_framework.storage.master.account_tables import account, assignment

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_ADDED = {"account_by_zone", "assignment_by_dates"}


def upgrade() -> None:
    """Add the indexes where the tables were made without them."""
    for table in (account, assignment):
        for index in table.indexes:
            if index.name in _ADDED:
                index.create(op.get_bind(), checkfirst=True)
