"""The entries of the example firm are those that its script makes."""

import runpy
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[3] / "examples" / "legal"


def test_the_files_of_the_example_are_made_by_its_script(tmp_path: Path) -> None:
    made: dict[str, Any] = runpy.run_path(str(EXAMPLE / "make_data.py"))
    made["main"].__globals__["FOLDER"] = tmp_path
    made["main"]()
    kept = {file.name: file.read_bytes() for file in (EXAMPLE / "data").iterdir()}
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == kept
