"""Every code that a finding or error bears has its page, and every page belongs to a code that is used."""

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from billing_framework.values.codes import CODE, CodePage, core_codes, read_codes
from tests.architecture.source_tree import CORE, ROOT, Module, core_modules, dotted, plugin_folders, plugin_modules, texts

_BEARERS = re.compile(r"(?:^|\.)\w*(?:Refused|Error|Mismatch|NotFound|Conflict|ContractBroken|Finding|_refused|_finding)$")


def mentioned(modules: Iterable[Module], files: Iterable[Path], prefixes: set[str]) -> dict[str, str]:
    """Return each code that the sources mention, docstrings left out, with one place."""
    pattern = re.compile(rf"\b(?:{'|'.join(sorted(prefixes))})[0-9]{{2}}\b")
    found: dict[str, str] = {}
    for module in modules:
        for text, line in texts(module):
            found.update(dict.fromkeys(pattern.findall(text), f"{module}:{line}"))
    for file in files:
        found.update(dict.fromkeys(pattern.findall(file.read_text(encoding="utf-8")), file.name))
    return found


def borne(modules: Iterable[Module]) -> dict[str, str]:
    """Return each code that an error or finding is made with, whatever its letters are."""
    found: dict[str, str] = {}
    for module in modules:
        for node in module.nodes:
            if not isinstance(node, ast.Call):
                continue
            given = [word.value for word in node.keywords if word.arg == "code"]
            if _BEARERS.search(dotted(node.func)):
                given += node.args[:1]
            for value in given:
                if isinstance(value, ast.Constant) and isinstance(value.value, str) and CODE.fullmatch(value.value):
                    found[value.value] = f"{module}:{node.lineno}"
    return found


def plugin_pages(folder: Path) -> dict[str, CodePage]:
    files = sorted((folder / "src").rglob("codes.toml"))
    return {code: page for file in files for code, page in read_codes(file.read_text(encoding="utf-8"), source=str(file)).items()}


def prefixes(codes: Iterable[str]) -> set[str]:
    return {code[:-2] for code in codes}


def check(used: dict[str, str], pages: Iterable[str], known: Iterable[str]) -> None:
    """Fail with every code that lacks its page, with a place, and every page whose code nobody uses."""
    homeless = [f"{code} ({place})" for code, place in sorted(used.items()) if code not in set(known)]
    unused = sorted(set(pages) - set(used))
    if homeless or unused:
        pytest.fail("\n".join(["codes without a page:", *homeless, "pages without a use:", *unused]), pytrace=False)


def test_every_code_of_the_core_has_a_page_and_every_page_a_code() -> None:
    modules, pages = core_modules(), core_codes()
    used = borne(modules)
    used |= mentioned(modules, CORE.rglob("*.sql"), prefixes([*pages, *used]))
    check(used, pages, pages)


@pytest.mark.parametrize("folder", plugin_folders(), ids=lambda folder: folder.name)
def test_every_code_of_a_plugin_has_a_page_and_every_page_a_code(folder: Path) -> None:
    modules = [module for module in plugin_modules() if module.path.startswith(f"plugins/{folder.name}/")]
    pages = plugin_pages(folder)
    used = borne(modules)
    used |= mentioned(modules, (folder / "src").rglob("*.sql"), prefixes([*pages, *used]))
    check(used, pages, {*pages, *core_codes()})


def test_codes_belong_to_one_owner() -> None:
    owners = [set(core_codes()), *(set(plugin_pages(folder)) for folder in plugin_folders())]
    assert sum(map(len, owners)) == len(set().union(*owners))


def test_pages_are_sentences() -> None:
    def proper(page: CodePage) -> bool:
        title = len(page.title) <= 60 and not page.title.endswith(".")
        return title and page.meaning.endswith(".") and page.remedy.endswith(".")

    assert [page.code for page in core_codes().values() if not proper(page)] == []


def test_the_reference_shows_every_code() -> None:
    shown = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "docs" / "reference").rglob("*.md"))
    every = {*core_codes(), *(code for folder in plugin_folders() for code in plugin_pages(folder))}
    assert sorted(code for code in every if not re.search(rf"^#+ .*\b{code}\b", shown, re.MULTILINE)) == []
