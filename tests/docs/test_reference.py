"""The committed pages of the reference are what the code says now."""

import pytest

from billing_framework.cli.reference import pages
from tests.architecture.source_tree import ROOT


@pytest.mark.parametrize("name", pages())
def test_a_generated_page_is_current(name: str) -> None:
    path = ROOT / "docs" / "reference" / name
    assert path.is_file(), "run: python -m billing_framework.cli.reference docs/reference"
    current = path.read_text(encoding="utf-8") == pages()[name]
    assert current, f"{name} is out of date; run: python -m billing_framework.cli.reference docs/reference"
