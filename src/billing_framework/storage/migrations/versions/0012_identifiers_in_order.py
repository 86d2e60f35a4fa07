"""An index over the identifiers that have delivered, by which those of a range are found."""

from alembic import op

from billing_framework.storage.usage.tables import usage_subject_by_identifier

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index where the table was made without it."""
    usage_subject_by_identifier.create(op.get_bind(), checkfirst=True)
