from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.book import ROLES, BookProfile, mapped
from billing_framework.accounts.book_file import read_book, unmapped_findings
from billing_framework.invoicing.mapping import ROLES as ENTRY_ROLES
from billing_framework.ledger.chart import AccountType, Floor
from billing_framework.values.finding import Finding

BOOK = """\
[book]
code = "US"
name = "Example Energy"
currency = "USD"
zone = "America/Chicago"

[book.seller]
name = "Example Energy LLC"
address = { lines = ["1 Main Street"], city = "Dallas", country = "US" }

[[book.series]]
kind = "invoice"
prefix = "INV-{year}-"

[[book.series]]
kind = "credit_note"
prefix = "CN-"
reset = "never"

[[book.account]]
code = "1000"
name = "Bank"
type = "asset"
role = "bank"

[[book.account]]
code = "1200"
name = "Receivables"
type = "asset"
role = "receivable"
control_of = "receivable"

[[book.account]]
code = "2100"
name = "Suspense"
type = "liability"
role = "suspense"

[[book.account]]
code = "2200"
name = "Deposits"
type = "liability"
role = "deposits"
floor = "no_debit"

[[book.account]]
code = "3000"
name = "Opening"
type = "equity"
role = "opening"

[[book.account]]
code = "4000"
name = "Sales"
type = "income"

[[book.account]]
code = "6100"
name = "Write-offs"
type = "expense"
role = "write_off"

[book.charges]
"service.*" = "4000"

[book.taxes]
sales = "2100"
"""


def read(text: str) -> tuple[BookProfile | None, list[Finding]]:
    return read_book(text.encode(), "book.toml")


def test_a_book_becomes_what_ledger_and_invoicing_need() -> None:
    profile, findings = read(BOOK)

    assert findings == []
    assert profile is not None
    assert profile.ledger_book.key == "US"
    assert profile.chart.account("2200").floor is Floor.NO_DEBIT
    assert profile.chart.account("4000").type is AccountType.INCOME
    assert profile.with_role("receivable") == "1200"
    assert profile.with_role("trust") == ""
    assert profile.revenue_account("service.fixed") == "4000"
    assert profile.revenue_account("energy") == ""
    assert profile.tax_account("sales") == "2100"


def test_the_roles_are_those_that_entries_ask_for() -> None:
    assert set(ROLES) == set(ENTRY_ROLES)


def test_the_longest_beginning_of_a_code_wins() -> None:
    mapping = {"*": "1", "a.*": "2", "a.b.*": "3", "a.b.c": "4"}

    assert [mapped(code, mapping) for code in ("x", "a", "a.x", "a.b", "a.b.x", "a.b.c", "a.b.c.d")] == [
        "1", "1", "2", "2", "3", "4", "3",
    ]  # fmt: skip
    assert mapped("x", {}) == ""


@pytest.mark.parametrize(
    ("old", "new", "code", "field", "line"),
    [
        ('code = "US"', 'code = "U S"', "BOOK03", "book.code", 2),
        ('currency = "USD"', 'currency = "DOLLAR"', "BOOK03", "book.currency", 4),
        ('currency = "USD"\n', "", "BOOK02", "book.currency", 1),
        ('zone = "America/Chicago"', 'zone = "America/Chikago"', "BOOK03", "book.zone", 5),
        ('country = "US"', 'country = "USA"', "BOOK03", "book.seller.address.country", 9),
        ('kind = "invoice"', 'kind = "invoise"', "BOOK04", "book.series", 1),
        ('prefix = "INV-{year}-"', 'prefix = "INV-"', "BOOK04", "book.series[1].prefix", 13),
        ('prefix = "INV-{year}-"', 'prefix = "CN-"', "BOOK04", "book.series[2].prefix", 17),
        ('prefix = "INV-{year}-"', 'prefix = "INV-{year}-{month}"', "BOOK04", "book.series[1].prefix", 13),
        ('prefix = "INV-{year}-"', f'prefix = "INV-{{year}}-{"x" * 40}"', "BOOK04", "book.series[1].prefix", 13),
        ('name = "Example Energy"', 'name = ""', "BOOK03", "book.name", 3),
        ('name = "Example Energy LLC"', 'name = ""', "BOOK03", "book.seller.name", 8),
        ('city = "Dallas"', 'city = "\\u001b[2J"', "BOOK03", "book.seller.address.city", 9),
        ('name = "Receivables"', 'name = ""', "BOOK03", "book.account[2].name", 28),
        ('control_of = "receivable"', 'control_of = "receivables"', "BOOK05", "book.account[2].control_of", 31),
        ("[[book.series]]", '[book.bank]\nbic = "X"\n[[book.series]]', "BOOK03", "book.bank.bic", 12),
        ('prefix = "INV-{year}-"', 'prefix = "INV-{year}-"\nwidth = 0', "BOOK04", "book.series[1].prefix", 13),
        ('reset = "never"', 'reset = "nevr"', "BOOK03", "book.series[2].reset", 18),
        ('code = "1200"', 'code = "1000"', "BOOK05", "book.account[2].code", 27),
        ('role = "suspense"', 'role = "suspence"', "BOOK05", "book.account[3].role", 37),
        ('role = "suspense"', "", "BOOK05", "book.account", 1),
        ('role = "suspense"', 'role = "bank"', "BOOK05", "book.account", 1),
        ('floor = "no_debit"', "", "BOOK05", "book.account[4].role", 43),
        ('floor = "no_debit"', "floor = true", "BOOK03", "book.account[4].floor", 44),
        ('"service.*" = "4000"', '"service.*" = "4999"', "BOOK05", "book.charges.service.*", 64),
        ('"service.*" = "4000"', '"service*" = "4000"', "BOOK05", "book.charges.service*", 64),
        ('sales = "2100"', "sales = 2100", "BOOK03", "book.taxes.sales", 67),
        ("[book.seller]", "[book.sellar]", "BOOK02", "book.sellar", 7),
    ],
)
def test_a_mistake_is_found_with_its_place_and_a_remedy(old: str, new: str, code: str, field: str, line: int) -> None:
    assert old in BOOK
    profile, findings = read(BOOK.replace(old, new, 1))

    assert profile is None
    assert (code, field) in [(one.code, one.field) for one in findings]
    found = next(one for one in findings if (one.code, one.field) == (code, field))
    assert found.remedy
    assert found.file == "book.toml"
    assert found.line == line


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[book\n", b"x = 1.5", b"book = 3"])
def test_what_is_no_book_is_told_so(content: bytes) -> None:
    profile, findings = read_book(content, "book.toml")

    assert profile is None
    assert findings
    assert all(re.fullmatch(r"BOOK0[123]", one.code) and one.stops for one in findings)


def test_codes_without_an_account_block() -> None:
    profile, _ = read(BOOK)
    assert profile is not None

    found = unmapped_findings(profile, {"service.x": "plan a@1", "energy": "plan b@1"}, {"vat": "tax rate vat of DE"})

    assert [(one.code, one.field, one.value) for one in found] == [
        ("BOOK06", "book.charges", "energy"),
        ("BOOK06", "book.taxes", "vat"),
    ]
    assert all(one.stops for one in found)
    assert "plan b@1" in found[0].what


@given(st.text(max_size=300))
def test_any_text_is_a_book_or_findings(text: str) -> None:
    profile, findings = read(text)

    assert (profile is None) == bool(findings)


@given(st.integers(0, len(BOOK) - 1), st.characters(codec="utf-8"))
def test_one_changed_character_never_breaks_the_reader(place: int, other: str) -> None:
    profile, findings = read(BOOK[:place] + other + BOOK[place + 1 :])

    assert (profile is None) == bool(findings)
