"""The sources of the repository as syntax trees, for the tests that hold them to the rules of the house."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parents[2]
CORE = ROOT / "src" / "billing_framework"
PACKAGE = "billing_framework"

FLOORS = (
    "values",
    "ledger",
    "accounts",
    "usage",
    "rating",
    "taxing",
    "invoicing",
    "receivables",
    "dunning",
    "closing",
    "reporting",
    "exchange",
    "storage",
    "plugin",
    "run",
    "cli",
    "testing",
)
"""The desks of the billing office in the order of the money: a floor imports only floors left of it."""

PURE_FLOORS = FLOORS[: FLOORS.index("exchange") + 1]


@attrs.frozen(kw_only=True, slots=False)
class Module:
    """One source file.

    Attributes:
        path: path below the repository, with slashes.
        floor: name of its floor; empty for the package's own ``__init__`` and outside of the core.
        text: its content.
    """

    path: str
    floor: str
    text: str = attrs.field(repr=False)

    @functools.cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @functools.cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of its syntax tree."""
        return tuple(ast.walk(self.tree))

    def __str__(self) -> str:
        return self.path


def _module(file: Path) -> Module:
    text = file.read_text(encoding="utf-8")
    inside = file.relative_to(CORE).parts if file.is_relative_to(CORE) else ()
    floor = inside[0] if len(inside) > 1 else ""
    return Module(path=file.relative_to(ROOT).as_posix(), floor=floor, text=text)


def _modules_below(folder: Path) -> tuple[Module, ...]:
    return tuple(_module(file) for file in sorted(folder.rglob("*.py")) if "__pycache__" not in file.parts)


@functools.cache
def core_modules() -> tuple[Module, ...]:
    """Return every module of the core."""
    return _modules_below(CORE)


@functools.cache
def plugin_folders() -> tuple[Path, ...]:
    """Return the folders of the plugin distributions, without the template."""
    return tuple(
        sorted(file.parent for file in (ROOT / "plugins").glob("*/pyproject.toml") if not file.parent.name.startswith("_"))
    )


@functools.cache
def plugin_modules() -> tuple[Module, ...]:
    """Return every module of every plugin."""
    return tuple(module for folder in plugin_folders() for module in _modules_below(folder / "src"))


@functools.cache
def modules_of_tests() -> tuple[Module, ...]:
    """Return every test module of the core and the plugins, and the benchmarks."""
    folders = [ROOT / "tests", ROOT / "benchmarks", *(folder / "tests" for folder in plugin_folders())]
    return tuple(module for folder in folders for module in _modules_below(folder))


def forget() -> None:
    """Let go of all modules: their trees are the largest thing in the memory of a test process."""
    for kept in (core_modules, plugin_modules, modules_of_tests):
        kept.cache_clear()


def hold(modules: Iterable[Module], faults: Callable[[Module], Iterable[str]]) -> None:
    """Hold modules to a rule: fail with every fault of every module, one a line."""
    found = [f"{module}: {fault}" for module in modules for fault in faults(module)]
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def imports(module: Module) -> Iterator[tuple[str, str, int]]:
    """Yield every import as (module, imported name or empty, line), wherever it stands; a relative one begins with a dot."""
    for node in module.nodes:
        if isinstance(node, ast.Import):
            yield from ((alias.name, "", node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            yield from ((origin, alias.name, node.lineno) for alias in node.names)


def docstrings(module: Module) -> set[int]:
    """Return the ids of the nodes that are texts standing alone: docstrings of modules, classes, functions and attributes."""
    return {
        id(node.value)
        for node in module.nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def texts(module: Module) -> Iterator[tuple[str, int]]:
    """Yield every text of the code with its line, docstrings left out."""
    skipped = docstrings(module)
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.value, node.lineno


def dotted(node: ast.AST) -> str:
    """Return the dotted name that an expression spells, such as ``datetime.now``, or an empty text."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else f".{node.attr}"
    return ""
