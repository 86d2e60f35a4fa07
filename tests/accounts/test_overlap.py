from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.overlap import life_finding, overlap_findings

START = date(2026, 1, 1)


def one(first: int, last: int | None, subject: str = "M1") -> Assignment:
    ends_on = None if last is None else START + timedelta(days=last)
    return Assignment(subject=subject, agreement="G1", starts_on=START + timedelta(days=first), ends_on=ends_on)


def test_assignments_that_follow_each_other_do_not_overlap() -> None:
    assert overlap_findings([one(0, 10), one(10, 20), one(20, None), one(0, None, "M2")]) == []


def test_an_assignment_without_end_overlaps_all_later_ones() -> None:
    [(late, finding)] = overlap_findings([one(0, None), one(50, 60)])

    assert late == one(50, 60)
    assert finding.code == "ACCOUNT07"
    assert "without end" in finding.what
    assert "2026-02-20" in finding.remedy


spans = st.lists(st.tuples(st.integers(0, 12), st.one_of(st.none(), st.integers(1, 6))), max_size=6, unique_by=lambda x: x[0])


@given(spans)
def test_overlaps_are_found_exactly_where_two_hold_one_day(given_spans: list[tuple[int, int | None]]) -> None:
    held = [one(first, None if length is None else first + length) for first, length in given_spans]
    days = [
        [day for day in range(40) if first <= day and (length is None or day < first + length)] for first, length in given_spans
    ]
    doubled = any(set(left) & set(right) for place, left in enumerate(days) for right in days[place + 1 :])

    assert bool(overlap_findings(held)) == doubled


def test_an_assignment_stays_within_its_agreement() -> None:
    agreement = Agreement(code="G1", account="A1", plan="p", starts_on=START, ends_on=START + timedelta(days=10))

    assert life_finding(one(0, 10), agreement) is None
    assert life_finding(one(2, 5), agreement) is None
    for outside in (one(-1, 5), one(0, 11), one(0, None)):
        finding = life_finding(outside, agreement)
        assert finding is not None
        assert finding.code == "ACCOUNT06"
