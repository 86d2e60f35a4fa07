"""Guards of the numbers that SQLite gives to rows beside their keys."""

from alembic import op

from billing_framework.storage.guard import create_guards
from billing_framework.storage.row_numbers import guards

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the guards."""
    create_guards(op.get_bind(), guards())
