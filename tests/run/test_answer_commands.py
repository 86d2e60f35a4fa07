"""The commands for answers: what they print, and with which exit code they end; and what the database keeps of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from billing_framework.cli.context import Session
from billing_framework.cli.main import cli
from billing_framework.storage.engine import Database
from billing_framework.values.errors import BillingError
from tests.run.test_answers import PAID, Desk


@pytest.fixture
def desk(sqlite_database: Database) -> Desk:
    return Desk.of(sqlite_database)


def billing(desk: Desk, *args: str, code: int = 0) -> str:
    session = Session()
    session._opened = desk.office.deployment  # noqa: SLF001  the command works in the office of the test
    done = CliRunner().invoke(cli, list(args), obj=session)
    assert done.exit_code == code, (done.output, done.exception)
    assert "Traceback" not in done.output
    return done.output


def data(desk: Desk, *args: str, code: int = 0) -> Any:
    return json.loads(billing(desk, *args, "--json", code=code))


def test_an_answer_at_the_command_line(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "slips.csv"
    rows = ["payment,GUILD,TR-1,63.00,2026-08-01", *PAID[1:], "item,3/B/1,INV-2O26-000003,B,answered,33.00,33.00,"]
    file.write_text("\n".join(rows), encoding="utf-8")
    taking = ("answer", "import", str(file), "--format", "slips")
    assert "rehearsed only" in billing(desk, *taking, "--dry-run", code=1)
    told = billing(desk, *taking, code=1)
    assert "TR-1 of GUILD over 63.00 USD: 1 booked, 1 waiting" in told
    assert "33.00 USD stay in suspense" in told
    assert "ANSWER05" in told
    assert "2 known already" in billing(desk, *taking)
    assert data(desk, *taking)["answers"][0]["duplicate"] == 2

    assert "1 posted, 1 suspended" in billing(desk, "answer", "list")
    assert "TR-1/2" in billing(desk, "answer", "list", "--waiting")
    assert "(none)" in billing(desk, "answer", "list", "--denied")
    assert "INV-2O26-000003" in billing(desk, "answer", "show", "TR-1")
    assert "still waits" in billing(desk, "answer", "retry", "--all", code=1)
    meant = ("--document", "INV-2026-000003")
    assert "ACCOUNT16" in billing(desk, "answer", "retry", "TR-1/2", *meant, code=2)
    assert "booked" in billing(desk, "answer", "retry", "TR-1/2", *meant, "--reason", "a letter for a digit")
    assert "nothing waits" in billing(desk, "answer", "retry", "--all")
    (decided,) = data(desk, "audit", "list", "--kind", "answer_item")
    assert (decided["action"], decided["reason"]) == ("answer retry", "a letter for a digit")
    desk.sound()


def test_discarding_and_closing(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "slips.csv"
    rows = ["payment,GUILD,TR-1,5.00,2026-08-01", "item,3/B/1,INV-9,B,answered,5.00,5.00,"]
    rows += ["item,2/A/4,INV-2026-000002,A,denied,55.00,0.00,", "adjust,CO,29,55.00,deny,"]
    file.write_text("\n".join(rows), encoding="utf-8")
    billing(desk, "answer", "import", str(file), "--format", "slips", code=1)
    assert "ANSWER16" in billing(desk, "answer", "discard", "TR-1/1", "--reason", "not ours", code=2)
    assert "discarded" in billing(desk, "answer", "discard", "TR-1/1", "--account", "T1", "--reason", "not ours")
    assert "55.00 USD" in billing(desk, "answer", "list", "--denied")
    assert "closed" in billing(desk, "answer", "close", "TR-1/2", "--reason", "sent again")
    assert "ANSWER15" in billing(desk, "answer", "close", "TR-1/2", "--reason", "sent again", code=3)


@pytest.mark.parametrize(
    "call",
    [
        ("import", "missing.csv", "--format", "slips"),
        ("import", "missing.csv", "--format", "slip"),
        ("import", "missing.csv", "--format", "slips", "--option", "wide"),
        ("list", "--waiting", "--denied"),
        ("show", "TR-9"),
        ("retry",),
        ("retry", "TR-9/1", "--all"),
        ("retry", "TR-9/1"),
        ("discard", "TR-9/1", "--reason", "x"),
        ("close", "TR-9/1", "--reason", "x"),
    ],
)
def test_a_wrong_call_is_refused_with_its_reason(desk: Desk, call: tuple[str, ...]) -> None:
    assert billing(desk, "answer", *call, code=2)


CHANGES = {
    "what was said": "UPDATE answer_item SET content = '{}'",
    "what was booked": "UPDATE answer_item SET state = 'suspended'",
    "what it made": "UPDATE answer_item SET made = '[]'",
    "an item": "DELETE FROM answer_item",
    "the answer": "UPDATE answer SET amount = 1",
    "the answer that is gone": "DELETE FROM answer",
}


@pytest.mark.parametrize("what", CHANGES)
def test_the_database_refuses_to_change_an_answer(database: Database, what: str) -> None:
    desk = Desk.of(database)
    desk.take(*PAID)
    with pytest.raises(BillingError, match="ANSWER20"), desk.office.deployment.database.begin() as connection:
        connection.execute(sa.text(CHANGES[what]))
