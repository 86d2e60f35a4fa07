"""Guards that look at all rows of a statement at once are planned for each statement, and look row by row in the index."""

import sqlalchemy as sa
from alembic import op

from billing_framework.storage.guard import postgres_function, sqlite_trigger
from billing_framework.storage.guard_proof import core_guards

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make these guards anew, as this version has them."""
    connection = op.get_bind()
    is_sqlite = connection.dialect.name == "sqlite"
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    query = query if is_sqlite else "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
    there = set(connection.scalars(sa.text(query)))
    for guard in core_guards():
        if not guard.at_once or guard.name not in there:
            continue
        if is_sqlite:
            connection.exec_driver_sql(f"DROP TRIGGER {guard.name}")
            connection.exec_driver_sql(sqlite_trigger(guard))
        else:
            connection.exec_driver_sql(postgres_function(guard, again=True).replace("%", "%%"))
