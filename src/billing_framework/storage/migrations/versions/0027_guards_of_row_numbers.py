"""Guards of the numbers that SQLite gives to rows beside their keys; those of usage stop nobody for a row of a foreign number."""

from alembic import op

from billing_framework.storage.guard import create_guards, number_taken
from billing_framework.storage.row_numbers import guards

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the guards, and make those of usage tables that there are anew."""
    connection = op.get_bind()
    create_guards(connection, guards())
    if connection.dialect.name != "sqlite":
        return
    query = "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger' AND name = tbl_name || '_taken'"
    for name, table, statement in connection.exec_driver_sql(query).all():
        before = f"WHEN EXISTS (SELECT 1 FROM {table} WHERE rowid = NEW.rowid) OR"
        if before in statement:
            connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
            connection.exec_driver_sql(statement.replace(before, f"WHEN {number_taken(table)} OR"))
