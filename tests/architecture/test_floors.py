"""The order of the money is the order of the imports."""

from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.source_tree import CORE, FLOORS, PACKAGE, PURE_FLOORS, Module, core_modules, hold, imports, plugin_modules

# What each foreign thing is for decides which floors may know it.
ONLY_ON = {
    "pluggy": ("plugin",),
    "sqlalchemy": ("storage", "run"),
    "alembic": ("storage",),
    "psycopg": ("storage",),
    "sqlite3": ("storage",),
    "click": ("plugin", "cli"),
    "jinja2": ("invoicing", "exchange", "plugin"),
    "pint": ("values",),
    "orjson": ("values",),
    "xxhash": ("values", "storage"),
    "multiprocessing": ("run",),
    "concurrent": ("run",),
    "threading": ("storage", "run"),
    "subprocess": ("storage", "run", "cli"),
}
IMPURE = {
    "os",
    "pathlib",
    "shutil",
    "socket",
    "tempfile",
    "glob",
    "random",
    "secrets",
    "uuid",
    "time",
    "urllib",
    "http",
    "logging",
    "sys",
}
IMPURE_ALLOWED = {
    ("src/billing_framework/values/clock.py", "os"): "path types of the time zone folders",
    ("src/billing_framework/values/clock.py", "pathlib"): "reads which release of the time zone rules is in use",
    ("src/billing_framework/values/foreign_code.py", "sys"): "the names of the standard library, which are the same everywhere",
}


def floor_of(origin: str, name: str) -> str | None:
    parts = [*origin.split("."), name]
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 and parts[1] in FLOORS else None


def test_every_folder_of_the_core_is_a_floor() -> None:
    folders = {folder.name for folder in CORE.iterdir() if folder.is_dir() and any(folder.rglob("*.py"))}
    assert folders <= set(FLOORS)
    assert {"values", "ledger", "accounts", "usage", "rating", "taxing", "invoicing", "receivables"} <= folders
    assert {"exchange", "storage", "plugin", "run", "cli"} <= folders


def test_no_module_lies_beside_the_floors() -> None:
    assert {path.name for path in CORE.iterdir() if path.is_file()} <= {"__init__.py", "__main__.py", "py.typed"}


def test_no_modules_need_each_other() -> None:
    """Wherever an import stands, in a function or for types alone: what needs another is never needed by it."""
    known = {_dotted(module): module for module in (*core_modules(), *plugin_modules())}
    needs = {
        name: {other for origin, one, _ in imports(module) for other in (f"{origin}.{one}", origin) if other in known} - {name}
        for name, module in known.items()
    }
    try:
        tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]), pytrace=False)


def _dotted(module: Module) -> str:
    return module.path.rpartition("src/")[2].removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def modules_of_floors() -> list[Module]:
    return [module for module in core_modules() if module.floor]


def test_a_floor_imports_only_floors_left_of_it() -> None:
    def upward(module: Module) -> Iterator[str]:
        allowed = FLOORS[: FLOORS.index(module.floor) + 1]
        for origin, name, line in imports(module):
            floor = floor_of(origin, name)
            if floor is not None and floor not in allowed:
                yield f"line {line}: {origin} is right of {module.floor}"

    hold(modules_of_floors(), upward)


ROOMS_OF_A_RUN = ("work", "draft", "review", "cycle")
"""From who works on it to the steps that officers take: a room imports only rooms left of it."""


def test_a_room_of_the_run_imports_only_rooms_left_of_it() -> None:
    def upward(module: Module) -> Iterator[str]:
        later = ROOMS_OF_A_RUN[ROOMS_OF_A_RUN.index(module.path.split("/")[-2]) + 1 :]
        for origin, _, line in imports(module):
            if origin.startswith(tuple(f"{PACKAGE}.run.{room}." for room in later)):
                yield f"line {line}: {origin}"

    inside = [module for module in core_modules() if module.path.split("/")[-2] in ROOMS_OF_A_RUN]
    assert inside
    hold(inside, upward)


def _asks_for_the_version(module: Module, name: str) -> bool:
    return name == "__version__" or (not name and f"{PACKAGE}.__version__" in module.text)


def test_the_core_imports_by_full_names_and_not_its_own_front_door() -> None:
    def doors(module: Module) -> Iterator[str]:
        for origin, name, line in imports(module):
            if origin.startswith(".") or (origin == PACKAGE and not _asks_for_the_version(module, name)):
                yield f"line {line}: {origin or '.'}"

    hold(modules_of_floors(), doors)


def test_foreign_packages_stay_on_their_floors() -> None:
    def strays(module: Module) -> Iterator[str]:
        for origin, _, line in imports(module):
            root = origin.split(".", maxsplit=1)[0]
            if root in ONLY_ON and module.floor not in ONLY_ON[root]:
                yield f"line {line}: {origin} belongs to {', '.join(ONLY_ON[root])}"

    hold(core_modules(), strays)


def test_the_lower_floors_are_pure() -> None:
    def reaching_out(module: Module) -> Iterator[str]:
        for origin, _, line in imports(module):
            root = origin.split(".", maxsplit=1)[0]
            if root in IMPURE and (module.path, root) not in IMPURE_ALLOWED:
                yield f"line {line}: {origin}"

    hold([module for module in core_modules() if module.floor in PURE_FLOORS], reaching_out)


@pytest.mark.parametrize("key", sorted(IMPURE_ALLOWED), ids=lambda key: Path(key[0]).name)
def test_every_exception_is_still_needed(key: tuple[str, str]) -> None:
    module = next(module for module in core_modules() if module.path == key[0])
    assert key[1] in {origin.split(".", maxsplit=1)[0] for origin, _, _ in imports(module)}
