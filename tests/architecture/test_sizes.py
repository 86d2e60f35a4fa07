"""A file tells one thing, a function does one step, and a name says which."""

import ast
import re
import statistics

import pytest

from tests.architecture.source_tree import FLOORS, Module, core_modules, dotted, plugin_modules, test_modules

LONGEST_FILE = 600
LONGEST_FUNCTION = 60
LARGEST_MEDIAN = 150
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "shared", "junk", "stuff", "core", "tools"}
PROMISES = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")

SOURCES = [*core_modules(), *plugin_modules()]


@pytest.mark.parametrize("module", [*SOURCES, *test_modules()], ids=str)
def test_a_file_is_not_too_long(module: Module) -> None:
    assert len(module.text.splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_functions_are_short(module: Module) -> None:
    long = [
        f"{node.name} has {length} lines"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long


def test_the_usual_file_is_small() -> None:
    lengths = [len(module.text.splitlines()) for module in SOURCES if not module.path.endswith("__init__.py")]
    median = statistics.median(lengths)
    print(f"{len(lengths)} files, median {median} lines, longest {max(lengths)}")  # noqa: T201  # the report of this test
    assert median <= LARGEST_MEDIAN


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_a_name_says_what_a_file_tells(module: Module) -> None:
    *_, folder, name = module.path.removesuffix(".py").split("/")
    assert name not in VAGUE
    assert folder in FLOORS or folder not in VAGUE


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_nothing_is_promised_instead_of_done(module: Module) -> None:
    own_words = [line for line in module.text.splitlines() if PROMISES.search(line)]
    assert not own_words


@pytest.mark.parametrize("module", SOURCES, ids=str)
def test_no_unknown_error_is_swallowed(module: Module) -> None:
    silent = [
        f"line {handler.lineno}"
        for handler in ast.walk(module.tree)
        if isinstance(handler, ast.ExceptHandler)
        and (handler.type is None or dotted(handler.type) in {"Exception", "BaseException"})
        and all(isinstance(step, ast.Pass | ast.Continue) for step in handler.body)
    ]
    assert not silent
