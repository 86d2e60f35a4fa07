"""Candidate price plans of rehearsals."""

from alembic import op

from billing_framework.storage.billing.candidate_rows import create_candidate_table

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table and its guards."""
    create_candidate_table(op.get_bind())
