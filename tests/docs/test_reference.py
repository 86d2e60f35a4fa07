"""The generated pages of the reference are current, and the others describe every key of their files."""

import re
from pathlib import Path

import attrs
import pytest

from billing_framework.accounts.book import Bank, BookAccount, Seller, Series
from billing_framework.cli.main import cli
from billing_framework.usage.kind_fields import Sort
from billing_framework.usage.record import Usage
from tests.docs.block_runner import ROOT
from tests.docs.reference_pages import FOLDER, pages

LONGEST_PAGE = 150
WRITTEN_BY_HAND = [
    page
    for page in sorted((ROOT / "docs").rglob("*.md"))
    if "; do not edit." not in page.read_text(encoding="utf-8") and page.name != "price_plan.md"  # one section for each model
]


def test_the_generated_pages_are_current() -> None:
    stale = [name for name, text in pages().items() if (FOLDER / name).read_text(encoding="utf-8") != text]
    assert stale == [], "write them again: python -m tests.docs.reference_pages"


def told(page: str, *names: str) -> list[str]:
    """Return the names that a page of the reference leaves out."""
    text = (FOLDER / page).read_text(encoding="utf-8")
    return [name for name in names if f"`{name}`" not in text and f".{name}`" not in text]


@pytest.mark.parametrize("cls", [Seller, Bank, Series, BookAccount])
def test_every_key_of_a_book_is_described(cls: type) -> None:
    assert told("book_file.md", *(field.name for field in attrs.fields(cls))) == []


def test_the_envelope_of_usage_is_described() -> None:
    own = [field.name for field in attrs.fields(Usage) if field.name != "line"]  # where it stood is told in messages only
    assert told("usage_records.md", *own) == []


def test_every_type_of_a_field_is_described() -> None:
    text = (FOLDER / "usage_records.md").read_text(encoding="utf-8")
    rows = text.split("## Types of fields")[1].split("\n\n")[1].splitlines()[2:]
    assert len(rows) == len(Sort)


def test_the_exit_codes_are_those_of_the_help() -> None:
    shown = (FOLDER / "exit_codes.md").read_text(encoding="utf-8")
    codes = [word for line in (cli.help or "").split("Exit codes:")[1].split(".")[0].split(",") for word in line.split()[:1]]
    assert [code for code in codes if code.isdigit() and f"| {code} |" not in shown] == []
    assert {"0", "1", "2", "3", "4", "70", "130"} <= set(codes)


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_a_page_is_short_enough_to_be_read(page: Path) -> None:
    longest = LONGEST_PAGE + 30 * ("tutorial" in page.parts)  # a tutorial shows every file
    written = re.sub(r"<!-- figures: begin -->.*?<!-- figures: end -->", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(written.splitlines()) <= longest  # tables of measured figures are looked up, not read


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    listed = sorted((ROOT / "docs").glob("[a-z]*/*.md"))
    assert [page.name for page in listed if f"({page.parent.name}/{page.name})" not in index] == []
