"""Guards that are asked once for all rows of a statement stay in proportion to them, whatever PostgreSQL knows of its tables."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from billing_framework.storage.engine import Database
from billing_framework.storage.guard import Guard, postgres_body
from billing_framework.storage.guard_proof import core_guards

AT_ONCE = [guard for guard in core_guards() if guard.at_once]


@pytest.mark.parametrize("guard", AT_ONCE, ids=lambda guard: guard.name)
def test_each_row_is_looked_up_and_nothing_joined(postgres_database: Database, guard: Guard) -> None:
    body = postgres_body(guard)
    query = body.partition("EXECUTE '")[2].partition("' INTO")[0].replace("''", "'")
    with postgres_database.begin() as connection:
        connection.execute(sa.text(f"CREATE TEMPORARY TABLE written (LIKE {guard.table}) ON COMMIT DROP"))
        plan = "\n".join(connection.scalars(sa.text(f"EXPLAIN {query}".replace(":", "\\:"))))
    assert "SubPlan" in plan
    assert "Anti Join" not in plan


def test_there_are_such_guards() -> None:
    assert {"charge_key_final", "document_number_known", "document_totals"} <= {guard.name for guard in AT_ONCE}
