"""Answers of third parties and what became of their items, with their guards."""

from alembic import op

from billing_framework.storage.receivable.answer_tables import create_answer_tables

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and their guards."""
    create_answer_tables(op.get_bind())
