from datetime import date

import attrs
import pytest

from billing_framework.accounts.party import Address
from billing_framework.exchange.invoice_page import RenderedInvoice, page_of
from billing_framework.exchange.postal import address_lines, paper_of
from billing_framework.invoicing.document import Document
from billing_framework.invoicing.draft import DocumentKind, total_up
from billing_framework.rating.charge import ChargeItem
from billing_framework.values.money import Amount, Money, Rounding
from billing_framework.values.period import DateSpan
from billing_framework.values.quantity import Quantity
from tests.exchange.bills import english_bill, german_bill, issued_as

GERMAN = issued_as(german_bill(), "RE-2026-000042")
ENGLISH = issued_as(english_bill(), "INV-2026-000007")


def totals(page: RenderedInvoice) -> list[tuple[str, str]]:
    return [(total.label, total.amount) for total in page.totals]


def with_locale(document: Document, locale: str) -> RenderedInvoice:
    return page_of(attrs.evolve(document, content=attrs.evolve(document.content, locale=locale)))


def test_the_same_figures_in_the_formats_of_a_locale() -> None:
    assert totals(page_of(GERMAN))[-1] == ("Zu zahlen", "180,64\u00a0€")
    assert totals(with_locale(GERMAN, "de_CH"))[0] == ("Nettosumme", "152.77")
    assert totals(with_locale(GERMAN, "en_GB"))[-1] == ("Amount due", "€180.64")


def test_a_language_without_catalogue_has_english_words_and_its_own_formats() -> None:
    page = with_locale(GERMAN, "fr_FR")
    assert (page.title, page.locale) == ("Invoice", "fr-FR")
    assert totals(page)[0] == ("Net total", "152,77")


def test_facts_shared_by_lines_stand_once_and_dates_only_where_they_differ_from_the_period() -> None:
    strom, wasser = page_of(GERMAN).groups
    assert [bool(line.details) for line in strom.lines] == [False, True, False, False]
    assert [line.period for line in strom.lines] == ["", "", "", ""]
    assert wasser.lines[0].period == "01.07.2026 – 15.07.2026"
    assert [line.is_estimated for line in strom.lines] == [False, True, True, False]


def test_a_quantity_without_end_is_shown_about_and_explained() -> None:
    page = page_of(GERMAN)
    assert page.groups[1].lines[0].quantity == "≈\u00a04,918\u00a0m³"
    assert [sign for sign, _ in page.legends] == ["G", "≈"]
    assert page_of(ENGLISH).legends == ()


def test_rates_stand_on_lines_only_where_they_differ() -> None:
    assert page_of(GERMAN).has_tax_column
    assert [line.tax_rate for line in page_of(GERMAN).groups[1].lines] == ["7\u00a0%"]
    assert not page_of(ENGLISH).has_tax_column


def test_notes_stand_in_the_order_of_their_kinds() -> None:
    assert [note.split()[0] for note in page_of(GERMAN).notes] == ["Ein", "Sie"]


def test_prepaid_and_rounding_are_shown_between_total_and_payable() -> None:
    content = ENGLISH.content
    sums = total_up(content.lines, content.taxes, "USD", prepaid=Money.of("100.00", "USD"), cash_rounding=Rounding(step_minor=5))
    page = page_of(attrs.evolve(ENGLISH, content=attrs.evolve(content, totals=sums)))
    assert totals(page)[2:] == [
        ("Total", "1,483.89"),
        ("Already paid", "\u2212100.00"),
        ("Rounding", "0.01"),
        ("Amount due", "$1,383.90"),
    ]


@pytest.mark.parametrize(("payable", "label"), [(0, "Nothing to pay"), (-500, "Credited to your account")])
def test_a_document_that_asks_for_nothing_shows_no_way_to_pay(payable: int, label: str) -> None:
    content = ENGLISH.content
    sums = attrs.evolve(content.totals, payable=Money(payable, "USD"))
    page = page_of(attrs.evolve(ENGLISH, content=attrs.evolve(content, totals=sums)))
    assert page.headline[0] == label
    assert page.payment == ()
    assert "Due date" not in dict(page.facts)


def test_references_and_ibans_are_printed_in_fours_and_other_accounts_as_they_are() -> None:
    assert dict(page_of(GERMAN).payment)["IBAN"] == "DE02 1203 0000 0000 2020 51"
    assert dict(page_of(GERMAN).payment)["Verwendungszweck"] == "RF29 RE20 2600 0042"
    assert dict(page_of(ENGLISH).payment)["Account number"] == "000123456789"


def test_a_correction_names_its_original() -> None:
    note = attrs.evolve(
        GERMAN,
        corrects_number="RE-2026-000001",
        corrects_on=date(2026, 7, 3),
        content=attrs.evolve(GERMAN.content, kind=DocumentKind.DEBIT_NOTE, reason="Ablesefehler"),
    )
    page = page_of(note)
    assert dict(page.facts)["Korrigiert"] == "RE-2026-000001 vom 03.07.2026"
    assert (page.title, page.notice) == ("Belastungsanzeige", "Grund: Ablesefehler")


def test_a_tax_point_of_its_own_is_shown() -> None:
    content = attrs.evolve(ENGLISH.content, tax_point_on=date(2026, 6, 30), period=DateSpan(date(2026, 6, 1), date(2026, 7, 1)))
    assert dict(page_of(attrs.evolve(ENGLISH, content=content)).facts)["Tax point"] == "Jun 30, 2026"


US = Address(lines=("1 Main St",), city="Springfield", region="IL", postcode="62701", country="US")
GB = Address(lines=("1 High St",), city="London", postcode="SW1A 1AA", country="GB")
DE = Address(lines=("Hauptstr. 1",), city="Berlin", postcode="10115", country="DE")


@pytest.mark.parametrize(
    ("address", "home", "lines"),
    [
        (US, "US", ("1 Main St", "Springfield, IL 62701")),
        (GB, "US", ("1 High St", "London", "SW1A 1AA", "United Kingdom")),
        (DE, "DE", ("Hauptstr. 1", "10115 Berlin")),
        (Address(), "DE", ()),
    ],
)
def test_addresses_by_country(address: Address, home: str, lines: tuple[str, ...]) -> None:
    assert address_lines(address, home_country=home, locale="en_US") == lines


def test_paper_by_country() -> None:
    assert [paper_of(locale) for locale in ("en_US", "en_GB", "de_DE", "fr_CA", "de")] == ["letter", "A4", "A4", "letter", "A4"]


def test_what_a_line_consists_of_is_listed_with_its_facts_as_columns() -> None:
    items = (
        ChargeItem(
            record=1, on=date(2026, 7, 3), time="09:15", text="Gate 4", amount=Amount("0.125", "EUR"), details=(("Zone", "A"),)
        ),
        ChargeItem(record=2, on=date(2026, 7, 4), text="Gate 5", quantity=Quantity("2", "day"), amount=Amount("1.5", "EUR")),
    )
    first, *others = GERMAN.content.lines
    content = attrs.evolve(GERMAN.content, lines=(attrs.evolve(first, amount=Amount("1.625", "EUR"), items=items), *others))
    (listed,) = page_of(attrs.evolve(GERMAN, content=content)).items
    assert listed.columns == ("Datum", "Uhrzeit", "Beschreibung", "Zone", "Menge", "Betrag (EUR)")
    assert listed.rows[0] == ("03.07.2026", "09:15", "Gate 4", "A", "", "0,125")
    assert listed.rows[1] == ("04.07.2026", "", "Gate 5", "", "2\u00a0Tage", "1,500")
    assert (listed.title, listed.total) == (first.description, "1,625")
    assert page_of(GERMAN).items == ()
