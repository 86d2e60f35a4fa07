"""No float comes near money, quantities or prices, nothing rounds but the one function, and only the clock tells the time."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.source_tree import Module, core_modules, dotted, hold, imports, plugin_modules

# (file, what is found there) and why it is no danger.
ALLOWED = {
    ("src/billing_framework/values/spelling.py", "float literal"): "the likeness of two words",
    ("src/billing_framework/values/formats.py", "decimal.localcontext"): "the private context that refuses to round",
    ("src/billing_framework/testing/checks.py", "decimal.localcontext"): "hostile contexts, which a rater must not notice",
    ("src/billing_framework/values/clock.py", "datetime.now"): "the one place that asks the time",
}
BANNED_CALLS = {
    "round",
    "complex",
    "decimal.getcontext",
    "decimal.setcontext",
    "decimal.localcontext",
    "getcontext",
    "setcontext",
    "localcontext",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
}
BANNED_METHODS = {".quantize", ".mean", ".limit_denominator", ".as_integer_ratio", ".total_seconds", ".utcnow"}
EXACT_MATH = {"isqrt", "gcd", "lcm", "comb", "perm", "prod", "factorial"}
FLOAT_MODULES = {"statistics", "cmath"}
BINARY_TYPES = {"float16", "float32", "float64", "double", "longdouble", "half", "single"}
WHOLE_NUMBERS = {"len", "int", "sum", "abs", "ord"}


def _is_type_test(node: ast.Call) -> bool:
    return dotted(node.func) in {"isinstance", "issubclass"}


def _whole_number(node: ast.expr) -> bool:
    """True where an operand surely is an int, so that dividing it by another makes a float."""
    if isinstance(node, ast.Constant):
        return type(node.value) is int
    if isinstance(node, ast.Call):
        return dotted(node.func) in WHOLE_NUMBERS
    return isinstance(node, ast.Attribute) and node.attr in {"minor", "days", "numerator", "denominator", "scale", "seconds"}


def findings(module: Module) -> Iterator[tuple[str, int]]:
    """Yield what endangers exactness, with its line."""
    tested = {id(name) for call in module.nodes if isinstance(call, ast.Call) and _is_type_test(call) for name in ast.walk(call)}
    for node in module.nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield "float literal", node.lineno
        elif isinstance(node, ast.Name) and node.id == "float" and id(node) not in tested:
            yield "float", node.lineno
        elif isinstance(node, ast.Attribute) and node.attr in BINARY_TYPES:
            yield dotted(node), node.lineno
        elif isinstance(node, ast.Call):
            name = dotted(node.func)
            if name in BANNED_CALLS or (isinstance(node.func, ast.Attribute) and f".{node.func.attr}" in BANNED_METHODS):
                yield name, node.lineno
        elif (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Div)
            and _whole_number(node.left)
            and _whole_number(node.right)
        ):
            yield "division of whole numbers", node.lineno
    for origin, name, line in imports(module):
        if origin in FLOAT_MODULES or (origin == "math" and name not in EXACT_MATH and name):
            yield f"{origin}.{name}", line
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and dotted(node.value) == "math" and node.attr not in EXACT_MATH:
            yield dotted(node), node.lineno


def test_every_module_is_exact() -> None:
    def inexact(module: Module) -> Iterator[str]:
        return (f"line {line}: {what}" for what, line in findings(module) if (module.path, what) not in ALLOWED)

    hold(core_modules() + plugin_modules(), inexact)


@pytest.mark.parametrize("key", sorted(ALLOWED), ids=lambda key: key[1])
def test_every_exception_is_still_needed(key: tuple[str, str]) -> None:
    module = next(module for module in core_modules() if module.path == key[0])
    assert key[1] in {what for what, _ in findings(module)}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("x = 0.1", "float literal"),
        ("def f(x: float) -> None: ...", "float"),
        ("x = float(y)", "float"),
        ("x = round(y, 2)", "round"),
        ("import math\nx = math.sqrt(2)", "math.sqrt"),
        ("from math import floor", "math.floor"),
        ("import numpy as np\nx = np.float64(1)", "np.float64"),
        ("x = money.minor / 100", "division of whole numbers"),
        ("import decimal\ndecimal.getcontext().prec = 2", "decimal.getcontext"),
        ("x = value.quantize(step)", "value.quantize"),
        ("x = (end - start).total_seconds()", ".total_seconds"),
        ("x = datetime.now(UTC)", "datetime.now"),
    ],
)
def test_the_search_finds_what_it_must(source: str, found: str) -> None:
    assert [what for what, _ in findings(Module(path="x.py", floor="", text=source))] == [found]


@pytest.mark.parametrize(
    "source", ["isinstance(x, float)", "x = a / b", "x = Fraction(1) / len(y)", "import math\nmath.isqrt(9)"]
)
def test_the_search_leaves_exact_code_alone(source: str) -> None:
    assert not list(findings(Module(path="x.py", floor="", text=source)))
