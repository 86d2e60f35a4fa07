"""Nothing is imported unless the settings name it; an unknown plugin is told with the nearest one."""

import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = """
import attrs
from billing_framework import UsageKind, hookimpl

@attrs.frozen(kw_only=True)
class Body:
    count: int

@hookimpl
def billing_usage_kinds():
    return [UsageKind(name="{name}", title="t", body=Body)]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for name, source in (
        ("alpha", PLUGIN.format(name="alpha")),
        ("beta", PLUGIN.format(name="beta")),
        ("broken", "import nowhere"),
        ("leaving", "import sys; sys.exit(0)"),
    ):
        (tmp_path / f"billing_{name}.py").write_text(source, encoding="utf-8")
        info = tmp_path / f"billing_{name}-1.2.3.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: billing-{name}\nVersion: 1.2.3\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[billing_framework]\n{name} = billing_{name}\n", encoding="utf-8")
    return tmp_path


def told(site: Path, code: str) -> str:
    program = f"import sys; sys.path.insert(0, {str(site)!r})\n{code}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    return (done.stdout + done.stderr.strip().rsplit("\n", 1)[-1]).strip()


LOAD = "from billing_framework.plugin.discovery import *; print([(p.name, p.version) for p in load_plugins({names})]); "
MODULES = "print(sorted(m for m in sys.modules if m in ('billing_alpha', 'billing_beta', 'billing_broken')))"


def test_only_named_plugins_are_imported_and_in_their_order(site: Path) -> None:
    assert told(site, LOAD.format(names=["beta"]) + MODULES) == "[('beta', '1.2.3')]\n['billing_beta']"
    assert told(site, LOAD.format(names=["beta", "alpha"])) == "[('beta', '1.2.3'), ('alpha', '1.2.3')]"


def test_listing_what_is_installed_imports_nothing(site: Path) -> None:
    listed = "from billing_framework.plugin.discovery import *; print(installed_plugins()['broken'].version); "
    assert told(site, listed + MODULES) == "1.2.3\n[]"


def test_an_unknown_plugin_is_told_with_the_nearest_and_all_installed(site: Path) -> None:
    message = told(site, LOAD.format(names=["alfa"]))
    assert "PLUGIN01" in message
    assert "Did you mean 'alpha'?" in message
    assert "alpha, beta, broken, " in message


def test_a_plugin_named_twice_is_refused(site: Path) -> None:
    assert "PLUGIN01 plugin 'beta' is named twice" in told(site, LOAD.format(names=["beta", "beta"]))


def test_a_plugin_that_cannot_be_imported_is_named(site: Path) -> None:
    message = told(site, LOAD.format(names=["broken"]))
    assert "PLUGIN06 plugin 'broken' cannot be imported: ModuleNotFoundError: No module named 'nowhere'" in message


def test_a_plugin_that_ends_the_program_while_it_is_imported_is_named(site: Path) -> None:
    assert "PLUGIN06 plugin 'leaving' cannot be imported: SystemExit: 0" in told(site, LOAD.format(names=["leaving"]))


def test_one_name_from_two_distributions_is_a_clash(site: Path) -> None:
    info = site / "other-9.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 9\n", encoding="utf-8")
    (info / "entry_points.txt").write_text("[billing_framework]\nalpha = billing_beta\n", encoding="utf-8")
    message = told(site, LOAD.format(names=["alpha"]))
    assert "PLUGIN02" in message
    assert "billing-alpha" in message
    assert "other" in message
