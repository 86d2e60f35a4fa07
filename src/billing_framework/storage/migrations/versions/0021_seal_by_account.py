"""The seal of the ledger on PostgreSQL asks the chart for each account of a batch, and not for each of its lines."""

from alembic import op

from billing_framework.storage.ledger.seal import remake_function

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the function of the seal anew, as this version has it."""
    remake_function(op.get_bind(), "ledger_seal")
