"""A deployment without the extra ``bulk`` takes in, rates, approves and posts the same, record by record and row by row."""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

from billing_framework import cli
from billing_framework.ledger.book import book_id
from billing_framework.storage.engine import open_database
from billing_framework.storage.ledger import post
from billing_framework.storage.ledger.batch_rows import head
from tests.scenarios.office import Office

CUSTOMERS = 6
BLOCKED = "import sys\nsys.modules['polars'] = sys.modules['polars_hash'] = None\n"


def billed(file: str) -> str:
    """Bill some customers in a new database; return how they are posted, the digest of the run and the hash of the chain."""
    post.MANY = CUSTOMERS  # so that few are many
    office = Office.of(open_database(f"sqlite:///{file}"))
    jobs = []
    for number in range(CUSTOMERS):
        office.customer(f"C{number:02}", f"drill-{number:02}")
        jobs.append(f"j{number},drill-{number:02},2026-07-{number % 28 + 1:02}T10:00:00Z,{number + 1}")
    office.jobs(*jobs)
    posted = office.bill("2026-07")
    with office.deployment.database.read() as connection:
        chained = head(connection, book_id("MAIN"))[1]
    return f"by columns {post.posts_by_columns(CUSTOMERS)}: {posted.posted} {posted.run.digest} {chained.hex()}"


def told_by(program: str, *arguments: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=120
    ).stdout


def test_the_ledger_is_the_same_without_the_libraries_for_columns(tmp_path: Path) -> None:
    pytest.importorskip("polars")
    run = f"import sys\nfrom {__name__} import billed\nprint(billed(sys.argv[1]))"
    with_them, without = told_by(run, str(tmp_path / "with.db")), told_by(BLOCKED + run, str(tmp_path / "without.db"))
    assert without.startswith(f"by columns False: {CUSTOMERS} ")
    assert with_them == without.replace("False", "True")


def test_no_command_needs_them_to_start() -> None:
    names = [
        module.name for module in pkgutil.iter_modules(cli.__path__, "billing_framework.cli.") if module.name[-8:] != "__main__"
    ]
    told = told_by(f"{BLOCKED}import importlib\nfor name in {names!r}: importlib.import_module(name)\nprint('all there')")
    assert told == "all there\n"
