"""A draft document: what an account would be billed, with every figure already fixed; pure function of its inputs."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework.accounts.account import Account
from billing_framework.rating.charge import Charge, ChargeItem, ChargeShare, Origin
from billing_framework.taxing.tax import LineTax
from billing_framework.values.code_name import storable
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import HALF_UP, Amount, Money, Rounding
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity

NOTE_KINDS = ("information", "estimate", "tax", "payment", "legal", "correction")
"""The kinds of note that a document may bear; printed in this order."""


class DocumentKind(enum.Enum):
    """What a document is: ``INVOICE`` and ``DEBIT_NOTE`` ask for money, ``CREDIT_NOTE`` takes back what another asked for."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    DEBIT_NOTE = "debit_note"


def _known_kind(_note: object, _field: object, kind: str) -> None:
    if kind not in NOTE_KINDS:
        raise ValueRefused("INVOICE01", f"{kind!r} is no kind of note", remedy=f"Known are: {', '.join(NOTE_KINDS)}")


@attrs.frozen
class Note:
    """A sentence printed on a document.

    Attributes:
        kind: one of ``information``, ``estimate``, ``tax``, ``payment``, ``legal`` or ``correction``.
        text: the sentence, in the account's language, without markup.
        document: key of the document that it belongs to; plugins must give it, because they speak about a whole batch.
    """

    kind: str = attrs.field(validator=_known_kind)
    text: str = attrs.field(converter=storable)
    document: int = 0


@attrs.frozen(kw_only=True)
class TaxLine:
    """One tax of the document, rounded once for its group.

    Attributes:
        code: code of the tax; the book maps it to an account.
        title: what is printed, in the account's language, without the rate: ``VAT``.
        jurisdiction: place whose tax it is.
        category: category letter of EN 16931 (S, Z, E, AE, K, G, O), or the deployment's own.
        rate: the rate as a ratio, for example ``19/100``.
        taxable: the base.
        tax: the tax.
        exemption: reason that must be printed where nothing is charged, or empty.
    """

    code: str
    title: str
    jurisdiction: str = ""
    category: str = "S"
    rate: Fraction
    taxable: Money
    tax: Money
    exemption: str = ""


@attrs.frozen(kw_only=True)
class DraftLine:
    """One printed line.

    Attributes:
        number: 1-based position on the document.
        charge_key: natural key of the charge that it prints; unique on the document.
        charge_code: code that the book maps to a revenue account.
        agreement: code of the agreement, or empty; lines are grouped by it.
        component: code of the plan component.
        plan: ``code@version`` of the price plan, or empty.
        description: what is printed, in the account's language.
        service: dates that it is for.
        quantity: what is priced, where there is a quantity.
        unit_price: price of one unit, where there is one.
        amount: the exact amount before it was rounded.
        net: the printed amount without tax.
        taxes: its share of each tax.
        tax_category: category by which it was taxed.
        origin: where the charge comes from.
        estimated: True where it rests on an estimate.
        details: label and value of facts printed beside it, in order. Pairs, because stored mappings forget their order.
        records: number of usage records that it rests on.
        corrects_line: number of the line that a credit note takes back, 0 for none.
        items: what it consists of, listed below the document.
        share: what part of a charge this is, where several payers share it.
    """

    number: int
    charge_key: str
    charge_code: str
    agreement: str = ""
    component: str = ""
    plan: str = ""
    description: str
    service: DateSpan
    quantity: Quantity | None = None
    unit_price: UnitPrice | None = None
    amount: Amount
    net: Money
    taxes: tuple[LineTax, ...] = ()
    tax_category: str = ""
    origin: Origin = Origin.RATED
    estimated: bool = False
    details: tuple[tuple[str, str], ...] = ()
    records: int = 0
    corrects_line: int = 0
    items: tuple[ChargeItem, ...] = ()
    share: ChargeShare | None = None

    @property
    def tax(self) -> Money:
        """All taxes of the line."""
        return Money.total((part.tax for part in self.taxes), self.net.currency)

    @property
    def gross(self) -> Money:
        """Net and tax: the most that can ever be credited of the line."""
        return self.net + self.tax


@attrs.frozen(kw_only=True)
class LineGroup:
    """A heading for the lines of one agreement: the service and the place of supply, in the account's language."""

    agreement: str
    title: str
    details: tuple[tuple[str, str], ...] = ()


@attrs.frozen(kw_only=True)
class Totals:
    """The sums of a document, each made of printed parts (EN 16931 BR-CO-10 to BR-CO-16).

    Attributes:
        net: sum of the lines (BT-109).
        tax: sum of the tax groups (BT-110).
        gross: `net` + `tax` (BT-112), never rounded on its own.
        prepaid: paid before the document was issued (BT-113).
        rounding: what cash rounding adds or takes (BT-114).
        payable: `gross` - `prepaid` + `rounding` (BT-115).
    """

    net: Money
    tax: Money
    gross: Money
    prepaid: Money
    rounding: Money
    payable: Money


@attrs.frozen(kw_only=True)
class DraftDocument:
    """The content of a document, complete but for its number; an issued document keeps it unchanged.

    Attributes:
        key: key of the document, the same on every repetition of the run.
        kind: what it is.
        account: code of the account.
        book: code of the book that bills.
        currency: ISO 4217 code of every amount.
        locale: language and formats.
        period: dates of the billing period.
        issue_on: date that it bears.
        tax_point_on: date that decides the tax period.
        due_on: date by which it is to be paid.
        lines: the lines in printing order.
        groups: headings of the agreements, in printing order.
        taxes: the taxes, in printing order.
        totals: the sums.
        notes: printed notes.
        corrects: key of the document that a credit or debit note corrects, 0 for none.
        reason: why it corrects it.
        findings: problems found while drafting; one that stops holds the account.
    """

    key: int
    kind: DocumentKind = DocumentKind.INVOICE
    account: str
    book: str
    currency: str
    locale: str
    period: DateSpan
    issue_on: date
    tax_point_on: date
    due_on: date
    lines: tuple[DraftLine, ...]
    groups: tuple[LineGroup, ...] = ()
    taxes: tuple[TaxLine, ...] = ()
    totals: Totals
    notes: tuple[Note, ...] = ()
    corrects: int = 0
    reason: str = ""
    findings: tuple[Finding, ...] = ()

    @property
    def is_estimated(self) -> bool:
        """True where a line rests on an estimate."""
        return any(line.estimated for line in self.lines)

    @property
    def held(self) -> bool:
        """True where a finding forbids to approve it."""
        return any(finding.stops for finding in self.findings)


def draft_document(
    *,
    key: int,
    account: Account,
    period: DateSpan,
    issue_on: date,
    due_on: date,
    charges: Sequence[Charge],
    nets: Sequence[Money],
    line_taxes: Sequence[Sequence[LineTax]],
    taxes: Sequence[TaxLine],
    kind: DocumentKind = DocumentKind.INVOICE,
    tax_point_on: date | None = None,
    prepaid: Money | None = None,
    cash_rounding: Rounding = HALF_UP,
    groups: Sequence[LineGroup] = (),
    notes: Sequence[Note] = (),
    findings: Sequence[Finding] = (),
) -> DraftDocument:
    """Return the draft of one account; every sum is the sum of the parts that it prints.

    Args:
        key: key of the document.
        account: who is billed; its currency, locale and book become the document's.
        period: billing period.
        issue_on: date of the document; also the tax point where `tax_point_on` is None.
        due_on: date by which it is to be paid.
        charges: the charges in printing order.
        nets: rounded amount of each charge, without tax; `proof.currency_findings` tells foreign currencies before.
        line_taxes: the taxes of each charge, already shared to the lines.
        taxes: the taxes of the document, rounded once per group.
        kind: what it is.
        tax_point_on: date that decides the tax period.
        groups: headings of agreements.
        notes: printed notes.
        prepaid: what was paid before; none where None.
        cash_rounding: policy of the payable total; a step of 5 rounds to 0.05.
        findings: problems of rating and taxing, which the draft takes over.
    """
    lines = _lines(charges, nets, line_taxes)
    return DraftDocument(
        key=key,
        kind=kind,
        account=account.code,
        book=account.book,
        currency=account.currency,
        locale=account.locale,
        period=period,
        issue_on=issue_on,
        tax_point_on=tax_point_on or issue_on,
        due_on=due_on,
        lines=lines,
        groups=tuple(groups),
        taxes=tuple(taxes),
        totals=total_up(lines, taxes, account.currency, prepaid=prepaid, cash_rounding=cash_rounding),
        notes=tuple(notes),
        findings=tuple(findings),
    )


def _lines(charges: Sequence[Charge], nets: Sequence[Money], line_taxes: Sequence[Sequence[LineTax]]) -> tuple[DraftLine, ...]:
    rows = zip(charges, nets, line_taxes, strict=True)
    return tuple(_line(number, charge, net, tuple(parts)) for number, (charge, net, parts) in enumerate(rows, start=1))


def _line(number: int, charge: Charge, net: Money, taxes: tuple[LineTax, ...]) -> DraftLine:
    return DraftLine(
        number=number,
        charge_key=charge.natural_key,
        charge_code=charge.code,
        agreement=charge.agreement,
        component=charge.component,
        plan=charge.plan,
        description=charge.description,
        service=charge.service,
        quantity=charge.quantity,
        unit_price=charge.unit_price,
        amount=charge.amount,
        net=net,
        taxes=taxes,
        tax_category=charge.tax_category,
        origin=charge.origin,
        estimated=charge.estimated,
        details=tuple(charge.details.items()),
        records=len(charge.records),
        items=charge.items,
        share=charge.share,
    )


def total_up(
    lines: Sequence[DraftLine],
    taxes: Sequence[TaxLine],
    currency: str,
    *,
    prepaid: Money | None = None,
    cash_rounding: Rounding = HALF_UP,
) -> Totals:
    """Return the sums of lines and taxes; only cash rounding rounds, and its difference stands apart."""
    net = Money.total((line.net for line in lines), currency)
    tax = Money.total((line.tax for line in taxes), currency)
    before = Money.zero(currency) if prepaid is None else prepaid
    due = net + tax - before
    payable = due.amount.payable(cash_rounding)
    return Totals(net=net, tax=tax, gross=net + tax, prepaid=before, rounding=payable - due, payable=payable)


def line_groups(titles: Mapping[str, str], charges: Sequence[Charge]) -> tuple[LineGroup, ...]:
    """Return a heading for each agreement that is charged, in the order of the lines; an agreement without a title has none."""
    agreements = dict.fromkeys([charge.agreement for charge in charges])
    return tuple(LineGroup(agreement=code, title=titles[code]) for code in agreements if titles.get(code))
