"""Documents for the tests of the printable invoice: a bill of a utility's shape in German and a bill of hours in English."""

from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.party import Address
from billing_framework.invoicing.document import BankAccount, Buyer, Document, Seller, issue_document
from billing_framework.invoicing.draft import DraftDocument, LineGroup, Note, TaxLine, draft_document
from billing_framework.invoicing.numbering import Numbered
from billing_framework.rating.charge import Charge
from billing_framework.taxing.tax import LineTax
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity

GERMAN = Account(code="K-20417", party="P-1", book="main", currency="EUR", locale="de_DE")
ENGLISH = Account(code="C-311", party="P-2", book="main", currency="USD", locale="en_US")

GERMAN_SELLER = Seller(
    name="Stadtwerke Beispiel GmbH",
    address=Address(lines=("Lindenallee 12",), city="Beispielstadt", postcode="12345", country="DE"),
    tax_ids=(("USt-IdNr.", "DE123456789"),),
    registration="Amtsgericht Beispielstadt, HRB 4711",
    contact=(("Telefon", "+49 30 5550 100"), ("E-Mail", "service@stadtwerke.example")),
    bank=BankAccount(name="Musterbank", iban="DE02120300000000202051", bic="BYLADEM1001"),
)
GERMAN_BUYER = Buyer(
    account="K-20417",
    name="Erika Beispiel",
    address=Address(lines=("Hauptstraße 5",), city="Beispielstadt", postcode="12346", country="DE"),
)
ENGLISH_SELLER = Seller(
    name="Harbor & Pine Services, Inc.",
    address=Address(lines=("400 Commerce Street", "Suite 900"), city="Springfield", region="IL", postcode="62701", country="US"),
    tax_ids=(("", "36-1234567"),),
    contact=(("Phone", "(555) 010-0199"), ("Web", "harborpine.example")),
    bank=BankAccount(name="First Sample Bank", iban="000123456789", bic=""),
)
ENGLISH_BUYER = Buyer(
    account="C-311",
    name="Café <Zoë> & Söhne",
    address=Address(lines=("8 King Street",), city="Toronto", region="ON", postcode="M5V 2T6", country="CA"),
    tax_id="12345 6789 RT0001",
)

LineShape = tuple[Charge, str, str]


def bill(
    account: Account, period: DateSpan, shapes: list[LineShape], taxes: dict[str, str], groups: tuple[LineGroup, ...], **more: Any
) -> DraftDocument:
    """Charges with their nets and tax percent; the tax of a percent is shared by largest remainder."""
    nets = [Money.of(net, account.currency) for _, net, _ in shapes]
    parts: list[list[LineTax]] = [[] for _ in shapes]
    lines = []
    for percent, title in taxes.items():
        own = [place for place, (_, _, tax) in enumerate(shapes) if tax == percent]
        base = Money.total((nets[place] for place in own), account.currency)
        rate = Fraction(percent) / 100
        tax = (base.amount * rate).payable()
        lines.append(TaxLine(code=f"t{percent}", title=title, rate=rate, taxable=base, tax=tax))
        for place, share in zip(own, tax.shared([abs(nets[place].minor) for place in own]), strict=True):
            parts[place].append(LineTax(code=f"t{percent}", rate=rate, taxable=nets[place], tax=share))
    made = draft_document(
        key=77,
        account=account,
        period=period,
        issue_on=date(2026, 8, 3),
        due_on=date(2026, 8, 17),
        charges=[charge for charge, _, _ in shapes],
        nets=nets,
        line_taxes=parts,
        taxes=lines,
        groups=groups,
    )
    return attrs.evolve(made, **more)


def charge(source: str, text: str, service: DateSpan, amount: str, currency: str, **more: Any) -> Charge:
    made = Charge(
        agreement="G-1",
        component=source,
        code=source,
        description=text,
        service=service,
        source=source,
        amount=Money.of(amount, currency).amount,
        tax_category="standard",
    )
    return attrs.evolve(made, **more)


def german_bill() -> DraftDocument:
    july = DateSpan(date(2026, 7, 1), date(2026, 8, 1))
    reads = {
        "Zähler": "1 ESY 1160 0421",
        "Stand 01.07.2026": "18.204,6 kWh (abgelesen)",
        "Stand 01.08.2026": "18.616,9 kWh (geschätzt)",
        "Verbrauch": "412,3 kWh",
    }
    water = DateSpan(date(2026, 7, 1), date(2026, 7, 16))
    shapes = [
        (
            charge(
                "grundpreis",
                "Grundpreis Strom",
                july,
                "11.90",
                "EUR",
                quantity=Quantity(1, "Monat"),
                unit_price=UnitPrice("11.9", "EUR", "Monat"),
            ),
            "11.90",
            "19",
        ),
        (
            charge(
                "tier1",
                "Arbeitspreis bis 250 kWh",
                july,
                "78.63",
                "EUR",
                quantity=Quantity(250, "kWh"),
                details=reads,
                unit_price=UnitPrice("0.3145", "EUR", "kWh"),
                estimated=True,
            ),
            "78.63",
            "19",
        ),
        (
            charge(
                "tier2",
                "Arbeitspreis über 250 kWh",
                july,
                "57.58",
                "EUR",
                quantity=Quantity("162.3", "kWh"),
                details=reads,
                unit_price=UnitPrice("0.3548", "EUR", "kWh"),
                estimated=True,
            ),
            "57.58",
            "19",
        ),
        (charge("bonus", "Treuebonus", july, "-5.00", "EUR"), "-5.00", "19"),
        (
            charge(
                "wasser",
                "Trinkwasser",
                water,
                "9.66",
                "EUR",
                agreement="G-2",
                quantity=Quantity("300/61", "m³"),
                unit_price=UnitPrice("1.965", "EUR", "m³"),
            ),
            "9.66",
            "7",
        ),
    ]
    return bill(
        GERMAN,
        july,
        shapes,
        {"19": "Umsatzsteuer", "7": "Umsatzsteuer"},
        (
            LineGroup(agreement="G-1", title="Strom", details=(("Lieferstelle", "Hauptstraße 5, 12346 Beispielstadt"),)),
            LineGroup(agreement="G-2", title="Trinkwasser bis 15. Juli"),
        ),
        notes=(
            Note("legal", "Sie können dieser Abrechnung innerhalb von sechs Wochen widersprechen."),
            Note("estimate", "Ein Zählerstand wurde geschätzt. Teilen Sie uns den tatsächlichen Stand bis zum 31.08.2026 mit."),
        ),
    )


def english_bill() -> DraftDocument:
    june = DateSpan(date(2026, 6, 1), date(2026, 7, 1))
    shapes = [
        (
            charge(
                "advice",
                "Advice <b>by phone</b>",
                june,
                "1312.50",
                "USD",
                quantity=Quantity("5.25", "h"),
                unit_price=UnitPrice("250", "USD", "h"),
            ),
            "1312.50",
            "6.25",
        ),
        (charge("filing", "Filing fees & copies", june, "84.10", "USD"), "84.10", "6.25"),
    ]
    return bill(ENGLISH, june, shapes, {"6.25": "IL sales tax"}, ())


def issued_as(content: DraftDocument, number: str, *, original: Document | None = None) -> Document:
    german = content.locale.startswith("de")
    return issue_document(
        content,
        Numbered(document=content.key, counter_name="x", counter=1, number=number),
        seller=GERMAN_SELLER if german else ENGLISH_SELLER,
        buyer=GERMAN_BUYER if german else ENGLISH_BUYER,
        original=original,
    )
