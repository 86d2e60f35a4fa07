"""The kinds of objects that the trail knows are those that the program writes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import billing_framework
from billing_framework.run.personal.reading import OBJECT_KIND
from billing_framework.storage.audit_objects import KINDS
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
