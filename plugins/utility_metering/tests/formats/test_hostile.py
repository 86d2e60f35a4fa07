"""Damaged files give findings, bad records or a refusal, and never any other exception."""

import contextlib
import io
from pathlib import Path

import pytest
from billing_utility_metering.formats.green_button import GREEN_BUTTON
from billing_utility_metering.formats.nem12_reader import NEM12
from billing_utility_metering.formats.nem13 import NEM13
from billing_utility_metering.formats.register_csv import REGISTER_CSV
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from billing_framework import BadRecord, Coverage, Finding, InputRefused, Reader, ReadRequest, Usage
from tests.properties import examples

DATA = Path(__file__).parents[1] / "data"
SEEDS = {
    "nem12": (NEM12, (DATA / "nem12_three_days.csv").read_bytes()),
    "nem13": (NEM13, (DATA / "nem13_reads.csv").read_bytes()),
    "green_button": (GREEN_BUTTON, (DATA / "green_button_hours.xml").read_bytes()),
    "register_csv": (REGISTER_CSV, (DATA / "registers.csv").read_bytes()),
}
BYTES = st.sampled_from(
    [b"", b"\0", b"\xff", b"-", b",", b"9" * 30, b"\n", b"<", b">", b"V", b"1e9", b".", b"&#x0;", b"100", b"900", b'"']
)
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 40), BYTES | st.binary(max_size=8)), min_size=1, max_size=4)


def damaged(seed: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    for place, length, replacement in damage:
        start = int(place * len(seed))
        seed = seed[:start] + replacement + seed[start + length :]
    return seed


def swallow(reader: Reader, content: bytes) -> None:
    request = ReadRequest(file="file", source="test", zone="America/New_York")
    items: list[object] = []
    with contextlib.suppress(InputRefused):
        items.extend(reader.read(io.BytesIO(content), request))
    for item in items:
        assert isinstance(item, Usage | BadRecord | Finding | Coverage)
        if isinstance(item, Coverage):
            assert 0 <= item.received <= item.expected


@pytest.mark.parametrize("name", SEEDS)
@given(damage=DAMAGE)
@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(damage=[(0.0, 0, b"")])
def test_mutated_files_never_raise_anything_but_a_refusal(name: str, damage: list[tuple[float, int, bytes]]) -> None:
    reader, seed = SEEDS[name]
    swallow(reader, damaged(seed, damage))


@pytest.mark.parametrize("name", SEEDS)
@given(content=st.binary(max_size=200))
@settings(max_examples=examples(60), deadline=None)
def test_any_bytes_at_all_never_raise_anything_but_a_refusal(name: str, content: bytes) -> None:
    swallow(SEEDS[name][0], content)
