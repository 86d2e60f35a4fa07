"""Lets go of the sources of the repository when the tests of this folder are done."""

from pathlib import Path

import pytest

from tests.architecture.source_tree import forget

HERE = Path(__file__).parent


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Forget the modules after the last test that reads them."""
    if nextitem is None or not nextitem.path.is_relative_to(HERE):
        forget()
