"""Column types refuse what they could not give back unchanged."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.storage.column_types import (
    Day,
    ExactText,
    Instant,
    JsonText,
    Scattered,
    Whole,
    canonical_json,
    microseconds,
)
from billing_framework.values.errors import Conflict, ValueRefused

_DIALECTS = [sa.make_url(url).get_dialect()() for url in ("sqlite://", "postgresql+psycopg://")]


@given(st.fractions())
def test_exact_numbers_come_back(number: Fraction) -> None:
    for dialect in _DIALECTS:
        text = ExactText().process_bind_param(number, dialect)
        assert ExactText().process_result_value(text, dialect) == number


@given(st.datetimes(timezones=st.timezones()))
def test_instants_come_back_as_the_same_instant_in_utc(instant: dt.datetime) -> None:
    for dialect in _DIALECTS:
        stored = Instant().process_bind_param(instant, dialect)
        back = Instant().process_result_value(stored, dialect)
        assert back == instant.astimezone(dt.UTC)
        assert back is not None
        assert back.tzinfo is dt.UTC


@given(st.lists(st.dates(), min_size=2))
def test_dates_sort_as_their_text(dates: list[dt.date]) -> None:
    texts = [Day().process_bind_param(date, _DIALECTS[0]) for date in dates]
    assert sorted(texts) == [Day().process_bind_param(date, _DIALECTS[0]) for date in sorted(dates)]


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueRefused, match="STORAGE14"):
        microseconds(dt.datetime(2026, 1, 1))  # noqa: DTZ001 - what is refused


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_json_has_one_text(data: object) -> None:
    text = canonical_json(data)  # type: ignore[arg-type]
    assert JsonText().process_result_value(text, _DIALECTS[0]) == data
    assert canonical_json(JsonText().process_result_value(text, _DIALECTS[0])) == text


@pytest.mark.parametrize("data", [1.5, {"a": [1.0]}, {"a": Fraction(1, 3)}, {1.5: 1}])
def test_json_takes_no_float(data: object) -> None:
    with pytest.raises(ValueRefused, match="STORAGE15"):
        canonical_json(data)  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "stand"), [(Whole, [-1, 2, 3]), (Scattered, [3, -1, 2])])
def test_sqlite_keeps_rows_of_scattered_keys_as_they_came(kind: type[Whole], stand: list[int]) -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("key", kind, primary_key=True, autoincrement=False), sqlite_strict=True)
    with sa.create_engine("sqlite://").begin() as connection:
        table.create(connection)
        for key in (3, -1, 2):
            connection.execute(table.insert(), {"key": key})
        assert list(connection.scalars(sa.text("SELECT key FROM t NOT INDEXED"))) == stand
        with pytest.raises((sa.exc.IntegrityError, Conflict)):  # the latter where a database of ours was opened before
            connection.execute(table.insert(), {"key": 2})
