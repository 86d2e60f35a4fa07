from datetime import date

import attrs
import pytest

from billing_framework.invoicing.credit_note import credit_note
from billing_framework.invoicing.entries import document_entry, entry_columns
from billing_framework.invoicing.figures import figures_of
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.values.errors import ConfigurationError, LedgerRefused
from billing_framework.values.money import Rounding
from tests.invoicing.drafts import ACCOUNT, draft, issued

MAPPING = ChartMapping(
    book="main",
    charges={"energy.*": "4000", "energy.usage": "4010", "*": "4999"},
    taxes={"vat19": "2200", "vat7": "2207"},
    roles={"receivable": "1200", "rounding": "4900"},
)


def lines(content: object) -> list[tuple[str, str]]:
    entry = document_entry(content, MAPPING)  # type: ignore[arg-type]
    assert entry is not None
    return [(posting.gl_account, str(posting.money)) for posting in entry.postings]


def test_receivable_against_revenue_and_taxes() -> None:
    content = draft(("a", "100.00", "19"), ("b", "50.00", "7"), key=5)
    assert lines(content) == [("1200", "172.50 EUR"), ("4010", "-150.00 EUR"), ("2200", "-19.00 EUR"), ("2207", "-3.50 EUR")]
    entry = document_entry(content, MAPPING)
    assert entry is not None
    assert (entry.key, entry.kind, entry.effective_on) == ("document/5", "invoice", date(2026, 8, 3))
    assert {(posting.account_key, posting.document_key) for posting in entry.postings} == {("A-1001", "document/5")}


def test_a_credit_note_writes_the_mirror() -> None:
    content = draft(("a", "100.00", "19"), ("b", "50.00", "7"))
    note = credit_note(issued(content), key=6, issue_on=date(2026, 9, 1), reason="wrong")
    opposite = [(account, f"-{money}".replace("--", "")) for account, money in lines(content)]
    assert lines(note) == opposite


def test_cash_rounding_has_its_own_line() -> None:
    content = draft(("a", "10.01", "19"), account=attrs.evolve(ACCOUNT, currency="CHF"), cash_rounding=Rounding(step_minor=5))
    assert lines(content) == [("1200", "11.90 CHF"), ("4010", "-10.01 CHF"), ("2200", "-1.90 CHF"), ("4900", "0.01 CHF")]


def test_a_document_of_nothing_writes_nothing_but_one_that_shifts_revenue_does() -> None:
    zero = draft(("a", "0.00", "19"))
    assert document_entry(zero, MAPPING) is None
    shift = draft(("a", "5.00", "0"), ("b", "-5.00", "0"))
    assert document_entry(shift, attrs.evolve(MAPPING, taxes={"*": "2299"})) is None
    other = attrs.evolve(shift, lines=(shift.lines[0], attrs.evolve(shift.lines[1], charge_code="goodwill")))
    entry = document_entry(other, attrs.evolve(MAPPING, taxes={"*": "2299"}))
    assert entry is not None
    assert [str(posting.money) for posting in entry.postings] == ["-5.00 EUR", "5.00 EUR"]


def test_a_treatment_without_tax_needs_no_account() -> None:
    assert lines(draft(("a", "5.00", "0"))) == [("1200", "5.00 EUR"), ("4010", "-5.00 EUR")]


def test_a_code_is_mapped_by_itself_or_by_the_longest_pattern() -> None:
    assert MAPPING.charge_account("energy.usage") == "4010"
    assert MAPPING.charge_account("energy.rider") == "4000"
    assert MAPPING.charge_account("fee") == "4999"


def test_unmapped_codes_are_found_at_check_and_refused_at_posting() -> None:
    narrow = attrs.evolve(MAPPING, charges={"energy.*": "4000"})
    found = narrow.unmapped(charge_codes=["fee", "energy.usage", "fee"], tax_codes=["vat20"], roles=["bank", "receivable"])
    assert [(finding.code, finding.field, finding.value) for finding in found] == [
        ("INVOICE18", "charge code", "fee"),
        ("INVOICE18", "tax code", "vat20"),
        ("INVOICE18", "role", "bank"),
    ]
    with pytest.raises(ConfigurationError, match="INVOICE18 the tax code 'vat20' has no account in book main"):
        document_entry(draft(("a", "1.00", "20")), narrow)


def test_the_columns_are_those_of_the_entries() -> None:
    contents = [
        draft(("a", "100.00", "19"), ("b", "50.00", "7"), key=5),
        draft(("a", "10.01", "19"), account=attrs.evolve(ACCOUNT, currency="CHF"), cash_rounding=Rounding(step_minor=5)),
        draft(("a", "5.00", "0"), account=attrs.evolve(ACCOUNT, code='Müller "& Söhne"'), key=7),
        draft(("a", "0.00", "19")),
    ]
    contents.append(credit_note(issued(contents[0]), key=6, issue_on=date(2026, 9, 1), reason="wrong"))
    columns = entry_columns([figures_of(content) for content in contents], MAPPING)
    assert columns is not None
    assert columns.entries() == tuple(entry for content in contents if (entry := document_entry(content, MAPPING)))
    assert entry_columns([figures_of(contents[3])], MAPPING) is None


def test_what_no_entry_may_be_is_no_column_either() -> None:
    figures = figures_of(draft(("a", "100.00", "19")))
    with pytest.raises(LedgerRefused, match="LEDGER04"):
        entry_columns([figures._replace(gross=figures.gross + 1)], MAPPING)
    with pytest.raises(LedgerRefused, match="LEDGER03"):
        entry_columns([figures._replace(lines=(), taxes=())], MAPPING)
