"""The rights of the application's role on PostgreSQL: enough to work, too few to switch the guards off.

The schema is made by an owner; the application connects as another role. That role may add to the ledger, and nothing else:
guard functions run with the owner's rights (SECURITY DEFINER), so it needs none on balances, notes and partitions.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.values.errors import StorageError

LEDGER_APPEND_ONLY = ("posting", "posting_batch", "batch_chain")
"""The role may SELECT and INSERT, nothing more."""

LEDGER_MUTABLE_COLUMNS = {
    "book": ("name",),
    "gl_account": ("name", "type", "floor", "control_of"),
    "period": ("status", "closed_at"),
    "entry": ("memo",),
}
"""The role may SELECT, INSERT and UPDATE these columns; the guards decide what of it they let pass."""

_DELETABLE = ("gl_account", "period")
_READ_ONLY = ("balance", "alembic_version")
_NO_RIGHTS = ("batch_note",)


def grant_application_role(
    connection: Connection, role: str, *, append_only: Sequence[str] = (), mutable: Sequence[str] | None = None
) -> None:
    """Give `role` the rights of the application, and take every other right on the tables from it.

    Args:
        connection: a connection of the owner of the schema, with an open write transaction, on PostgreSQL.
        role: an existing role that is no superuser and does not own the tables.
        append_only: tables besides the ledger's on which SELECT and INSERT are enough.
        mutable: tables with all of SELECT, INSERT, UPDATE and DELETE, watched by their own guards; None for every other table.

    Raises:
        StorageError: ``STORAGE18`` on SQLite, for a role that does not exist, and for one that could switch the guards off.
    """
    _refuse_unfit(connection, role)
    quoted = connection.dialect.identifier_preparer.quote(role)
    tables = _tables(connection)
    named = {*LEDGER_APPEND_ONLY, *LEDGER_MUTABLE_COLUMNS, *_READ_ONLY, *_NO_RIGHTS, *append_only}
    free = [table for table in tables if table not in named] if mutable is None else list(mutable)
    statements = [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {quoted}",
        # Before PostgreSQL 15 everybody may create functions and operators there, which guards would then find.
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"REVOKE CREATE ON SCHEMA public FROM {quoted}",
        f"GRANT USAGE ON SCHEMA public TO {quoted}",
        *(f'GRANT SELECT, INSERT ON "{table}" TO {quoted}' for table in (*LEDGER_APPEND_ONLY, *append_only)),
        *(f'GRANT SELECT ON "{table}" TO {quoted}' for table in _READ_ONLY),
        *(
            f'GRANT SELECT, INSERT, UPDATE ({", ".join(columns)}) ON "{table}" TO {quoted}'
            for table, columns in LEDGER_MUTABLE_COLUMNS.items()
        ),
        *(f'GRANT DELETE ON "{table}" TO {quoted}' for table in _DELETABLE),
        *(f'GRANT SELECT, INSERT, UPDATE, DELETE ON "{table}" TO {quoted}' for table in free),
    ]
    for statement in statements:
        connection.exec_driver_sql(statement)


def _tables(connection: Connection) -> list[str]:
    """Return the tables of the schema without partitions, on which nobody but the owner has rights."""
    query = sa.text(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        " AND NOT relispartition ORDER BY relname"
    )
    return list(connection.scalars(query))


def _refuse_unfit(connection: Connection, role: str) -> None:
    if connection.dialect.name != "postgresql":
        raise StorageError("STORAGE18", "SQLite has no roles", remedy="Protect the file by the rights of the operating system")
    found = connection.execute(
        sa.text(
            "SELECT rolsuper OR rolbypassrls OR rolreplication AS mighty,"
            " pg_has_role(rolname, (SELECT relowner FROM pg_class WHERE oid = 'posting'::regclass), 'MEMBER') AS owner"
            " FROM pg_roles WHERE rolname = :role"
        ),
        {"role": role},
    ).one_or_none()
    if found is None:
        raise StorageError("STORAGE18", f"there is no role {role!r}", remedy=f"Create it first: CREATE ROLE {role} LOGIN")
    if found.mighty or found.owner:
        raise StorageError(
            "STORAGE18",
            f"the role {role!r} could switch the guards off: it is a superuser or has the rights of the owner",
            remedy="Let the application connect as another role than the one that upgrades the schema",
        )
