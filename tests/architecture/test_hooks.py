"""No hook without its example, its test, its documentation and a plugin of this repository that uses it."""

import ast
import inspect
import re
import textwrap
from typing import Any

import pluggy
import pytest

from billing_framework.plugin import hookspecs
from tests.architecture.source_tree import ROOT, modules_of_tests, plugin_modules

HOOKS = {name: function for name, function in vars(hookspecs).items() if hasattr(function, f"{hookspecs.PROJECT}_spec")}


def test_hooks_bear_the_name_of_the_project() -> None:
    assert HOOKS
    assert [name for name in HOOKS if not name.startswith("billing_")] == []


def example_of(function: Any) -> str:
    _, found, after = inspect.getdoc(function).partition("Example:\n")  # type: ignore[union-attr]  # the next test demands it
    return textwrap.dedent(after) if found else ""


@pytest.mark.parametrize("name", HOOKS)
def test_a_docstring_says_when_how_often_and_what_none_means(name: str) -> None:
    text = inspect.getdoc(HOOKS[name]) or ""
    assert re.search(r"\bCalled\b", text)
    assert re.search(r"\b(once|per|every|each)\b", text)
    assert "None" in text


@pytest.mark.parametrize("name", HOOKS)
def test_the_example_is_a_plugin(name: str) -> None:
    source = example_of(HOOKS[name])
    assert source, f"{name} has no Example: block"
    own: dict[str, Any] = {"__name__": f"example_of_{name}"}
    exec(compile(source, f"example of {name}", "exec"), own)  # noqa: S102  # the example is what is tested
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugin = type("Example", (), {key: staticmethod(value) for key, value in own.items() if callable(value)})
    manager.register(plugin)
    manager.check_pending()
    assert manager.get_hookcallers(plugin)
    assert name in {caller.name for caller in manager.get_hookcallers(plugin) or []}


@pytest.mark.parametrize("name", HOOKS)
def test_a_test_names_the_hook(name: str) -> None:
    here = "tests/architecture/"
    assert [module.path for module in modules_of_tests() if name in module.text and not module.path.startswith(here)]


@pytest.mark.parametrize("name", HOOKS)
def test_a_plugin_of_this_repository_uses_the_hook(name: str) -> None:
    users = [
        module.path
        for module in plugin_modules()
        if any(isinstance(node, ast.FunctionDef) and node.name == name for node in module.tree.body)
    ]
    assert users


@pytest.mark.parametrize("name", HOOKS)
def test_the_reference_shows_the_hook_with_its_signature(name: str) -> None:
    page = ROOT / "docs" / "reference" / "hooks.md"
    assert page.is_file()
    text = page.read_text(encoding="utf-8")
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert re.search(rf"^#+ .*\b{name}\b", text, re.MULTILINE)
    assert f"{name}({arguments})" in text
