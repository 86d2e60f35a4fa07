"""A file tells one thing, a function does one step, and a name says which."""

import ast
import re
import statistics
from collections.abc import Iterator

from tests.architecture.source_tree import FLOORS, Module, core_modules, dotted, hold, modules_of_tests, plugin_modules

LONGEST_FILE = 600
LONGEST_FUNCTION = 60
LARGEST_MEDIAN = 150
VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "base", "misc", "shared", "junk", "stuff", "core", "tools"}
PROMISES = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")


def sources() -> tuple[Module, ...]:
    return core_modules() + plugin_modules()


def test_a_file_is_not_too_long() -> None:
    def faults(module: Module) -> Iterator[str]:
        if (length := len(module.text.splitlines())) > LONGEST_FILE:
            yield f"{length} lines"

    hold(sources() + modules_of_tests(), faults)


def test_functions_are_short() -> None:
    def faults(module: Module) -> Iterator[str]:
        for node in module.nodes:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or node.lineno) - node.lineno + 1
                if length > LONGEST_FUNCTION:
                    yield f"{node.name} has {length} lines"

    hold(sources(), faults)


def test_the_usual_file_is_small() -> None:
    lengths = [len(module.text.splitlines()) for module in sources() if not module.path.endswith("__init__.py")]
    median = statistics.median(lengths)
    print(f"{len(lengths)} files, median {median} lines, longest {max(lengths)}")  # noqa: T201  # the report of this test
    assert median <= LARGEST_MEDIAN


def test_a_name_says_what_a_file_tells() -> None:
    def faults(module: Module) -> Iterator[str]:
        *_, folder, name = module.path.removesuffix(".py").split("/")
        if name in VAGUE or (folder in VAGUE and folder not in FLOORS):
            yield "a vague name"

    hold(sources(), faults)


def test_nothing_is_promised_instead_of_done() -> None:
    hold(sources(), lambda module: filter(PROMISES.search, module.text.splitlines()))


def test_no_unknown_error_is_swallowed() -> None:
    def faults(module: Module) -> Iterator[str]:
        for handler in module.nodes:
            if (
                isinstance(handler, ast.ExceptHandler)
                and (handler.type is None or dotted(handler.type) in {"Exception", "BaseException"})
                and all(isinstance(step, ast.Pass | ast.Continue) for step in handler.body)
            ):
                yield f"line {handler.lineno}"

    hold(sources(), faults)
