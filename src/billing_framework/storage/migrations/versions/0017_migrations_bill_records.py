"""Records that a migration takes over from another system count as billed."""

from alembic import op

from billing_framework.storage.billing import record_tables
from billing_framework.storage.guard import create_guards

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_NAME = "billed_record_issued"


def upgrade() -> None:
    """Create the guard anew with what it lets pass now."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"DROP TRIGGER {_NAME} ON billed_record")
        connection.exec_driver_sql(f"DROP FUNCTION {_NAME}()")
    else:
        connection.exec_driver_sql(f"DROP TRIGGER {_NAME}")
    create_guards(connection, [guard for guard in record_tables.guards() if guard.name == _NAME])
