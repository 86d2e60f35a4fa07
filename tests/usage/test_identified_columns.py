"""Digests of columns are those of the records, however the numbers that they hold are written."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.usage.columnar.identity import identified
from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.content import content_digest
from billing_framework.values.instant import microseconds_of
from tests.usage.stays import NOON, RULES, stay

NEAR = st.integers(-3, 3)
FAR = st.integers(-(2**63), 2**63 - 1)


def rows_of(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[list[list[int]]]:
    """Rows of one length, as days of a meter are, or of several."""
    even = st.integers(0, 4).flatmap(lambda count: st.lists(st.lists(numbers, min_size=count, max_size=count), max_size=9))
    return even | st.lists(st.lists(numbers, max_size=4), max_size=9)


@given(rows_of(NEAR) | rows_of(FAR))
def test_packed_numbers_of_columns_have_the_digest_of_their_records(rows: list[list[int]]) -> None:
    count, noon = len(rows), microseconds_of(NOON)
    frame = pl.DataFrame(
        {
            "line": list(range(1, count + 1)),
            "external_id": [f"T{place}" for place in range(count)],
            "subject": ["CARD-1"] * count,
            "start": [noon] * count,
            "end": [noon] * count,
            "weights": rows,
        },
        schema_overrides={"line": pl.Int64, "start": pl.Int64, "end": pl.Int64, "weights": pl.List(pl.Int64)},
    ).cast({"external_id": pl.String, "subject": pl.String})
    columns = RecordColumns(kind="stay", source="gate", frame=frame, constants={"minutes": 30})
    found = identified(columns, RULES["stay"])
    assert [bytes(digest) for digest in found.digests] == [
        content_digest(stay(weights=tuple(row)), RULES["stay"].fields) for row in rows
    ]
