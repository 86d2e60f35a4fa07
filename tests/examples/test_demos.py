"""Every demo ends in a proven ledger; each line is explained by replay, and what it rests on cannot be altered unseen."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs
import pytest

from billing_framework.run.deployment import Deployment, open_deployment
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import list_documents, show_document
from billing_framework.run.prove.journal import beancount_file
from billing_framework.run.prove.trial_balance import all_books, prove
from billing_framework.values.errors import BillingError
from tests.exchange.beancount_judge import judged

EXAMPLES = Path(__file__).parents[2] / "examples"
DEMOS = sorted(path.parent.name for path in EXAMPLES.glob("*/demo.sh"))

# Tables that lines rest on, with a column whose change changes what is billed or why; usage tables are found by their names.
BEHIND_LINES = {
    "account": "tax_status",
    "agreement": "plan",
    "assignment": "ends_on",
    "carried_state": "values",
    "document_input": "manifest",
    "document_line": "content",
    "edit": "content",
    "plan_version": "source",
    "rate_table_version": "content",
    "share": "ends_on",
    "tax_file": "source",
}
_ENVELOPE = {"key", "source", "external_id", "subject_id", "month", "start", "end", "slot", "version", "digest", "batch_id"}


@attrs.frozen
class Demo:
    """A demo that has run: its folder and what it printed."""

    name: str
    folder: Path
    said: str


def environment(home: Path) -> dict[str, str]:
    """Return what a new user's shell has."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "USER": "tester"}


@pytest.fixture(scope="module", params=DEMOS)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Demo:
    home = tmp_path_factory.mktemp(request.param)
    command = ["sh", str(EXAMPLES / request.param / "demo.sh"), str(home / "demo")]
    done = subprocess.run(command, cwd=home, env=environment(home), capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    return Demo(request.param, home / "demo", done.stdout)


def opened(folder: Path) -> Deployment:
    variables = dict(os.environ)
    for file in folder.glob("*.env"):  # a demo that needs a secret writes it beside its settings, for this purpose only
        variables |= dict(line.split("=", 1) for line in file.read_text().splitlines() if "=" in line)
    return open_deployment(folder / "billing.toml", environment=variables)


def unexplained(deployment: Deployment) -> Iterator[str]:
    """Yield every line that is not proven, with what is said about it."""
    with deployment.database.read() as connection:
        numbers = [one.number for one in list_documents(connection)]
    assert numbers
    for number in numbers:
        try:
            lines = [line.number for line in show_document(deployment, number).document.content.lines]
        except BillingError as error:
            yield f"{number}: {error.what}"
            continue
        for line in lines:
            try:
                explained = explain_line(deployment, f"{number}/{line}")
            except BillingError as error:
                yield f"{number}/{line}: {error.what}"
                continue
            if not explained.proven:
                yield f"{number}/{line}: " + "; ".join(f"{one.code} {one.what}" for one in explained.findings)


def test_every_line_is_explained_by_replay_and_the_ledger_is_proven(demo: Demo) -> None:
    assert "all as it was sealed" in demo.said
    with opened(demo.folder) as deployment:
        assert list(unexplained(deployment)) == []
        assert [finding for book in all_books(deployment) for finding in prove(deployment, book).findings] == []


def test_the_exported_ledger_passes_the_checker_of_others(demo: Demo, tmp_path: Path) -> None:
    with opened(demo.folder) as deployment:
        for book in all_books(deployment):
            (tmp_path / f"{book}.beancount").write_bytes(beancount_file(deployment, book))
            assert judged(tmp_path / f"{book}.beancount") == (0, "")


def tables_behind(database: Path) -> dict[str, str]:
    """Return the tables with rows that lines rest on, and a column of each."""
    with sqlite3.connect(database) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        filled = [name for name in names if connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]]
        found = {name: column for name, column in BEHIND_LINES.items() if name in filled}
        for name in filled:
            columns = [(row[1], row[2]) for row in connection.execute(f'PRAGMA table_info("{name}")')]
            body = [column for column, _ in columns if column not in _ENVELOPE]
            if name.startswith("usage_") and "external_id" in dict(columns) and "digest" in dict(columns) and body:
                found[name] = body[0]
    return found


def altered(database: Path, table: str, column: str) -> None:
    """Alter a column in all rows of a table, as somebody would who has the file and no respect."""
    with sqlite3.connect(database) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        triggers = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for trigger in triggers:
            connection.execute(f'DROP TRIGGER "{trigger}"')
        other = f"\"{column}\" || '1'"
        if connection.execute(f'SELECT typeof("{column}") FROM "{table}" LIMIT 1').fetchone() == ("blob",):
            other = f"CAST({other} AS BLOB)"
        connection.execute(f'UPDATE "{table}" SET "{column}" = {other} WHERE "{column}" IS NOT NULL')
        connection.execute(f'UPDATE "{table}" SET "{column}" = \'2099-01-01\' WHERE "{column}" IS NULL')
    connection.close()


def test_whatever_a_line_rests_on_cannot_be_altered_unseen(demo: Demo, tmp_path: Path) -> None:
    behind = tables_behind(demo.folder / "billing.sqlite3")
    assert {"account", "agreement", "document_input", "plan_version"} <= set(behind)
    assert any(table.startswith("usage_") for table in behind)
    unseen = []
    for table, column in behind.items():
        copy = tmp_path / table
        shutil.copytree(demo.folder, copy)
        altered(copy / "billing.sqlite3", table, column)
        with opened(copy) as deployment:
            try:
                told = list(unexplained(deployment))
                # Carried state that no line has read yet is behind no line; the proof of the documents that wrote it tells.
                told += [one.what for book in all_books(deployment) for one in prove(deployment, book).findings if not told]
            except BillingError as error:
                told = [error.what]
        if not told:
            unseen.append(f"{table}.{column}")
        shutil.rmtree(copy)
    assert unseen == [], unseen
