"""A command waits only for the modules that it needs: each costs every user of every command a part of a second."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import billing_framework
from billing_framework.cli.main import NOUNS
from tests.architecture.source_tree import CORE, PACKAGE
from tests.cli.deployment import billing, told, use

NEVER_AT_START = ("numpy", "polars", "pint", "dask", "distributed", "xarray", "lxml")
"""Large packages that few commands need, or that need even more themselves."""

LOADED = """
import sys
from billing_framework.cli.main import cli

try:
    cli.main(sys.argv[1:])
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""


def loaded_by(*arguments: str, folder: Path | None = None) -> set[str]:
    """Return the modules that a call of the command line has loaded in the end."""
    command = [sys.executable, "-c", LOADED, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_help_loads_no_database_and_no_plugin(argument: str) -> None:
    assert loaded_by(argument) & {"sqlalchemy", "pluggy", "cattrs", "asyncio", "babel", *NEVER_AT_START} == set()


def test_no_noun_loads_what_only_some_of_its_verbs_need() -> None:
    loaded = "import importlib, sys\n" + "\n".join(
        f"importlib.import_module('{PACKAGE}.cli.{noun.replace('-', '_')}')" for noun in NOUNS
    )
    done = subprocess.run([sys.executable, "-c", f"{loaded}\nprint(*sys.modules)"], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & set(NEVER_AT_START) == set()


def test_a_plain_command_opens_its_deployment_without_columns_and_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(tmp_path, monkeypatch)
    told(billing("db", "upgrade"))
    assert loaded_by("run", "list", folder=tmp_path) & set(NEVER_AT_START) == set()


def test_the_front_door_finds_every_name_where_it_stands() -> None:
    tree = ast.parse((CORE / "__init__.py").read_text(encoding="utf-8"))
    imported = {
        name.name: statement.module
        for block in tree.body
        if isinstance(block, ast.If)
        for statement in block.body
        if isinstance(statement, ast.ImportFrom)
        for name in statement.names
    }
    assert sorted(imported) == sorted(name for name in billing_framework.__all__ if name != "__version__")
    for name, module in imported.items():
        assert getattr(billing_framework, name) is getattr(importlib.import_module(str(module)), name)
    assert dir(billing_framework) == sorted(billing_framework.__all__)


WITHOUT_BULK = """
import sys
sys.modules["polars"] = None  # as where it is not installed
from billing_framework import *
from billing_framework import BillingError
assert line_blocks and Reader
for wanted in (cells_of, instants_of, RecordColumns):
    try:
        wanted(None)
    except BillingError as error:
        print(wanted.__name__, error.code, error.remedy)
"""


def test_the_front_door_opens_without_an_extra_and_says_where_it_is_needed() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_BULK], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"{name} CONFIG10 pip install 'billing-framework[bulk]'" for name in ("cells_of", "instants_of", "RecordColumns")
    ]
