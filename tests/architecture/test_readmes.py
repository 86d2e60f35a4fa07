"""Each folder of the core says in a few lines what it is for."""

import re
from pathlib import Path

import pytest

from tests.architecture.source_tree import CORE, FLOORS, ROOT

LONGEST = 25
FOLDERS = [CORE / floor for floor in FLOORS if (CORE / floor / "__init__.py").is_file()]
# Names of workplaces and of machines have no place in what others read.
WORKPLACE = re.compile(r"/work/|/tmp/|/root/|/home/\w")


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_floor_has_a_short_readme(folder: Path) -> None:
    readme = folder / "README.md"
    assert readme.is_file()
    lines = readme.read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert 5 <= len(lines) <= LONGEST


def test_the_front_page_names_the_two_commands_and_the_map() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in text
    assert "make test" in text
    for folder in ("src/billing_framework", "plugins", "examples", "benchmarks", "docs", "tests"):
        assert folder in text


def test_the_documentation_has_its_four_kinds() -> None:
    folders = {folder.name for folder in (ROOT / "docs").iterdir() if folder.is_dir()}
    assert {"tutorial", "how_to", "reference", "explanation"} <= folders


def test_no_page_names_a_workplace() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(page for folder in ("docs", "src", "plugins", "examples") for page in (ROOT / folder).rglob("*.md")),
    ]
    named = {page.name: found.group() for page in pages if (found := WORKPLACE.search(page.read_text(encoding="utf-8")))}
    assert named == {}


def test_links_between_pages_lead_somewhere() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "plugins").rglob("README.md")]
    broken = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
    ]
    assert broken == []
