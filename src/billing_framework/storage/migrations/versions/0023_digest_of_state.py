"""The digest of the carried state of a draft, by which a changed state is found before it is approved."""

import sqlalchemy as sa
from alembic import op

from billing_framework.storage.billing.tables import document

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column where the table was made without it; drafts of before that carry state on are drafted anew."""
    name = document.c.state_digest.name
    if name not in {column["name"] for column in sa.inspect(op.get_bind()).get_columns(document.name)}:
        op.add_column(document.name, sa.Column(name, document.c.state_digest.type))
