"""Records of usage without the month of their start, which the start says; each kind has a table of its own."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_OF_A_KIND = {"key", "subject_id", "start_at", "digest", "month"}


def upgrade() -> None:
    """Drop the column of the tables that were made with it."""
    there = sa.inspect(op.get_bind())
    for name in sorted(there.get_table_names()):  # a table before its partitions
        if name.startswith("usage_") and {column["name"] for column in there.get_columns(name)} >= _OF_A_KIND:
            op.drop_column(name, "month")
