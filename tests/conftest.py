"""Databases for the tests: a real PostgreSQL server, and an upgraded empty database per test on both databases."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.migrate import upgrade

# Test folders are no packages; the repository root makes `tests.postgres_server` importable here and in benchmarks.
sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.compiled_statements import statements_shared
from tests.postgres_server import NoServer, Server, start_server
from tests.properties import unhurried
from tests.warm.start import warm_billing

_TEMPLATE = "billing_template"
_WITHOUT = "--without-postgres"
_GARBAGE_THRESHOLDS = (20_000, 10, 10)
_numbers = itertools.count(1)

unhurried()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Offer the one way to run without PostgreSQL; leaving it out by accident is not possible."""
    parser.addoption(_WITHOUT, action="store_true", help="leave out all tests that need a PostgreSQL server; the summary says so")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the PostgreSQL tests out where the option says so."""
    if not config.getoption(_WITHOUT):
        return
    skip = pytest.mark.skip(reason=f"left out by {_WITHOUT}")
    for item in items:
        callspec = getattr(item, "callspec", None)
        on_postgres = callspec is not None and "postgresql" in callspec.params.values()
        if on_postgres or "postgres_server" in getattr(item, "fixturenames", ()):
            item.add_marker(skip)


def pytest_collection_finish() -> None:
    """Spare the search for garbage what lives to the end, modules and thousands of tests, and search less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say it aloud when half of the databases was not tested."""
    if config.getoption(_WITHOUT):
        terminalreporter.write_sep("!", "PostgreSQL was NOT tested (--without-postgres)", red=True)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """A running PostgreSQL server of this test session, one per xdist worker."""
    try:
        server = start_server()
    except NoServer as error:
        pytest.fail(str(error), pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        # pg_dump must be as new as the server that it reads.
        patch.setenv("PATH", f"{server.binaries}{os.pathsep}{os.environ['PATH']}")
        yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """The name of an upgraded, empty database that tests clone."""
    with postgres_server.connect() as admin:
        admin.execute(f'CREATE DATABASE "{_TEMPLATE}"')
    database = open_database(postgres_server.url(_TEMPLATE))
    upgrade(database)
    database.close()
    return _TEMPLATE


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an upgraded, empty SQLite database that tests copy before they open it."""
    path = tmp_path_factory.mktemp("template") / "billing.sqlite3"
    database = open_database(f"sqlite:///{path}")
    upgrade(database)
    database.close()
    return path


@pytest.fixture
def sqlite_database(sqlite_template: Path, tmp_path: Path) -> Iterator[Database]:
    """An upgraded, empty SQLite database."""
    path = tmp_path / f"billing{next(_numbers)}.sqlite3"
    shutil.copyfile(sqlite_template, path)
    database = open_database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def postgres_database(postgres_server: Server, postgres_template: str) -> Iterator[Database]:
    """An upgraded, empty PostgreSQL database, opened by the owner of the schema."""
    with postgres_server.fresh_database(postgres_template) as name:
        database = open_database(postgres_server.url(name))
        yield database
        database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """An upgraded, empty database; each test that asks for it runs once on SQLite and once on PostgreSQL."""
    name = "sqlite_database" if request.param == "sqlite" else "postgres_database"
    opened: Database = request.getfixturevalue(name)
    return opened


@pytest.fixture(scope="session")
def warm_billing_path() -> Iterator[Path]:
    """A folder for PATH whose ``billing`` is the installed one without its time to start; see tests/warm."""
    with tempfile.TemporaryDirectory(prefix="billing-warm-") as folder, warm_billing(Path(folder)) as path:
        yield path


@pytest.fixture(scope="session", autouse=True)
def _statements_shared() -> Iterator[None]:
    with statements_shared():
        yield
