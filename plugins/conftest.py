"""What the tests of all plugins share: reading a file by a reader, and the third-party samples of the plugin's industry."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from billing_framework import Reader, ReadItem, ReadRequest
from tests.compiled_statements import statements_shared
from tests.properties import unhurried
from tests.samples import sample_of

HERE = Path(__file__).parent

unhurried()


@pytest.fixture(scope="module")
def sample(request: pytest.FixtureRequest) -> Callable[[str], Path]:
    """Path of a sample of the plugin's industry, by its name; skips, saying why, where it is not on this machine."""
    plugin = request.path.relative_to(HERE).parts[0]
    industry = plugin.partition("_")[0]
    return lambda name: sample_of(industry, name)


@pytest.fixture(scope="session")
def read() -> Callable[..., list[Any]]:
    """Read a file (path, text or bytes) by a reader; the items as a list. ``a__b`` names the option ``a.b``."""

    def items(
        reader: Reader,
        content: Path | bytes | str,
        *,
        zone: str = "UTC",
        source: str = "test",
        settings: Any = None,
        **options: str,
    ) -> list[ReadItem]:
        data = content.read_bytes() if isinstance(content, Path) else content.encode() if isinstance(content, str) else content
        named = {name.replace("__", "."): value for name, value in options.items()}
        request = ReadRequest(file="file", source=source, zone=zone, options=named, settings=settings)
        return list(reader.read(io.BytesIO(data), request))

    return items


@pytest.fixture(scope="session", autouse=True)
def _statements_shared() -> Iterator[None]:
    with statements_shared():
        yield
