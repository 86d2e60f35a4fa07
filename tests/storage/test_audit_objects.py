"""The kinds of objects that the trail knows are those that the program writes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import billing_framework
from billing_framework.run.personal.reading import OBJECT_KIND
from billing_framework.storage.audit import events, record
from billing_framework.storage.audit_objects import KINDS, about
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.master.share_rows import SHARES


def _written() -> Iterator[str]:
    for path in Path(billing_framework.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and node.arg == "object_kind":
                yield from (
                    part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )


def test_every_kind_that_is_written_can_be_asked_for() -> None:
    by_name = {kind.name for kind in (ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES, SHARES)} | {OBJECT_KIND}
    assert {*_written(), *by_name} - {""} == set(KINDS)


def test_every_kind_can_be_asked_about_on_both_databases(database: Database) -> None:
    key = 'x"_%/1'
    with database.begin() as connection:
        for kind in KINDS:
            record(connection, datetime(2026, 8, 1, tzinfo=UTC), "ada", "tried", object_kind=kind, object_key=key)
        for kind in KINDS:
            found = events(connection, known_by=about(connection, key, [kind]))
            assert (kind, key) in [(one.object_kind, one.object_key) for one in found]


def test_what_was_done_to_an_account_is_not_told_of_one_whose_code_it_ends_with(database: Database) -> None:
    run = "MAIN.2026-07-01.monthly-1.r1"
    with database.begin() as connection:
        for kind, key in (("run", run), ("run account", f"{run}/A/B"), ("run account", f"{run}/B")):
            record(connection, datetime(2026, 8, 1, tzinfo=UTC), "ada", "tried", object_kind=kind, object_key=key)
        for account in ("B", "A/B"):
            found = events(connection, known_by=about(connection, account, ["account"]))
            assert [one.object_key for one in found] == [f"{run}/{account}"]
