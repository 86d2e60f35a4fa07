"""References are found by their letters and digits along the index, in few steps and just as a look at all of them would."""

from __future__ import annotations

import re

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.storage.engine import Database
from billing_framework.storage.receivable.references import debits_spelling, next_spelling
from tests.run.cashier import Cashier

SIGNS = st.text(alphabet="1:AaB-{é", max_size=6)


def body_of(reference: str) -> str:
    return re.sub("[^0-9A-Za-z]", "", reference).upper()


@given(st.sets(SIGNS), st.text(alphabet="1AB", min_size=1, max_size=3))
def test_a_walk_meets_all_that_spell_a_body(references: set[str], body: str) -> None:
    found, place = [], ""
    while (met := min((one for one in references if one >= place), default=None)) is not None:
        spelt, after = next_spelling(body, met)
        assert after > met
        place = after
        found += [met] if spelt else []
    assert found == sorted(one for one in references if body_of(one) == body)


def test_debits_of_the_book_are_found_among_many_in_a_few_steps(database: Database) -> None:
    desk = Cashier.of(database, "MAIN", "OTHER")
    desk.account("A-1")
    desk.account("O-1", book="OTHER")
    for number in range(60):
        desk.invoice(f"INV-2026-{number:06}", "1.00", account="A-1")
    desk.invoice("INV 2026000042", "1.00", account="A-1")
    desk.invoice("INV_2026000042", "1.00", account="O-1")
    asked: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    wanted = {"INV2026000042", "INV2026000007", "INV2026000099"}
    with desk.deployment.database.read() as connection:
        found = sorted(debits_spelling(connection, "MAIN", wanted))
    assert found == [("INV 2026000042", "A-1"), ("INV-2026-000007", "A-1"), ("INV-2026-000042", "A-1")]
    assert len(asked) < 20
