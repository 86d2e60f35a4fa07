"""Every demo ends in a proven ledger; each line is explained by replay, and what it rests on cannot be altered unseen."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing_framework.run.deployment import Deployment, open_deployment
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import list_documents, show_document
from billing_framework.run.prove.journal import beancount_file
from billing_framework.run.prove.trial_balance import all_books, prove
from billing_framework.values.errors import BillingError
from tests.examples.demos import DEMOS, Demo, demo_of
from tests.exchange.beancount_judge import judged

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


# What the demos must say, and what their printed pages must show: figures that were checked by hand when they were written.
SAID = {
    "healthcare": ("Expected: 246.93", "4 known already", "25.08 USD", "1311.98 USD", "all as it was sealed"),
    "legal": ("all as it was sealed",),
    "telecom": (
        "accepted   51 (51 call)",
        "duplicate  1",
        "1  withdrawn",
        "TEL02",
        "TEL03",
        "USAGE03",
        "1 deferred: no rate (TEL10)",
        "3 documents posted",
        "United Kingdom, earlier calls",
        "computed again: 0.98 EUR; proven",
        "253.90 EUR",
        "all as it was sealed",
    ),
    "utility": (
        "records    93",
        "duplicate  93",
        "5 drafted",
        "4 documents posted",
        "computed again: 56.69 AUD; proven",
        "676.73 AUD",
        "all as it was sealed",
    ),
    "utility_and_telecom": (
        "1 documents posted",
        "Electricity, tier 1",
        "Calls: France",
        "computed again: 80.52 AUD; proven",
        "computed again: 1.53 AUD; proven",
        "169.63 AUD",
        "all as it was sealed",
    ),
}
PRINTED = {
    "telecom": (
        "deutsch.html",
        ("Verbindungen: Germany Berlin", "Davon inklusive", "Berechnete Zeit", "G-1002 · 493023125200..493023125219<"),
    ),
    "utility": ("deutsch.html", ("Täglicher Grundpreis", "245,42", "Rechnung")),
}


@pytest.fixture(scope="module", params=DEMOS)
def demo(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, warm_billing_path: Path) -> Demo:
    return demo_of(request.param, tmp_path_factory, warm_billing_path)


def test_the_demo_says_what_it_must(demo: Demo) -> None:
    assert demo.exit_code == 0, demo.said[-3000:] + demo.warned
    assert "Traceback" not in demo.said + demo.warned
    assert [said for said in SAID[demo.name] if said not in demo.said] == []
    page, shown = PRINTED.get(demo.name, ("", ()))
    text = (demo.folder / page).read_text(encoding="utf-8") if page else ""
    assert [said for said in shown if said not in text] == []


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
    with opened(demo.folder) as deployment:
        assert list(unexplained(deployment)) == []
        assert [finding for book in all_books(deployment) for finding in prove(deployment, book).findings] == []


def test_the_exported_ledger_passes_the_checker_of_others(demo: Demo, tmp_path: Path) -> None:
    with opened(demo.folder) as deployment:
        for book in all_books(deployment):
            (tmp_path / f"{book}.beancount").write_bytes(b"".join(beancount_file(deployment, book)))
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
            if (
                name.startswith("usage_")
                and name != "usage_suspense"
                and "external_id" in dict(columns)
                and "digest" in dict(columns)
                and body
            ):
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
                # Carried state that no line has read yet is behind no line; the proof of the documents that wrote it tells.
                seen = any(unexplained(deployment)) or any(prove(deployment, book).findings for book in all_books(deployment))
            except BillingError:
                seen = True
        if not seen:
            unseen.append(f"{table}.{column}")
        shutil.rmtree(copy)
    assert unseen == [], unseen
