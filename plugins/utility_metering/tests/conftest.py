"""What the tests of the plugin share: its own files, and the third-party samples that are not part of the repository."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from billing_framework import Reader, ReadItem, ReadRequest

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[2]


@pytest.fixture
def data() -> Path:
    """The folder of files made for these tests."""
    return HERE / "data"


@pytest.fixture
def sample() -> Callable[[str], Path]:
    """Path of a third-party sample; skips, saying why, where the samples are not on this machine."""
    folder = Path(os.environ.get("BILLING_SAMPLES", REPOSITORY.parent / "shared" / "samples")) / "utility"

    def find(name: str) -> Path:
        path = folder / name
        if not path.is_file():
            pytest.skip(f"the third-party sample {name} is not at {folder}; set BILLING_SAMPLES to the folder of samples")
        return path

    return find


@pytest.fixture
def read() -> Callable[..., list[Any]]:
    """Read a file (path or bytes) by a reader and its options; the items as a list."""

    def items(reader: Reader, content: Path | bytes, *, zone: str = "UTC", **options: str) -> list[ReadItem]:
        data = content if isinstance(content, bytes) else content.read_bytes()
        named = {name.replace("__", "."): value for name, value in options.items()}
        return list(reader.read(io.BytesIO(data), ReadRequest(file="file", source="test", zone=zone, options=named)))

    return items
