"""What is offered to who mistyped a code: all codes where they are few, else those next to it."""

from __future__ import annotations

import pytest

from billing_framework.storage.engine import Database
from billing_framework.storage.master.account_tables import account
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.values.spelling import nearest
from tests.run.cashier import Cashier


def test_the_codes_next_to_a_mistyped_one_are_found(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Cashier.of(database, "MAIN", "OTHER")
    for number in range(10, 40):
        desk.account(f"A-{number}", book="OTHER" if number == 27 else "MAIN")
    with desk.deployment.database.read() as connection:
        assert len(near_codes(connection, account.c.code, "A-7")) == 30
        monkeypatch.setattr("billing_framework.storage.master.near_codes._EACH_WAY", 2)
        behind = ["A-38", "A-39"]  # which are next to the code in small letters
        assert sorted(near_codes(connection, account.c.code, "A-27X")) == ["A-26", "A-27", "A-28", "A-29", *behind]
        assert sorted(near_codes(connection, account.c.code, "A-27X", book="MAIN")) == ["A-26", "A-28", "A-29", *behind]
        assert near_codes(connection, account.c.code, "A-27X", book="NONE") == []
        assert nearest("a-25", near_codes(connection, account.c.code, "a-25")) == "A-25"
