"""The printable invoice: golden files in two languages, and what no golden file can show.

After a wanted change run this file with BILLING_WRITE_GOLDEN=1 in the environment, open the files, and look at them.
"""

import os
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import attrs
import pytest

from billing_framework.exchange.invoice_html import css_lines, css_string, invoice_html
from billing_framework.invoicing.credit_note import credit_note
from billing_framework.invoicing.document import Document, DocumentStatus
from billing_framework.values.money import Money
from tests.exchange.bills import english_bill, german_bill, issued_as

GOLDEN = Path(__file__).parent / "golden"


def german_credit_note() -> Document:
    original = issued_as(german_bill(), "RE-2026-000042")
    note = credit_note(original, key=78, issue_on=date(2026, 9, 1), reason="Ablesefehler")
    return issued_as(note, "KO-2026-000003", original=original)


DOCUMENTS = {
    "invoice_de": issued_as(german_bill(), "RE-2026-000042"),
    "invoice_en": issued_as(english_bill(), "INV-2026-000007"),
    "credit_note_de": german_credit_note(),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_golden(name: str) -> None:
    file = GOLDEN / f"{name}.html"
    made = invoice_html(DOCUMENTS[name])
    if os.environ.get("BILLING_WRITE_GOLDEN"):
        file.write_text(made, encoding="utf-8")
    assert made == file.read_text(encoding="utf-8")


class Outline(HTMLParser):
    """Checks that tags close in order and collects them with their text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self.tags.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def outline(html: str) -> Outline:
    parser = Outline()
    parser.feed(html)
    assert parser.open == []
    return parser


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_is_one_well_formed_file_without_scripts_or_outside_resources(name: str) -> None:
    html = invoice_html(DOCUMENTS[name])
    assert not {"script", "img", "link", "iframe"} & set(outline(html).tags)
    for word in ("http://", "https://", "url(", "@import", "javascript"):
        assert word not in html


EVIL = '"</style><script>alert(1)</script>\\'


def test_text_from_outside_stays_text_in_markup_and_in_the_style_sheet() -> None:
    document = DOCUMENTS["invoice_en"]
    content = document.content
    evil = attrs.evolve(
        document,
        seller=attrs.evolve(document.seller, name=EVIL, contact=((EVIL, EVIL),)),
        buyer=attrs.evolve(document.buyer, name=EVIL),
        content=attrs.evolve(
            content, lines=tuple(attrs.evolve(line, description=EVIL, details=((EVIL, EVIL),)) for line in content.lines)
        ),
    )
    parser = outline(invoice_html(evil))
    assert "script" not in parser.tags
    assert parser.tags.count("style") == 1
    assert "".join(parser.text).count(EVIL) >= 5


def test_css_strings_hold_only_letters_digits_and_escapes() -> None:
    assert css_string('A & "ä"') == '"A\\000020\\000026\\000020\\000022\\0000e4\\000022"'
    assert css_lines(("a", "b")) == '"a" "\\a" "b" "\\a"'
    assert css_lines(()) == '""'


def test_every_printed_total_is_the_stored_one_even_if_it_does_not_add_up() -> None:
    document = DOCUMENTS["invoice_en"]
    content = document.content
    odd = attrs.evolve(content.totals, net=Money(111111, "USD"), tax=Money(5, "USD"), payable=Money(222222, "USD"))
    html = invoice_html(attrs.evolve(document, content=attrs.evolve(content, totals=odd)))
    assert "1,111.11" in html
    assert "$2,222.22" in html
    assert "1,483.89" not in html


def test_a_draft_for_review_says_that_it_is_none_and_asks_for_nothing() -> None:
    draft = attrs.evolve(DOCUMENTS["invoice_en"], status=DocumentStatus.DRAFT, number="", payment_reference="")
    html = invoice_html(draft)
    assert "This is a draft for review." in html
    assert "How to pay" not in html
    assert "Invoice number" not in html
    assert "Please pay by" not in html


def test_a_void_number_says_why() -> None:
    void = attrs.evolve(DOCUMENTS["invoice_en"], status=DocumentStatus.VOID, void_reason="account closed meanwhile")
    html = invoice_html(void)
    assert "Reason: account closed meanwhile" in html
    assert "Nothing to pay" in html
    assert "Please pay by" not in html
    assert "Amount due" not in html
    assert '<main class="sheet void">' in html
