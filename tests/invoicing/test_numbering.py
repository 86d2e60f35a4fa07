from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.invoicing.draft import DocumentKind
from billing_framework.invoicing.numbering import NumberSeries, in_posting_order, number_gaps, plan_numbers
from billing_framework.values.errors import ConfigurationError
from tests.invoicing.drafts import draft

INVOICES = NumberSeries(book="main", kind=DocumentKind.INVOICE, prefix="INV-{year}-", reset="year")
CREDITS = NumberSeries(book="main", kind=DocumentKind.CREDIT_NOTE, prefix="CN-", width=4)


def test_a_number_shows_its_fiscal_year_and_counter() -> None:
    assert INVOICES.format_number(42, date(2026, 8, 3)) == "INV-2026-000042"
    assert INVOICES.format_number(1234567, date(2026, 8, 3)) == "INV-2026-1234567"
    april = NumberSeries(book="main", kind=DocumentKind.INVOICE, prefix="{year}/", reset="year", year_month=4)
    assert april.format_number(1, date(2026, 3, 31)) == "2026/000001"
    assert april.format_number(1, date(2026, 4, 1)) == "2027/000001"


def test_a_series_without_reset_counts_on_over_the_years() -> None:
    endless = NumberSeries(book="main", kind=DocumentKind.INVOICE, prefix="R{year}-", width=3)
    documents = [draft(("a", "1.00", "0"), key=1, issue_on=day) for day in (date(2026, 12, 31), date(2027, 1, 1))]
    assert [item.number for item in plan_numbers(documents, [endless], {}).numbers] == ["R2026-001", "R2027-002"]


def test_a_block_is_gapless_per_series_and_year() -> None:
    documents = [
        draft(("a", "1.00", "0"), key=1, issue_on=date(2026, 12, 31)),
        draft(("a", "1.00", "0"), key=2, issue_on=date(2026, 12, 31), kind=DocumentKind.CREDIT_NOTE),
        draft(("a", "1.00", "0"), key=3, issue_on=date(2027, 1, 1)),
        draft(("a", "1.00", "0"), key=4, issue_on=date(2027, 1, 1)),
    ]
    block = plan_numbers(documents, [INVOICES, CREDITS], {"INV-2026-": 8, "OTHER-": 3})
    assert [(item.document, item.number) for item in block.numbers] == [
        (1, "INV-2026-000008"),
        (2, "CN-0001"),
        (3, "INV-2027-000001"),
        (4, "INV-2027-000002"),
    ]
    assert block.after == {"CN-": 2, "INV-2026-": 9, "INV-2027-": 3}


@given(st.permutations(range(6)))
def test_numbers_follow_date_and_account_however_documents_were_computed(order: list[int]) -> None:
    documents = [draft(("a", "1.00", "0"), key=key, issue_on=date(2026, 8, 3 - key % 2)) for key in order]
    block = plan_numbers(in_posting_order(documents), [INVOICES], {})
    assert [item.document for item in block.numbers] == [1, 3, 5, 0, 2, 4]


@pytest.mark.parametrize(
    "wrong", [{"prefix": "INV-", "reset": "year"}, {"prefix": "I", "reset": "monthly"}, {"prefix": "I", "width": 0}]
)
def test_a_series_that_would_repeat_numbers_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match="INVOICE11"):
        NumberSeries(book="main", kind=DocumentKind.INVOICE, **wrong)  # type: ignore[arg-type]


def test_a_kind_without_series_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="INVOICE12 the book main has no number series for the kind invoice"):
        plan_numbers([draft(("a", "1.00", "0"))], [CREDITS], {})


def test_gaps_and_doubles_are_found() -> None:
    assert number_gaps({"A-": [2, 1, 3]}, {"A-": 4}) == []
    assert number_gaps({}, {}) == []
    assert [finding.subject for finding in number_gaps({"A-": [1, 3], "B-": [1, 1], "C-": [1]}, {"A-": 4, "B-": 2})] == [
        "A-",
        "B-",
        "C-",
    ]
    assert "[2]" in number_gaps({"A-": [1, 3]}, {"A-": 4})[0].what
