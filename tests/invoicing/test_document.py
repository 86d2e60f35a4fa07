import attrs
import pytest

from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.document import DocumentStatus, issue_document, void_document
from billing_framework.invoicing.numbering import Numbered
from billing_framework.invoicing.payment_reference import in_fours, is_iban, is_rf_reference, rf_reference
from billing_framework.values.errors import Refused, ValueRefused
from billing_framework.values.finding import Finding
from tests.finance_vectors import VECTORS
from tests.invoicing.drafts import BUYER, SELLER, draft

CONTENT = draft(("plan", "10.00", "19"), key=5)
NUMBER = Numbered(document=5, counter_name="INV-2026-", counter=42, number="INV-2026-000042")


def test_an_issued_document_keeps_the_content_and_can_be_paid_by_reference() -> None:
    document = issue_document(CONTENT, NUMBER, seller=SELLER, buyer=BUYER)
    assert document.content is CONTENT
    assert document.digest == document_digest(CONTENT)
    assert (document.status, document.key) == (DocumentStatus.ISSUED, 5)
    assert document.payment_reference == "RF54INV2026000042"
    assert is_rf_reference(document.payment_reference)


def test_what_is_held_or_numbered_for_another_is_not_issued() -> None:
    held = attrs.evolve(CONTENT, findings=(Finding(code="REVIEW01", what="large"),))
    other = attrs.evolve(NUMBER, document=6)
    with pytest.raises(Refused, match="INVOICE14 the draft of account A-1001 is held: REVIEW01 large"):
        issue_document(held, NUMBER, seller=SELLER, buyer=BUYER)
    with pytest.raises(Refused, match="INVOICE14 the number INV-2026-000042 belongs to the document 6"):
        issue_document(CONTENT, other, seller=SELLER, buyer=BUYER)
    with pytest.raises(Refused, match="INVOICE14 the draft corrects the document 3"):
        issue_document(attrs.evolve(CONTENT, corrects=3), NUMBER, seller=SELLER, buyer=BUYER)


def test_a_void_document_spends_its_number_with_a_reason() -> None:
    void = void_document(CONTENT, NUMBER, seller=SELLER, buyer=BUYER, reason="account closed meanwhile")
    assert (void.status, void.number, void.void_reason, void.payment_reference) == (
        DocumentStatus.VOID,
        "INV-2026-000042",
        "account closed meanwhile",
        "",
    )


def test_names_of_people_are_not_in_the_repr() -> None:
    assert "Erika" not in repr(issue_document(CONTENT, NUMBER, seller=SELLER, buyer=BUYER))


def test_references_and_ibans_by_the_check_rule() -> None:
    inputs = VECTORS["id-02"]["inputs"]
    assert is_rf_reference(inputs["rf"]) is VECTORS["id-02"]["expected"]["ok"]
    assert is_iban(inputs["iban"]) is VECTORS["id-02"]["expected"]["ok"]
    assert rf_reference("539007547034") == inputs["rf"]


@pytest.mark.parametrize("wrong", ["RF18539007547035", "RF19539007547034", "RF18", "18539007547034", "RF18" + "1" * 22, "RF18ÄÖ"])
def test_a_wrong_reference_is_told(wrong: str) -> None:
    assert not is_rf_reference(wrong)


@pytest.mark.parametrize("wrong", ["DE02120300000000202052", "DE2120300000000202051", "", "GB82 WEST 1234 5698 7654 33"])
def test_a_wrong_iban_is_told(wrong: str) -> None:
    assert not is_iban(wrong)


@pytest.mark.parametrize("number", ["1", "INV-2026-000042", "Z" * 21, "2026/07-ä-1"])
def test_every_number_has_a_reference_that_checks(number: str) -> None:
    assert is_rf_reference(rf_reference(number))
    assert is_rf_reference(in_fours(rf_reference(number)).lower())


@pytest.mark.parametrize("number", ["", "--", "A" * 22])
def test_a_number_without_reference_is_refused(number: str) -> None:
    with pytest.raises(ValueRefused, match="INVOICE10"):
        rf_reference(number)


def test_references_are_printed_in_fours() -> None:
    assert in_fours("DE02120300000000202051") == "DE02 1203 0000 0000 2020 51"
