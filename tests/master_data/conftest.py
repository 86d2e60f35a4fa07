"""A deployment on both databases with one book and one plan: what customers need before they can be entered."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, Settings
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.plans import load_plan_files
from billing_framework.storage.engine import Database
from billing_framework.values.clock import MovableClock

BOOK = """
[book]
code = "US"
name = "Example Energy"
currency = "USD"
zone = "America/Chicago"

[book.seller]
name = "Example Energy LLC"
tax_ids = ["12-3456789"]

[book.bank]
iban = "DE89 3704 0044 0532 0130 00"

[[book.series]]
kind = "invoice"
prefix = "INV-{year}-"

[[book.series]]
kind = "credit_note"
prefix = "CN-{year}-"

[[book.account]]
code = "1000"
name = "Bank"
type = "asset"
role = "bank"

[[book.account]]
code = "1200"
name = "Receivables"
type = "asset"
role = "receivable"
control_of = "receivable"

[[book.account]]
code = "2100"
name = "Suspense"
type = "liability"
role = "suspense"

[[book.account]]
code = "3000"
name = "Opening balances"
type = "equity"
role = "opening"

[[book.account]]
code = "4000"
name = "Sales"
type = "income"

[[book.account]]
code = "6100"
name = "Write-offs"
type = "expense"
role = "write_off"

[book.charges]
"service.*" = "4000"

[book.taxes]
sales = "2100"
"""

PLAN = """
schema = 1

[plan]
code = "basic"
version = "2026"
valid_from = 2026-01-01
currency = "USD"

[[component]]
code = "service"
title = { en = "Service charge" }
model = "recurring"
charge_code = "service.fixed"
tax_category = "standard"
price = "12.70"
"""

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def book_text() -> str:
    return BOOK


@pytest.fixture
def plan_text() -> str:
    return PLAN


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOON)


@pytest.fixture
def empty(database: Database, clock: MovableClock, tmp_path: Path) -> Deployment:
    """A deployment whose database holds nothing."""
    settings = Settings(deployment=DeploymentSettings(name="test", database="sqlite:///unused", currency="USD"))
    return Deployment(
        settings=settings, settings_sha256="", folder=tmp_path, host=Host.build(), database=database, clock=clock, actor="anna"
    )


@pytest.fixture
def deployment(empty: Deployment) -> Deployment:
    """A deployment with the book US and the plan basic."""
    assert load_book_file(empty, "book.toml", BOOK.encode()).outcome == "created"
    assert load_plan_files(empty, [("basic.toml", PLAN.encode())]).loaded == ("basic@2026",)
    return empty


CONFIG = """
[deployment]
name = "test"
database = "sqlite:///billing.sqlite3"
plugins = []
currency = "USD"
locale = "en_US"
zone = "America/Chicago"
actor = "anna"
"""


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with billing.toml, book.toml, plan.toml and an upgraded SQLite database, in which commands are run."""
    (tmp_path / "billing.toml").write_text(CONFIG)
    (tmp_path / "book.toml").write_text(BOOK)
    (tmp_path / "plan.toml").write_text(PLAN)
    (tmp_path / "billing.sqlite3").write_bytes(sqlite_template.read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("BILLING_CONFIG", raising=False)
    return tmp_path
