"""The examples with calls run as a new user runs them, and their data files are those that their scripts make."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


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
