from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.identifier_range import IdentifierRange, merged, range_of, span_of_subject, with_members
from billing_framework.accounts.overlap import overlap_findings
from billing_framework.values.errors import ValueRefused


def test_a_range_holds_identifiers_of_its_length_and_shape_only() -> None:
    span = range_of("EX-4900..EX-4919")

    assert span is not None
    assert [span.holds(name) for name in ("EX-4900", "EX-4910", "EX-4919")] == [True] * 3
    assert [span.holds(name) for name in ("EX-4920", "EX-49001", "EX-490", "EX-49x0", "ey-4910", "EX-49\u0661\u0661")] == [
        False
    ] * 6


def test_an_identifier_without_two_full_stops_is_no_range() -> None:
    assert range_of("EX-1.2") is None
    assert span_of_subject("EX-1.2") == IdentifierRange("EX-1.2", "EX-1.2")


@pytest.mark.parametrize("subject", ["1..10", "19..10", "10..10", "A0..B0", "..", "1..", "1..2..3", "A1x..A2x"])
def test_what_is_no_sound_range_is_refused(subject: str) -> None:
    with pytest.raises(ValueRefused, match="no range of identifiers") as refused:
        range_of(subject)

    assert refused.value.code == "ACCOUNT21"


numbers = st.integers(0, 40).map(lambda number: f"{number:02d}")


@given(st.tuples(numbers, numbers), st.tuples(numbers, numbers))
def test_ranges_meet_exactly_where_an_identifier_is_in_both(one: tuple[str, str], other: tuple[str, str]) -> None:
    left, right = IdentifierRange(min(one), max(one)), IdentifierRange(min(other), max(other))
    every = [f"{number:02d}" for number in range(100)]

    assert left.meets(right) == any(left.holds(name) and right.holds(name) for name in every)


def held(subject: str, starts: int, ends: int | None = None) -> Assignment:
    return Assignment(
        subject=subject, agreement="G", starts_on=date(2026, starts, 1), ends_on=None if ends is None else date(2026, ends, 1)
    )


@pytest.mark.parametrize(
    ("first", "second", "overlaps"),
    [
        (held("10..19", 1), held("15", 3), True),
        (held("10..19", 1, 3), held("15", 3), False),
        (held("15", 1, 4), held("10..19", 3), True),
        (held("10..19", 1), held("20", 1), False),
        (held("10..19", 1), held("15..24", 2), True),
        (held("10..19", 1), held("150", 2), False),
        (held("10..49", 1), held("20..29", 2), True),
    ],
)
def test_a_range_and_what_is_in_it_have_one_agreement_at_a_time(first: Assignment, second: Assignment, *, overlaps: bool) -> None:
    found = overlap_findings([second, first, held("99", 1)])

    assert bool(found) == overlaps
    if overlaps:
        [(late, finding)] = found
        assert late == second
        assert first.subject in finding.what


def test_a_range_is_followed_by_its_members_that_delivered() -> None:
    found = with_members([held("10..19", 1), held("30", 1)], ["12", "11", "30", "120"])

    assert [(one.subject, one.within) for one in found] == [("10..19", ""), ("11", "10..19"), ("12", "10..19"), ("30", "")]


@pytest.mark.parametrize(
    ("subjects", "shown"),
    [
        (("4930200..4930209", "4930200..4930219", "4930205", "4930200..4930209"), ("4930200..4930219",)),
        (("4930215..4930229", "4930200..4930219"), ("4930200..4930229",)),
        (("4930200..4930209", "4930210..4930219"), ("4930200..4930209", "4930210..4930219")),
        (("M-2", "M-1", "M-2"), ("M-1", "M-2")),
        (("2..4", "12", "1..3"), ("1..4", "12")),
        (("A9", "A10"), ("A10", "A9")),
        ((), ()),
    ],
)
def test_ranges_that_share_identifiers_are_shown_as_one(subjects: tuple[str, ...], shown: tuple[str, ...]) -> None:
    assert merged(subjects) == shown
