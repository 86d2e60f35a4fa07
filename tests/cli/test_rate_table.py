"""``billing rate-table`` as an officer types it: what it prints, its exit codes, its JSON; and quotes by such tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.deployment import SETTINGS, billing, told

PLAN = """
schema = 1
[plan]
code = "zones"
version = "2026"
valid_from = 2026-01-01
currency = "EUR"
[[component]]
code = "trips"
title = { en = "Trips" }
model = "price_list.by_zone"
prices = "city"
charge_code = "trips"
tax_category = "standard"
"""
KIND = "price_list.zones"
JUNE = "zone,price,title\nnorth,2.00,North\nsouth,3.00,South\nwest,1.00,West\nold,9.00,Old\nsame,4,Same\n"
JULY = "zone,price,title\nnorth,2.50,North\nsouth,2.90,South\nwest,1.00,Far West\neast,5,East\nsame,4.0,Same\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "price_list_for_tests.py").write_text("from tests.scenarios.price_list import *\n", encoding="utf-8")
    info = tmp_path / "price_list_for_tests-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: price-list-for-tests\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[billing_framework]\nprice_list = price_list_for_tests\n", encoding="utf-8")
    (tmp_path / "billing.toml").write_text(SETTINGS.replace('"gatehouse"', '"price_list"'), encoding="utf-8")
    for name, text in {"june.csv": JUNE, "july.csv": JULY, "zones.toml": PLAN}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "trips.csv").write_text("t1,van,2026-07-01T10:00+00:00,north\nt2,van,2026-07-02T10:00+00:00,south\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delenv("BILLING_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def loaded(folder: Path, sqlite_template: Path) -> Path:
    shutil.copyfile(sqlite_template, folder / "billing.sqlite3")
    told(billing("db", "upgrade"))
    load("june.csv", "2026-06")
    load("july.csv", "2026-07")
    return folder


def load(file: str, version: str, *more: str, code: int = 0) -> str:
    given = ("--code", "city", "--kind", KIND, "--version", version, "--valid-from", f"{version[:7]}-01", *more)
    return told(billing("rate-table", "load", file, *given), code)


def test_a_table_is_loaded_listed_and_shown(loaded: Path) -> None:
    assert loaded.exists()
    assert load("july.csv", "2026-07") == "city@2026-07 is loaded already, unchanged, 5 rows\n"
    assert [row["version"] for row in json.loads(told(billing("rate-table", "list", "--json")))] == ["2026-06", "2026-07"]
    shown = told(billing("rate-table", "show", "city", "--limit", "2"))
    assert "2 of 5 rows" in shown
    assert "by ada from july.csv" in shown
    [row] = json.loads(told(billing("rate-table", "show", "city@2026-06", "--row", "south", "--json")))["rows"]
    assert row == {"zone": "south", "price": "3", "title": "South"}
    assert told(billing("rate-table", "show", "city@2026-06", "--source")) == JUNE
    plugin = told(billing("plugin", "show", "price_list"))
    assert "price_list.zones: Prices by zone" in plugin
    assert "a row is named by zone\n  zone: text; the zone.\n  price: exact number; price of a trip.\n" in plugin
    assert f"loaded from    {loaded / 'price_list_for_tests.py'}" in plugin


def test_what_changed_is_counted_and_listed(loaded: Path) -> None:
    assert loaded.exists()
    found = json.loads(told(billing("rate-table", "diff", "city@2026-06", "city@2026-07", "--json")))
    assert found["counts"] == {"new": 1, "withdrawn": 1, "dearer": 1, "cheaper": 1, "changed otherwise": 1, "same": 1}
    assert [(one["key"], one["turn"]) for one in found["diff"]["turns"]] == [
        ("north", "dearer"),
        ("south", "cheaper"),
        ("west", "changed otherwise"),
        ("east", "new"),
        ("old", "withdrawn"),
    ]
    files = told(billing("rate-table", "diff", "june.csv", "july.csv", "--kind", KIND))
    assert "north  dearer             price 2 → 2.5" in files
    assert "1 more" in told(billing("rate-table", "diff", "city@2026-06", "july.csv", "--limit", "4"))


def test_a_file_is_checked_without_a_database(folder: Path) -> None:
    assert told(billing("rate-table", "check", "june.csv", "--kind", KIND)) == "nothing to correct in 5 rows\n"
    assert not (folder / "billing.sqlite3").exists()
    (folder / "bad.csv").write_text("zone,price\nnorth,1e5\nsouth,2\nsouth,3\n,1\n")
    result = billing("rate-table", "check", "bad.csv", "--kind", KIND)
    assert result.exit_code == 1
    for line in ("bad.csv:2: price: TABLE02", "bad.csv:4: zone: TABLE03", "bad.csv:5: zone: TABLE02"):
        assert line in result.stderr
    for text, words in {
        "": "no rows",
        "zone\nnorth\n": "'price' is missing",
        "zone,price,zone\na,1,a\n": "is there twice",
        "zone,prise\na,1\n": "'prise' is unknown. Did you mean 'price'?",
        'zone,price\n"a,1\n': "quoting is broken",
        "zone,price\na,1,2\n": "3 cells",
    }.items():
        (folder / "bad.csv").write_text(text)
        result = billing("rate-table", "check", "bad.csv", "--kind", KIND)
        assert (result.exit_code, "TABLE01" in result.stderr, words in result.stderr) == (1, True, True), (text, result.stderr)
    (folder / "bad.csv").write_bytes(b"zone,price\n\xe4,1\n")
    assert "bad.csv:2: TABLE01 the file is not UTF-8 text" in billing("rate-table", "check", "bad.csv", "--kind", KIND).stderr


REFUSED = {
    ("load", "june.csv", "--code", "c", "--kind", "price_list.zone", "--version", "1", "--valid-from", "2026-01-01"): "TABLE32",
    ("load", "june.csv", "--code", "c@d", "--kind", KIND, "--version", "1", "--valid-from", "2026-01-01"): "VALUE27",
    ("load", "june.csv", "--code", "c", "--kind", KIND, "--version", "1", "--valid-from", "2026-13-01"): "does not match",
    (
        "load",
        "june.csv",
        "--code",
        "c",
        "--kind",
        KIND,
        "--version",
        "1",
        "--valid-from",
        "2026-01-01",
        "--currency",
        "x",
    ): "VALUE",
    ("load", "none.csv", "--code", "c", "--kind", KIND, "--version", "1", "--valid-from", "2026-01-01"): "does not exist",
    ("show", "town"): "TABLE32",
    ("show", "city@2027"): "TABLE32",
    ("show", "city", "--row", "nort"): "'north'",
    ("diff", "city@2026-06", "town"): "TABLE32",
    ("diff", "june.csv", "july.csv"): "--kind",
    ("check", "zones.toml", "--kind", KIND): "TABLE01",
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_what_is_wrong_with_a_call_is_told(loaded: Path, arguments: tuple[str, ...]) -> None:
    assert loaded.exists()
    result = billing("rate-table", *arguments)
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert REFUSED[arguments] in result.output


def test_a_quote_takes_rate_tables_from_files_or_as_loaded(loaded: Path) -> None:
    asked = ("trips.csv", "--format", "trips", "--period", "2026-07", "--zone", "UTC")
    told_by_file = told(billing("quote", "zones.toml", *asked, "--rate-table", "city=june.csv"))
    assert told_by_file.endswith("zones@2026: 5.00 EUR without tax\n")
    assert "ZONE02" in billing("quote", "zones.toml", *asked).stderr
    assert "QUOTE02" in billing("quote", "zones.toml", *asked, "--rate-table", "town=june.csv").stderr
    told(billing("plan", "load", "zones.toml"))
    assert told(billing("quote", "zones", *asked)).endswith("zones@2026: 5.40 EUR without tax\n")
    assert told(billing("quote", "zones", *asked, "--rate-table", "city=june.csv")).endswith("5.00 EUR without tax\n")
    (loaded / "bad.csv").write_text("zone,price\nnorth,x\n")
    assert "TABLE02" in billing("quote", "zones.toml", *asked, "--rate-table", "city=bad.csv").stderr
