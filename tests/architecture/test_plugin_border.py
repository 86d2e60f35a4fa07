"""Plugins see the front door only, nobody sees a plugin that is not enabled, and the core speaks no trade."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import billing_framework
from tests.architecture.source_tree import (
    CORE,
    PACKAGE,
    Module,
    core_modules,
    hold,
    imports,
    plugin_folders,
    plugin_modules,
    texts,
)

PLUGIN_PACKAGES = {folder.name for plugin in plugin_folders() for folder in (plugin / "src").iterdir() if folder.is_dir()}

# Words of single industries; words that are also plain English (call, matter, claim) cannot be searched for.
TRADE = re.compile(
    r"(?i)(?<![a-z])(kwh|kva|kvar|kvarh|meters?|metering|nem12|nem13|espi|green_?button|therms?|ccf|hcf|ledes|utbms|timekeepers?"
    r"|attorneys?|edi_?837|835|837p|837i|hcpcs|icd10|patients?|encounters?|remark_codes?|msisdn|imsi|roaming|cdrs?|asterisk)(?![a-z])"
)


def test_the_first_plugin_is_there() -> None:
    assert "utility_metering" in {folder.name for folder in plugin_folders()}


@pytest.mark.parametrize("folder", plugin_folders(), ids=lambda folder: folder.name)
def test_a_plugin_is_a_distribution_with_an_entry_point(folder: Path) -> None:
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == f"billing-{folder.name.replace('_', '-')}"
    assert list(project["entry-points"]["billing_framework"]) == [folder.name]
    assert (folder / "README.md").is_file()
    assert (folder / "tests").is_dir()
    assert (folder / "src" / f"billing_{folder.name}" / "py.typed").is_file()


def test_a_plugin_imports_only_the_public_names() -> None:
    def faults(module: Module) -> Iterator[str]:
        own = module.path.split("/")[3]
        for origin, name, line in imports(module):
            root = origin.split(".", maxsplit=1)[0]
            if root == PACKAGE and (origin != PACKAGE or name not in billing_framework.__all__):
                yield f"line {line}: {origin} {name} is not in {PACKAGE}.__all__"
            if root in PLUGIN_PACKAGES - {own}:
                yield f"line {line}: {origin} is another plugin"

    hold(plugin_modules(), faults)


def test_public_names_are_sorted_and_there() -> None:
    names = [name for name in billing_framework.__all__ if name != "__version__"]
    assert len(set(names)) == len(names)
    assert sorted(names) == names
    assert all(hasattr(billing_framework, name) for name in names)


def test_the_core_imports_no_plugin() -> None:
    def plugins(module: Module) -> Iterator[str]:
        return (origin for origin, _, _ in imports(module) if origin.split(".", maxsplit=1)[0] in PLUGIN_PACKAGES)

    hold(core_modules(), plugins)


def test_the_core_speaks_no_trade() -> None:
    def spoken(module: Module) -> Iterator[str]:
        yield from (f"line {line}: {text[:60]!r}" for text, line in texts(module) if TRADE.search(text))
        yield from sorted({name for name in _names(module) if TRADE.search(name)})

    hold(core_modules(), spoken)


def _names(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg


def test_files_of_the_core_speak_no_trade() -> None:
    others = [file for suffix in ("sql", "toml", "j2", "html", "po") for file in CORE.rglob(f"*.{suffix}")]
    assert {
        file.relative_to(CORE).as_posix(): found.group() for file in others if (found := TRADE.search(file.read_text()))
    } == {}


OPEN_WITHOUT_PLUGINS = """
import sys
from pathlib import Path
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import load_settings

Host.from_file(load_settings(Path(sys.argv[1])))
print(" ".join(sorted(name for name in sys.modules if name.startswith("billing_") and not name.startswith("billing_framework"))))
"""


@pytest.mark.parametrize("enabled", [[], ["utility_metering"]], ids=str)
def test_nothing_is_imported_from_a_plugin_that_is_not_enabled(tmp_path: Path, enabled: list[str]) -> None:
    file = tmp_path / "billing.toml"
    file.write_text(f'[deployment]\nname = "bare"\ndatabase = "sqlite:///x.sqlite3"\ncurrency = "EUR"\nplugins = {enabled!r}\n')
    done = subprocess.run([sys.executable, "-c", OPEN_WITHOUT_PLUGINS, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    packages = {name.split(".", maxsplit=1)[0] for name in done.stdout.split()}
    assert packages == {f"billing_{name}" for name in enabled}
