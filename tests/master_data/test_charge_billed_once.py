"""A manual charge through two months: waiting, drafted, billed once, never again; and what cannot be undone by then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from billing_framework.cli.main import cli

NO_TAX = """
schema = 1
[[tax]]
code = "none"
title = { en = "No tax" }
kind = "zero"
category = "standard"
percent = "0"
valid_from = 2020-01-01
"""


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def ok(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def states() -> list[tuple[str, str]]:
    listed: list[dict[str, Any]] = json.loads(ok("charge", "list", "A-1", "--json"))
    return [(one["charge"]["id"], one["state"]) for one in listed]


def bill(month: str, as_of: str) -> None:
    ok("run", "start", "--period", month, "--as-of", as_of)
    ok("run", "approve")
    ok("run", "post")


def test_a_charge_is_billed_once(folder: Path) -> None:
    assert folder.exists()
    (folder / "book.toml").write_text((folder / "book.toml").read_text() + 'none = "2100"\n')
    ok("book", "load", "book.toml")
    ok("plan", "load", "plan.toml")
    ok("period", "open", "US", "2026-07", "--through", "2026-10")
    ok("party", "create", "P-1", "--name", "Ada Ohm")
    ok("account", "create", "A-1", "--party", "P-1", "--book", "US", "--currency", "USD")
    (folder / "taxes.toml").write_text(NO_TAX)
    ok("tax", "load", "taxes.toml")
    ok("agreement", "create", "G-1", "--account", "A-1", "--plan", "basic", "--starts-on", "2026-07-01")
    fields = ("--code", "service.x", "--text", "Credit", "--reason", "late")
    ok("charge", "add", "A-1", "--amount", "-2.70", "--date", "2026-07-14", *fields)
    ok("charge", "add", "A-1", "--amount", "5", "--date", "2026-08-14", *fields)

    ok("run", "start", "--period", "2026-07", "--as-of", "2026-08-03")
    assert states() == [("A-1-M1", "drafted"), ("A-1-M2", "waiting")]
    ok("charge", "withdraw", "A-1-M1", "--reason", "second thoughts")
    stale = run("run", "approve")
    assert stale.exit_code == 1, stale.output
    assert "manual charges" in stale.stderr
    ok("charge", "add", "A-1", "--amount", "-1.70", "--date", "2026-07-14", *fields)
    bill("2026-07", "2026-08-03")
    assert states() == [("A-1-M1", "withdrawn"), ("A-1-M2", "waiting"), ("A-1-M3", "billed on INV-2026-000001")]
    refused = run("charge", "withdraw", "A-1-M3", "--reason", "too late")
    assert refused.exit_code == 3
    assert "INV-2026-000001" in refused.stderr

    bill("2026-08", "2026-09-03")
    bill("2026-09", "2026-10-03")

    documents = json.loads(ok("invoice", "list", "--json"))
    assert [one["gross"] for one in documents] == ["11.00 USD", "17.70 USD", "12.70 USD"]
    assert states()[1:] == [("A-1-M2", "billed on INV-2026-000002"), ("A-1-M3", "billed on INV-2026-000001")]
    ok("ledger", "verify")
