from datetime import date
from fractions import Fraction

import attrs
import pytest

from billing_framework.invoicing.draft import LineGroup, Note, draft_document, line_groups
from billing_framework.invoicing.proof import currency_findings, prove
from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money, Rounding
from tests.finance_vectors import VECTORS
from tests.invoicing.drafts import ACCOUNT, JULY, charge, draft


def euros(text: str) -> Money:
    return Money.of(text, "EUR")


def test_a_document_total_is_the_sum_of_its_printed_parts() -> None:
    expected = VECTORS["round-10"]["expected"]
    totals = draft(("plan", "77.33", "25")).totals
    assert (totals.net, totals.tax, totals.gross) == tuple(euros(expected[name]) for name in ("net", "tax", "total"))
    assert (Fraction("77.3333") * Fraction("1.25")).limit_denominator(10**6) > Fraction("96.66")  # rounded once it would be .67


def test_tax_groups_and_prepaid() -> None:
    vector = VECTORS["en-03"]
    lines = [("a", vector["inputs"]["base_25"], "25"), ("b", vector["inputs"]["base_12"], "12")]
    made = draft(*lines)
    again = draft_document(
        key=1,
        account=ACCOUNT,
        period=JULY,
        issue_on=made.issue_on,
        due_on=made.due_on,
        charges=[charge(text, net) for text, net, _ in lines],
        nets=[line.net for line in made.lines],
        line_taxes=[line.taxes for line in made.lines],
        taxes=made.taxes,
        prepaid=euros(vector["inputs"]["prepaid"]),
    )
    expected = vector["expected"]
    assert [tax.tax for tax in again.taxes] == [euros(expected["tax_25"]), euros(expected["tax_12"])]
    assert again.totals.gross == euros(expected["bt112"])
    assert again.totals.payable == euros(expected["bt115"])
    assert prove(again) == []


def test_cash_rounding_stands_apart() -> None:
    account = attrs.evolve(ACCOUNT, currency="CHF")
    totals = draft(("plan", "10.01", "8.1"), account=account, cash_rounding=Rounding(step_minor=5)).totals
    assert (str(totals.gross), str(totals.rounding), str(totals.payable)) == ("10.82 CHF", "-0.02 CHF", "10.80 CHF")


def test_line_taxes_are_fixed_so_that_lines_sum_to_the_document() -> None:
    vector = VECTORS["round-04"]
    made = draft(*((str(place), net, "20") for place, net in enumerate(vector["inputs"]["lines_net"])))
    assert [line.tax for line in made.lines] == [euros(tax) for tax in vector["expected"]["line_tax_by_largest_remainder"]]
    assert [line.gross for line in made.lines] == [euros(gross) for gross in vector["expected"]["line_gross"]]
    assert made.totals.gross == euros(vector["expected"]["invoice_total"])


def test_a_line_says_what_its_charge_says() -> None:
    source = charge("tier 1", "12.00", details={"previous": "100", "current": "220"}, records=(7, 8), estimated=True)
    made = draft_document(
        key=1,
        account=ACCOUNT,
        period=JULY,
        issue_on=date(2026, 8, 3),
        due_on=date(2026, 8, 17),
        charges=[source],
        nets=[euros("12.00")],
        line_taxes=[()],
        taxes=[],
    )
    (line,) = made.lines
    assert line.charge_key == source.natural_key
    assert line.details == (("previous", "100"), ("current", "220"))
    assert line.records == 2
    assert made.is_estimated


def test_a_net_of_another_currency_cannot_be_summed_and_is_found_before() -> None:
    assert [
        finding.code for finding in currency_findings(ACCOUNT, [charge("a", "1.00"), charge("b", "1.00", currency="USD")])
    ] == ["INVOICE02"]
    with pytest.raises(UnitMismatch):
        draft_document(
            key=1,
            account=ACCOUNT,
            period=JULY,
            issue_on=date(2026, 8, 3),
            due_on=date(2026, 8, 17),
            charges=[charge("b", "1.00", currency="USD")],
            nets=[Money.of("1.00", "USD")],
            line_taxes=[()],
            taxes=[],
        )


def test_findings_that_stop_hold_the_draft() -> None:
    made = draft(("plan", "1.00", "0"))
    assert not made.held
    assert attrs.evolve(made, findings=(Finding(code="INVOICE02", what="wrong"),)).held


def test_proof_finds_what_was_changed() -> None:
    made = draft(("a", "10.00", "19"), ("b", "5.00", "19"))
    wrong_total = attrs.evolve(made, totals=attrs.evolve(made.totals, gross=euros("1.00")))
    wrong_net = attrs.evolve(made, lines=(attrs.evolve(made.lines[0], net=euros("10.01")), made.lines[1]))
    wrong_tax = attrs.evolve(made, lines=(attrs.evolve(made.lines[0], taxes=()), made.lines[1]))
    twice = attrs.evolve(made, lines=(made.lines[0], attrs.evolve(made.lines[1], charge_key=made.lines[0].charge_key)))
    assert {finding.code for finding in prove(wrong_total)} == {"INVOICE03"}
    assert {finding.field for finding in prove(wrong_net)} == {"net"}
    assert {finding.code for finding in prove(wrong_tax)} == {"INVOICE04"}
    assert {finding.code for finding in prove(twice)} == {"INVOICE05"}


def test_groups_follow_the_lines_and_need_a_title() -> None:
    charges = [charge("a", "1.00"), attrs.evolve(charge("b", "1.00"), agreement="G-0"), charge("c", "1.00")]
    titles = {"G-0": "Gas", "G-1": "Electricity, Lindenallee 12", "G-2": "Nothing is charged for it"}
    assert line_groups(titles, charges) == (
        LineGroup(agreement="G-1", title="Electricity, Lindenallee 12"),
        LineGroup(agreement="G-0", title="Gas"),
    )
    assert line_groups({}, charges) == ()


def test_a_note_needs_a_known_kind() -> None:
    with pytest.raises(ValueRefused, match="INVOICE01 'advert' is no kind of note"):
        Note("advert", "Buy more")
