"""Small drafts for the tests of invoicing, receivables and exchange; lines are written as (description, net, tax percent)."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.party import Address
from billing_framework.invoicing.document import BankAccount, Buyer, Document, Seller, issue_document
from billing_framework.invoicing.draft import DocumentKind, DraftDocument, TaxLine, draft_document
from billing_framework.invoicing.numbering import Numbered
from billing_framework.rating.charge import Charge
from billing_framework.taxing.tax import LineTax
from billing_framework.values.money import HALF_UP, Money, Rounding
from billing_framework.values.period import DateSpan
from billing_framework.values.quantity import Quantity

JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))
ACCOUNT = Account(code="A-1001", party="P-1", book="main", currency="EUR", locale="de_DE")
SELLER = Seller(
    name="Stadtwerke Beispiel GmbH",
    address=Address(lines=("Lindenallee 12",), city="Beispielstadt", postcode="12345", country="DE"),
    tax_ids=(("USt-IdNr.", "DE123456789"),),
    bank=BankAccount(name="Musterbank", iban="DE02120300000000202051", bic="BYLADEM1001"),
)
BUYER = Buyer(
    account="A-1001",
    name="Erika Beispiel",
    address=Address(lines=("Hauptstraße 5",), city="Beispielstadt", postcode="12345", country="DE"),
)

LineText = tuple[str, str, str]


def charge(source: str, amount: str, *, currency: str = "EUR", agreement: str = "G-1", **more: Any) -> Charge:
    made = Charge(
        agreement=agreement,
        component="energy",
        code="energy.usage",
        description=source,
        service=JULY,
        source=source,
        amount=Money.of(amount, currency).amount,
        tax_category="standard",
    )
    return attrs.evolve(made, **more)


def taxed(nets: Sequence[Money], percents: Sequence[str]) -> tuple[list[list[LineTax]], list[TaxLine]]:
    """Tax per rate, rounded once per group and shared to the lines by largest remainder."""
    shares: list[list[LineTax]] = [[] for _ in nets]
    taxes = []
    for percent in dict.fromkeys(percents):
        places = [place for place, own in enumerate(percents) if own == percent]
        base = Money.total((nets[place] for place in places), nets[0].currency)
        rate = Fraction(percent) / 100
        tax = (base.amount * rate).payable()
        taxes.append(TaxLine(code=f"vat{percent}", title="VAT", rate=rate, taxable=base, tax=tax))
        for place, part in zip(places, tax.shared([abs(nets[place].minor) for place in places]), strict=True):
            shares[place].append(LineTax(code=f"vat{percent}", rate=rate, taxable=nets[place], tax=part))
    return shares, taxes


def draft(
    *lines: LineText,
    key: int = 1,
    account: Account = ACCOUNT,
    kind: DocumentKind = DocumentKind.INVOICE,
    cash_rounding: Rounding = HALF_UP,
    issue_on: date = date(2026, 8, 3),
    due_on: date = date(2026, 8, 17),
    records: int = 0,
    quantity: Quantity | None = None,
) -> DraftDocument:
    nets = [Money.of(net, account.currency) for _, net, _ in lines]
    shares, taxes = taxed(nets, [percent for _, _, percent in lines]) if lines else ([], [])
    return draft_document(
        key=key,
        account=account,
        period=JULY,
        issue_on=issue_on,
        due_on=due_on,
        charges=[
            charge(text, net, currency=account.currency, records=tuple(range(records)), quantity=quantity)
            for text, net, _ in lines
        ],
        nets=nets,
        line_taxes=shares,
        taxes=taxes,
        kind=kind,
        cash_rounding=cash_rounding,
    )


def issued(content: DraftDocument, number: str = "INV-2026-000001") -> Document:
    numbered = Numbered(document=content.key, counter_name="INV-2026-", counter=1, number=number)
    return issue_document(content, numbered, seller=SELLER, buyer=BUYER)
