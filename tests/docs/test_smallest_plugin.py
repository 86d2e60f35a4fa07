"""The plugin on the front page: what stands there is the file, its quote is right, and its stays go all the way to the ledger."""

import re
import shutil
from fractions import Fraction
from pathlib import Path

import pytest
from click.testing import CliRunner

from billing_framework.cli.main import cli
from billing_framework.plugin.discovery import installed_plugins
from tests.docs.block_runner import ROOT

EXAMPLE = ROOT / "examples" / "parking"
FILE = EXAMPLE / "billing_parking.py"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example, in which commands run."""
    target = tmp_path / "parking"
    shutil.copytree(EXAMPLE, target, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*.sqlite3*"))
    monkeypatch.chdir(target)
    monkeypatch.delenv("BILLING_CONFIG", raising=False)
    return target


def billing(*words: str, code: int = 0) -> str:
    """Run a command in this process and return what it prints."""
    done = CliRunner().invoke(cli, list(words), catch_exceptions=False)
    assert done.exit_code == code, done.output
    return " ".join(done.output.split())


def test_it_is_installed_as_any_plugin_is() -> None:
    assert installed_plugins()["parking"].target == "billing_parking"


def test_the_front_page_shows_the_file_itself() -> None:
    front = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```python file=examples/parking/billing_parking.py\n(.*?)^```$", front, re.MULTILINE | re.DOTALL)
    assert block
    assert block[1] == FILE.read_text(encoding="utf-8")


def test_it_is_short() -> None:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 30


def test_the_quote_is_what_the_tariff_says() -> None:
    minutes = [int(line.rsplit(",", 1)[1]) for line in (EXAMPLE / "stays.csv").read_text().splitlines()[1:]]
    half_hours = sum(-(-one // 30) for one in minutes)
    assert half_hours == 4 + 1 + 9
    assert 10 * Fraction("1.20") + (half_hours - 10) * Fraction("0.80") == Fraction("15.20")


def test_quoting_needs_no_database(folder: Path) -> None:
    shown = billing("quote", "parking.toml", "stays.csv", "--format", "tickets")
    assert "parking@2026: 15.20 EUR without tax" in shown
    assert not list(folder.glob("*.sqlite3"))


BOOK = """
[book]
code = "PARK"
name = "Quayside Parking"
currency = "EUR"
zone = "Europe/Dublin"
seller = { name = "Quayside Parking Ltd", address = { lines = ["2 Quay"], city = "Cork", country = "IE" } }
series = [{ kind = "invoice", prefix = "P-{year}-" }, { kind = "credit_note", prefix = "C-{year}-" }]
account = [
  { code = "1000", name = "Bank", type = "asset", role = "bank" },
  { code = "1200", name = "Customers", type = "asset", role = "receivable", control_of = "receivable" },
  { code = "2100", name = "Suspense", type = "liability", role = "suspense" },
  { code = "2300", name = "VAT", type = "liability" },
  { code = "3000", name = "Opening", type = "equity", role = "opening" },
  { code = "4000", name = "Parking", type = "income" },
  { code = "6100", name = "Write-offs", type = "expense", role = "write_off" },
]
charges = { "parking.*" = "4000" }
taxes = { vat = "2300" }
"""
TAXES = """
schema = 1
[[tax]]
code = "vat"
title = { en = "VAT" }
jurisdiction = "IE"
category = "standard"
percent = "23"
valid_from = 2020-01-01
"""
SET_UP = """
db upgrade
book load book.toml
period open PARK 2026-07 --through 2026-08
plan load parking.toml
tax load taxes.toml
book check
party create P-1 --name Driver --country IE
account create A-1 --party P-1 --book PARK --currency EUR --zone Europe/Dublin --tax-jurisdiction IE
agreement create G-1 --account A-1 --plan parking --starts-on 2026-07-01
assignment create 12-D-3456 --agreement G-1 --starts-on 2026-07-01
usage intake stays.csv --format tickets
"""


def test_its_stays_go_from_the_ticket_to_the_proven_ledger(folder: Path) -> None:
    (folder / "book.toml").write_text(BOOK)
    (folder / "taxes.toml").write_text(TAXES)
    for line in SET_UP.strip().splitlines():
        billing(*line.split())
    billing("run", "start", "--period", "2026-07", "--as-of", "2026-08-03")
    assert "15.20 EUR 3.50 EUR 18.70 EUR" in billing("run", "review")
    billing("run", "approve")
    assert "1 documents posted" in billing("run", "post")
    explained = billing("explain", "P-2026-000001/2")
    assert "4 half_hour × 0.8 EUR/half_hour = 3.2 EUR" in explained
    assert "computed again: 3.20 EUR; proven" in explained
    assert "T-1003" in explained
    assert "1200 Customers 18.70 EUR 0.00 EUR 18.70 EUR" in billing("ledger", "balance")
    assert "all as it was sealed" in billing("ledger", "verify")
