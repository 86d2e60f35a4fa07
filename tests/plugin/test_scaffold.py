"""What `billing plugin new` writes: file by file the template, a distribution that is typed, clean, tested and billed at once."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from billing_framework.cli.main import cli
from billing_framework.plugin.scaffold import new_plugin, template_folder
from billing_framework.values.errors import InputRefused

ROOT = Path(__file__).parents[2]
FILES = [
    "README.md",
    "pyproject.toml",
    "src/billing_cloud_storage/__init__.py",
    "src/billing_cloud_storage/codes.toml",
    "src/billing_cloud_storage/formats.py",
    "src/billing_cloud_storage/kinds.py",
    "src/billing_cloud_storage/plugin.py",
    "src/billing_cloud_storage/py.typed",
    "src/billing_cloud_storage/rating.py",
    "src/billing_cloud_storage/settings.py",
    "tests/data/jobs.csv",
    "tests/data/plan.toml",
    "tests/first_bill.scenario.toml",
    "tests/test_contract.py",
]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A new plugin, installed for the processes that `run` starts."""
    folder = tmp_path / "plugin"
    new_plugin("cloud_storage", folder)
    installed = folder / "src" / "billing_cloud_storage-0.1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: billing-cloud-storage\nVersion: 0.1.0\n")
    points = tomllib.loads((folder / "pyproject.toml").read_text())["project"]["entry-points"]["billing_framework"]
    lines = "\n".join(f"{name} = {target}" for name, target in points.items())
    (installed / "entry_points.txt").write_text(f"[billing_framework]\n{lines}\n")
    return folder


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "MYPYPATH": str(folder / "src")}
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_every_file_of_the_template_is_written_and_no_other(tmp_path: Path) -> None:
    written = new_plugin("cloud_storage", tmp_path / "new")
    assert [path.as_posix() for path in written] == FILES
    assert sorted(path.relative_to(tmp_path / "new") for path in (tmp_path / "new").rglob("*") if path.is_file()) == sorted(
        written
    )


@pytest.mark.parametrize("file", FILES)
def test_no_name_of_the_template_is_left(file: str, tmp_path: Path) -> None:
    new_plugin("cloud_storage", tmp_path / "new")
    text = (tmp_path / "new" / file).read_text()
    assert not [word for word in ("new_trade", "new-trade", "New trade", "NEWTRADE", "NewTrade") if word in text]
    assert text.endswith("\n") or not text


def test_its_own_tests_pass_and_its_scenario_is_billed(made: Path) -> None:
    done = run(made, "pytest", "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert "failed" not in done.stdout


def test_it_is_typed_as_strictly_as_the_framework(made: Path) -> None:
    """By the rules of this repository, which are at least its own, and with what `make types` knows of the framework."""
    rules = [tomllib.loads((folder / "pyproject.toml").read_text())["tool"]["mypy"] for folder in (made, ROOT)]
    assert rules[0].items() <= rules[1].items()
    known = ("--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(ROOT / ".mypy_cache"))
    done = run(made, "mypy", *known, "-p", "billing_cloud_storage")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no issues found in 6 source files" in done.stdout


def test_it_is_clean(made: Path) -> None:
    done = run(made, "ruff", "check", ".")
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_a_plugin_that_the_framework_is_content_with(made: Path) -> None:
    (made / "billing.toml").write_text(
        '[deployment]\nname = "x"\ndatabase = "sqlite:///x.sqlite3"\nplugins = ["cloud_storage"]\ncurrency = "EUR"\n'
    )
    checked = run(made, "billing_framework.cli", "plugin", "check")
    assert (checked.returncode, checked.stdout) == (0, "nothing to correct in: cloud_storage\n")
    shown = run(made, "billing_framework.cli", "plugin", "show", "cloud_storage")
    assert "CLOUDSTORA01 Job took too long" in shown.stdout


def test_the_command_names_what_it_wrote_and_what_comes_next(tmp_path: Path) -> None:
    folder = tmp_path / "gate"
    done = CliRunner().invoke(cli, ["plugin", "new", "toll_gate", "--into", str(folder)])
    assert done.exit_code == 0
    assert str(folder / "src/billing_toll_gate/plugin.py") in done.output
    assert f"python -m pytest {folder}" in done.output


@pytest.mark.parametrize("name", ["", "9lives", "Cloud", "cloud-storage", "cloud__storage", "class", "a" * 41, "../up", "é"])
def test_a_name_that_cannot_be_a_module_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputRefused, match="PLUGIN12"):
        new_plugin(name, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputRefused, match="PLUGIN13"):
        new_plugin("cloud_storage", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_its_codes_are_not_those_of_the_core(tmp_path: Path) -> None:
    new_plugin("run", tmp_path / "new")
    assert "[XRUN01]" in (tmp_path / "new/src/billing_run/codes.toml").read_text()


def test_the_template_is_in_the_wheel() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert {
        (ROOT / source): f"billing_framework/{target}" for source, target in {"plugins/_template": "plugin/_template"}.items()
    } == {(ROOT / source): target for source, target in included.items()}
    assert template_folder() == ROOT / "plugins/_template"
