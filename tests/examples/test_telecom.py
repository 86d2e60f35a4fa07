"""The examples with calls run as a new user runs them, and their data files are those that their scripts make."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def run_demo(example: str, where: Path) -> subprocess.CompletedProcess[str]:
    """Run a demo with the commands of this environment and an empty home."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(where), "LANG": "C.UTF-8", "USER": "tester"}
    command = ["sh", str(EXAMPLES / example / "demo.sh"), str(where / "demo")]
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_the_demo_runs_from_call_records_to_a_proven_ledger(tmp_path: Path) -> None:
    done = run_demo("telecom", tmp_path)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "error" not in done.stderr
    for said in (
        "accepted   51 (51 call)",
        "duplicate  1",
        "1  withdrawn",
        "TEL02",
        "TEL03",
        "USAGE03",
        "1 deferred: no rate (TEL10)",
        "3 documents posted",
        "calls of 30 Sept 2026",
        "computed again: 0.98 EUR; proven",
        "253.90 EUR",
        "all as it was sealed",
    ):
        assert said in done.stdout
    page = (tmp_path / "demo" / "deutsch.html").read_text(encoding="utf-8")
    for said in ("Verbindungen: Germany Berlin", "Davon inklusive", "493023125200..493023125209"):
        assert said in page


def test_one_invoice_bills_electricity_and_telephone(tmp_path: Path) -> None:
    done = run_demo("utility_and_telecom", tmp_path)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    for said in (
        "1 documents posted",
        "Electricity, tier 1",
        "Calls: France",
        "computed again: 80.52 AUD; proven",
        "computed again: 1.53 AUD; proven",
        "169.63 AUD",
        "all as it was sealed",
    ):
        assert said in done.stdout


@pytest.mark.parametrize("example", ["telecom", "utility_and_telecom"])
def test_the_data_files_are_those_that_the_script_makes(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(EXAMPLES / example / "make_data.py", tmp_path)
    spec = importlib.util.spec_from_file_location("make_data", tmp_path / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec.loader.exec_module(script)
    script.main()

    made = {file.name: file.read_bytes() for file in (tmp_path / "data").iterdir()}
    kept = {file.name: file.read_bytes() for file in (EXAMPLES / example / "data").iterdir() if "deck" not in file.name}
    assert made == kept
