from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.values.errors import StorageError, ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money
from billing_framework.values.plain_form import (
    canonical_json,
    from_plain,
    json_string,
    text_of_plain,
    to_plain,
    to_terse,
    to_text,
)


@attrs.frozen(kw_only=True)
class Thing:
    number: int = 0
    share: Fraction = Fraction(1)
    price: Money | None = None
    on: date = date(2026, 1, 1)
    at: datetime | None = None
    days: frozenset[date] = frozenset()
    parts: tuple[int, ...] = ()
    took: timedelta = timedelta(0)


FULL = Thing(
    number=3,
    share=Fraction(1, 3),
    price=Money(-5, "EUR"),
    on=date(2026, 2, 28),
    at=datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    days=frozenset({date(2026, 5, 1), date(2026, 1, 1)}),
    parts=(1, 2),
    took=timedelta(days=2, seconds=3, microseconds=50),
)


@pytest.mark.parametrize("thing", [Thing(), FULL])
def test_what_is_written_is_read_back_equal(thing: Thing) -> None:
    assert from_plain(to_plain(thing), Thing) == thing
    assert from_plain(to_terse(thing), Thing) == thing


def test_a_field_at_its_default_says_nothing_so_that_a_later_field_changes_no_digest() -> None:
    assert to_text(Thing(number=3)) == '{"number":3}'
    assert to_plain(Thing())["number"] == 0
    later = attrs.make_class("Later", {"note": attrs.field(type=str, default=""), "number": attrs.field(type=int, default=0)})
    assert to_text(later(number=3)) == to_text(Thing(number=3))


def test_a_length_of_time_is_told_in_seconds() -> None:
    assert to_plain(timedelta(minutes=1, microseconds=1500)) == "60.0015"


@pytest.mark.parametrize(("minor", "currency"), [(-5, "EUR"), (-1234, "JPY"), (0, "KWD"), (1_000_005, "USD"), (-100, "EUR")])
def test_money_keeps_its_sign_and_decimals(minor: int, currency: str) -> None:
    money = Money(minor, currency)
    assert from_plain(to_plain(money), Money) == money


@pytest.mark.parametrize("data", [{"price": 1.5}, [1e20], {1.5: "x"}, 0.5, [float("nan")], {"a": Fraction(1, 3)}])
def test_a_float_has_no_exact_text(data: object) -> None:
    with pytest.raises((ValueRefused, ValueError), match="STORAGE15"):
        canonical_json(data)  # type: ignore[arg-type]


def test_text_that_looks_like_a_float_is_text() -> None:
    assert canonical_json({"a": "x:1.5", "1.5": ["2.5e7"]}) == '{"1.5":["2.5e7"],"a":"x:1.5"}'


@pytest.mark.parametrize("text", ["", 'Müller "& Söhne" \\ 東京', "a\nb\x00\u2028", "\ud800", "1.5"])
def test_a_text_is_written_alone_as_it_is_within_a_list(text: str) -> None:
    assert f"[{json_string(text)}]" == canonical_json([text])


_ALONE = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=()))
_PLAIN = st.recursive(_ALONE, lambda part: st.lists(part) | st.dictionaries(st.text(st.characters(exclude_categories=())), part))


@given(_PLAIN)
def test_plain_data_has_one_text_whoever_writes_it(data: object) -> None:
    assert text_of_plain(data) == canonical_json(data)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data", [2**63, -(2**63), 2**64, {3: "x", 1: None}, {"ä": 1, "z": 2, "\uffff": 3, "\U0001f600": 4}, ((1,),)]
)
def test_what_is_out_of_the_ordinary_has_the_same_text(data: object) -> None:
    assert text_of_plain(data) == canonical_json(data)  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [None, 3, "text", [], {}, {"odd": 1}, {"account": []}, {"code": "X", "what": "w", "more": 1}])
def test_what_was_never_written_is_refused_and_not_quoted(data: object) -> None:
    with pytest.raises(StorageError, match="STORAGE21 a stored Finding cannot be read") as refused:
        from_plain(data, Finding)
    assert refused.value.remedy
    with pytest.raises(StorageError, match="STORAGE21 a stored list"):
        from_plain([data], list[Finding])


@pytest.mark.parametrize(("data", "cls"), [("1/0", Fraction), ("x", date), ("5.00", Money), ("5 XXXX", Money), (5, datetime)])
def test_a_value_that_was_never_written_is_refused(data: object, cls: type) -> None:
    with pytest.raises(StorageError, match="STORAGE21"):
        from_plain(data, cls)
