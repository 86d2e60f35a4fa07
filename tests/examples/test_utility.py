"""The example utility runs as a new user runs it, and its data files are those that its script makes."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

from tests.examples.demos import run_demo

EXAMPLE = Path(__file__).parents[2] / "examples" / "utility"


def test_the_demo_never_removes_a_folder_that_it_did_not_make(tmp_path: Path, warm_billing_path: Path) -> None:
    mine = tmp_path / "demo"
    mine.mkdir()
    (mine / "precious.txt").write_text("mine")

    done = run_demo("utility", tmp_path, mine, warm_billing_path)

    assert done.exit_code == 2
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
