from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.form import Form, change, fill
from billing_framework.accounts.forms import ACCOUNT, AGREEMENT, ASSIGNMENT, PARTY
from billing_framework.accounts.party import Address, Party

SMALLEST = {"code": "A-1", "party": "P-1", "book": "US", "currency": "USD"}


def codes(form: Form[Any], texts: dict[str, str]) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in fill(form, texts).findings]


def test_the_smallest_account_takes_its_defaults() -> None:
    filled = fill(ACCOUNT, SMALLEST)

    assert filled.findings == ()
    assert filled.value == Account(code="A-1", party="P-1", book="US", currency="USD")


@pytest.mark.parametrize("field", ["code", "party", "book", "currency"])
def test_an_account_without_a_required_field_is_no_account(field: str) -> None:
    filled = fill(ACCOUNT, {**SMALLEST, field: ""}, file="accounts.csv", line=7)

    [finding] = filled.findings
    assert filled.value is None
    assert (finding.code, finding.field, finding.file, finding.line) == ("ACCOUNT01", field, "accounts.csv", 7)
    assert finding.remedy


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("code", "A 1", "ACCOUNT02"),
        ("code", "A|1", "ACCOUNT02"),
        ("code", "x" * 65, "ACCOUNT02"),
        ("code", "Ä1", "ACCOUNT02"),
        ("currency", "USX", "VALUE05"),
        ("currency", "usd", "VALUE05"),
        ("zone", "Europe/Zuerich", "VALUE15"),
        ("locale", "xx_YY", "ACCOUNT02"),
        ("cycle", "monthly:32", "VALUE17"),
        ("cycle", "monthly", "VALUE17"),
        ("due_days", "-1", "ACCOUNT02"),
        ("due_days", "14.0", "ACCOUNT02"),
        ("due_days", "1e3", "ACCOUNT02"),
        ("due_days", "9999", "ACCOUNT02"),
        ("payer", "mother", "ACCOUNT02"),
        ("tax_status", "exampt", "ACCOUNT02"),
        ("allocation", "newest", "ACCOUNT02"),
        ("status", "open", "ACCOUNT02"),
    ],
)
def test_a_wrong_field_is_a_finding_with_its_value_and_a_remedy(field: str, text: str, code: str) -> None:
    filled = fill(ACCOUNT, {**SMALLEST, field: text})

    [finding] = filled.findings
    assert (finding.code, finding.field, finding.value) == (code, field, text)
    assert finding.stops
    assert finding.remedy


def test_every_wrong_field_is_found_at_once() -> None:
    texts = {**SMALLEST, "currency": "", "zone": "Mars", "nonsense": "x"}

    assert codes(ACCOUNT, texts) == [("ACCOUNT01", "currency"), ("VALUE15", "zone"), ("ACCOUNT03", "nonsense")]


def test_a_misspelt_field_offers_the_nearest_one() -> None:
    [finding] = fill(ACCOUNT, {**SMALLEST, "curency": "USD"}).findings

    assert finding.remedy == "Did you mean 'currency'?"


def test_a_cycle_is_kept_in_its_canonical_text_so_that_runs_find_it() -> None:
    first = fill(ACCOUNT, {**SMALLEST, "cycle": "monthly:01"}).value
    custom = fill(ACCOUNT, {**SMALLEST, "cycle": "custom:retail-445"}).value

    assert first is not None
    assert first.cycle == "monthly:1"
    assert custom is not None
    assert custom.cycle == "custom:retail-445"


@pytest.mark.parametrize(
    ("texts", "code", "field"),
    [
        ({"parent": "A-1"}, "ACCOUNT04", "parent"),
        ({"payer": "parent"}, "ACCOUNT04", "payer"),
        ({"tax_status": "exempt"}, "ACCOUNT13", "exemption"),
        ({"tax_status": "reverse_charge"}, "ACCOUNT13", "exemption"),
    ],
)
def test_rules_over_several_fields(texts: dict[str, str], code: str, field: str) -> None:
    assert codes(ACCOUNT, {**SMALLEST, **texts}) == [(code, field)]


def test_a_party_keeps_its_street_lines_in_order() -> None:
    filled = fill(PARTY, {"code": "P-1", "name": "Ada Ohm", "street": "Flat 2", "street2": "4 Volt Street", "country": "AU"})

    assert filled.value == Party(code="P-1", name="Ada Ohm", address=Address(lines=("Flat 2", "4 Volt Street"), country="AU"))


@pytest.mark.parametrize(("field", "text"), [("email", "ada at home"), ("name", "Ada\nOhm"), ("tax_id", "\x00"), ("city", " x")])
def test_a_finding_never_repeats_personal_data(field: str, text: str) -> None:
    [finding] = fill(PARTY, {"code": "P-1", "name": "Ada", field: text}).findings

    assert finding.field == field
    assert finding.value == ""
    assert text not in finding.what


@pytest.mark.parametrize("text", ["XX", "EU", "us", "USA", "ZZ"])
def test_a_country_is_a_code_of_iso_3166(text: str) -> None:
    assert codes(PARTY, {"code": "P-1", "name": "Ada", "country": text}) == [("ACCOUNT02", "country")]


def test_an_agreement_takes_terms_and_refuses_an_end_before_its_start() -> None:
    texts = {"code": "G-1", "account": "A-1", "plan": "basic", "starts_on": "2026-01-01", "term.kw": "5", "term.tariff": ""}

    assert fill(AGREEMENT, texts).value == Agreement(
        code="G-1", account="A-1", plan="basic", starts_on=date(2026, 1, 1), terms={"kw": "5"}
    )
    assert codes(AGREEMENT, {**texts, "ends_on": "2026-01-01"}) == [("ACCOUNT05", "ends_on")]
    assert codes(AGREEMENT, {**texts, "starts_on": "01.01.2026"}) == [("ACCOUNT02", "starts_on")]
    assert codes(AGREEMENT, {**texts, "starts_on": "2026-02-30"}) == [("ACCOUNT02", "starts_on")]
    assert codes(AGREEMENT, {**texts, "term.": "x"}) == [("ACCOUNT03", "term.")]


def test_an_agreement_without_a_plan_is_refused() -> None:
    texts = {"code": "G-1", "account": "A-1", "starts_on": "2026-01-01"}

    assert codes(AGREEMENT, texts) == [("ACCOUNT01", "plan")]


def test_an_assignment_keeps_the_identifier_exactly_as_records_carry_it() -> None:
    texts = {"subject": "QB 00/01#x", "agreement": "G-1", "starts_on": "2026-01-01", "detail.multiplier": "40"}
    value = fill(ASSIGNMENT, texts).value

    assert value is not None
    assert value.subject == "QB 00/01#x"
    assert value.details == {"multiplier": "40"}


def test_a_change_keeps_the_other_fields_and_an_empty_text_takes_the_default_back() -> None:
    account = Account(code="A-1", party="P-1", book="US", currency="USD", due_days=30, locale="de_DE")

    changed = change(ACCOUNT, account, {"due_days": "", "zone": "Europe/Berlin"})

    assert changed.value == Account(
        code="A-1", party="P-1", book="US", currency="USD", due_days=14, locale="de_DE", zone="Europe/Berlin"
    )


@given(st.dictionaries(st.sampled_from([*ACCOUNT.names, "x"]), st.text(max_size=20)))
def test_whatever_is_given_becomes_a_value_or_findings(texts: dict[str, str]) -> None:
    filled = fill(ACCOUNT, texts)

    assert (filled.value is None) == any(finding.stops for finding in filled.findings)


@given(
    st.builds(
        Account,
        code=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:/+#@~-]{0,10}", fullmatch=True),
        party=st.just("P-1"),
        book=st.just("US"),
        currency=st.sampled_from(["USD", "JPY", "KWD"]),
        locale=st.sampled_from(["en_US", "de_DE", "de_CH"]),
        zone=st.sampled_from(["UTC", "Europe/Zurich", "America/New_York"]),
        cycle=st.sampled_from(["monthly:31", "weekly:2:2026-01-05", "quarterly:1", "read-date"]),
        due_days=st.integers(0, 365),
    )
)
def test_what_is_written_is_read_back_equal(account: Account) -> None:
    assert fill(ACCOUNT, ACCOUNT.write(account)).value == account
