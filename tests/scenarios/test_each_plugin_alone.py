"""With one plugin enabled nothing of the others is imported, kept in the database, or shown in any help."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from billing_framework.plugin.discovery import installed_plugins, load_plugins
from billing_framework.plugin.host import Host
from tests.architecture.source_tree import plugin_folders

PLUGINS = sorted(folder.name for folder in plugin_folders())
PLAIN_WORDS = {"call"}
"""Names that are plain English too: an exit code speaks of a call of the program."""

KEY = "0123456789abcdef" * 4

ALONE = """
import json, sys
from pathlib import Path
import click
from billing_framework.cli.main import cli
from billing_framework.run.deployment import open_deployment
from billing_framework.run.schema import upgrade_schema
from sqlalchemy import inspect

def helps(command, context):
    yield command.get_help(context)
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        verb = command.get_command(context, name)
        yield from helps(verb, click.Context(verb, info_name=name, parent=context))

with open_deployment(Path("billing.toml")) as deployment:
    upgrade_schema(deployment)
    tables = inspect(deployment.database.engine).get_table_names()
packages = {name.partition(".")[0] for name in sys.modules}
shown = "\\n".join(helps(cli, click.Context(cli, info_name="billing")))
print(json.dumps({"packages": sorted(packages), "tables": tables, "help": shown}))
"""


def offered(plugin: str) -> set[str]:
    """The names that a plugin brings: kinds, formats, rate tables, charge models, review checks."""
    host = Host.build([(one.name, one.implementation) for one in load_plugins([plugin])])
    return {name for names in host.plugins[0].offers.values() for name in names}


@pytest.fixture(scope="module", params=PLUGINS)
def alone(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "billing.toml").write_text(
        f'[deployment]\nname = "alone"\ndatabase = "sqlite:///alone.sqlite3"\ncurrency = "EUR"\nplugins = ["{request.param}"]\n'
        '[personal_data]\nkey = { env = "BILLING_PERSONAL_KEY" }\n'
    )
    environment = {**os.environ, "BILLING_PERSONAL_KEY": KEY}
    done = subprocess.run(
        [sys.executable, "-c", ALONE], cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return request.param, json.loads(done.stdout)


def test_no_other_plugin_is_imported(alone: tuple[str, dict[str, Any]]) -> None:
    plugin, seen = alone
    packages = {one.target.partition(":")[0].partition(".")[0] for one in installed_plugins().values()}
    assert packages & set(seen["packages"]) == {f"billing_{plugin}"}


def test_the_database_has_tables_of_its_own_kinds_only(alone: tuple[str, dict[str, Any]]) -> None:
    plugin, seen = alone
    host = Host.build([(one.name, one.implementation) for one in load_plugins([plugin])])
    kinds = {f"usage_{kind}" for kind in host.kinds}
    foreign = {
        f"usage_{kind}"
        for other in PLUGINS
        if other != plugin
        for kind in Host.build([(one.name, one.implementation) for one in load_plugins([other])]).kinds
    }
    assert kinds <= set(seen["tables"])
    assert not foreign & set(seen["tables"])


def test_no_help_shows_a_name_of_another_plugin(alone: tuple[str, dict[str, Any]]) -> None:
    plugin, seen = alone
    words = set(seen["help"].replace(",", " ").replace("'", " ").split())
    own = offered(plugin)
    for other in PLUGINS:
        if other != plugin:
            shown = (offered(other) - own - PLAIN_WORDS) & words
            assert not shown, f"the help of {plugin} alone shows {shown} of {other}"
