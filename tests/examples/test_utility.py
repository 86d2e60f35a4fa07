"""The example utility runs as a new user runs it, and its data files are those that its script makes."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "utility"


def run_demo(folder: Path, where: Path) -> subprocess.CompletedProcess[str]:
    """Run the demo with the commands of this environment and an empty home."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(where), "LANG": "C.UTF-8", "USER": "tester"}
    command = ["sh", str(EXAMPLE / "demo.sh"), str(folder)]
    return subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_the_demo_runs_from_meter_files_to_a_proven_ledger(tmp_path: Path) -> None:
    done = run_demo(tmp_path / "demo", tmp_path)

    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "error" not in done.stderr
    for said in (
        "records    93",
        "duplicate  93",
        "5 drafted",
        "4 documents posted",
        "computed again: 56.69 AUD; proven",
        "676.73 AUD",
        "all as it was sealed",
    ):
        assert said in done.stdout
    page = (tmp_path / "demo" / "deutsch.html").read_text(encoding="utf-8")
    assert "Täglicher Grundpreis" in page
    assert "245,42" in page
    assert "Rechnung" in page


def test_the_demo_never_removes_a_folder_that_it_did_not_make(tmp_path: Path) -> None:
    mine = tmp_path / "demo"
    mine.mkdir()
    (mine / "precious.txt").write_text("mine")

    done = run_demo(mine, tmp_path)

    assert done.returncode == 2
    assert (mine / "precious.txt").read_text() == "mine"


def test_the_data_files_are_those_that_the_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(EXAMPLE / "make_data.py", tmp_path)
    spec = importlib.util.spec_from_file_location("make_data", tmp_path / "make_data.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    spec.loader.exec_module(script)
    script.main()

    made = {file.name: file.read_bytes() for file in (tmp_path / "data").iterdir()}
    assert made == {file.name: file.read_bytes() for file in (EXAMPLE / "data").iterdir()}
