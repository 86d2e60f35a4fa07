"""The ledger: books, accounts, periods, sealed batches, entries, postings, guarded balances."""

from alembic import op

from billing_framework.storage.ledger.tables import create_ledger

revision = "0001"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade() -> None:
    """Create the tables and their seal."""
    create_ledger(op.get_bind())
