"""The page of a document: every text that is printed, made from the stored document only; no figure is computed here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import attrs

from billing_framework.exchange.figures import (
    amount_text,
    decimals_of,
    exact_amount_text,
    is_about,
    money_text,
    percent_text,
    price_text,
    quantity_text,
)
from billing_framework.exchange.postal import address_lines, paper_of
from billing_framework.exchange.words import words_of
from billing_framework.invoicing.document import Document, DocumentStatus, Seller
from billing_framework.invoicing.draft import NOTE_KINDS, DocumentKind, DraftDocument, DraftLine, TaxLine
from billing_framework.invoicing.payment_reference import in_fours, is_iban
from billing_framework.values.formats import format_date, format_period, locale_of

Pair = tuple[str, str]
"""A label and its value."""


@attrs.frozen(kw_only=True)
class PageLine:
    """One line as it is printed; empty texts are left out."""

    description: str
    period: str = ""
    quantity: str = ""
    unit_price: str = ""
    tax_rate: str = ""
    amount: str
    is_estimated: bool = False
    details: tuple[Pair, ...] = ()


@attrs.frozen(kw_only=True)
class PageItems:
    """The list of what one line consists of; every row has as many texts as there are columns.

    Attributes:
        title: description of the line.
        columns: headings.
        figures: positions of the columns with numbers, which are set flush.
        rows: the items.
        total: sum of the exact amounts, in the last column.
    """

    title: str
    columns: tuple[str, ...]
    figures: tuple[int, ...]
    rows: tuple[tuple[str, ...], ...]
    total: str


@attrs.frozen(kw_only=True)
class PageGroup:
    """Lines below one heading; facts that its lines share stand once, with the first line that has them."""

    title: str = ""
    details: tuple[Pair, ...] = ()
    lines: tuple[PageLine, ...]


@attrs.frozen(kw_only=True)
class PageTotal:
    """One sum below the lines; `role` is ``part``, ``sum`` or ``payable`` and decides how heavily it is set."""

    label: str
    amount: str
    role: str = "part"
    remark: str = ""


@attrs.frozen(kw_only=True)
class RenderedInvoice:
    """All that a template prints, as text in the account's language and formats.

    Attributes:
        words: catalogue of fixed words.
        locale: BCP 47 tag of the document.
        direction: ``ltr`` or ``rtl``.
        paper: CSS name of the paper.
        title: what the document is.
        number: its number, empty for a draft.
        state: ``issued``, ``draft`` or ``void``; the figures of a void document are struck out.
        banner: a state that must not be overlooked (draft, void), or empty.
        notice: sentence that explains the banner or the correction, or empty.
        seller: name of the seller.
        sender: address of the seller in one line, for the window of an envelope.
        recipient: lines of the buyer's address.
        facts: number, dates, account.
        headline: what is to be done: label, amount, sentence.
        groups: the lines.
        has_quantities: whether a line has a quantity; without one the columns are left out.
        has_tax_column: whether lines are taxed differently, so that each names its rate.
        amount_heading: heading of the amounts, with the currency.
        totals: the sums.
        legends: sign and meaning of the marks that are used.
        payment: how to pay, empty where nothing is to be paid.
        notes: sentences.
        items: lists of what lines consist of, printed after the document.
        footer: columns of the seller's data.
        page_words: text before, between and after page number and page count.
    """

    words: Mapping[str, str]
    locale: str
    direction: str
    paper: str
    title: str
    number: str
    state: str = "issued"
    banner: str = ""
    notice: str = ""
    seller: str
    sender: str
    recipient: tuple[str, ...]
    facts: tuple[Pair, ...]
    headline: tuple[str, str, str]
    groups: tuple[PageGroup, ...]
    has_quantities: bool
    has_tax_column: bool
    amount_heading: str
    totals: tuple[PageTotal, ...]
    legends: tuple[Pair, ...] = ()
    payment: tuple[Pair, ...] = ()
    notes: tuple[str, ...] = ()
    items: tuple[PageItems, ...] = ()
    footer: tuple[tuple[str, ...], ...] = ()
    page_words: tuple[str, str, str]


def page_of(document: Document) -> RenderedInvoice:
    """Return the page of a stored document, in the language and formats of its locale.

    Args:
        document: issued or void; a draft for review is a document without number, with the status draft.
    """
    content, locale = document.content, document.content.locale
    words = words_of(locale)
    taxed_alike = len({tuple((part.code, part.rate) for part in line.taxes) for line in content.lines}) <= 1
    before, between, after = words["page"].replace("{pages}", "{page}").split("{page}")
    return RenderedInvoice(
        words=words,
        locale=locale.replace("_", "-"),
        direction=locale_of(locale).text_direction,
        paper=paper_of(locale),
        title=words[f"title_{content.kind.value}"],
        number=document.number,
        state=document.status.value,
        banner=_banner(document, words),
        notice=_notice(document, words),
        seller=document.seller.name,
        sender=" · ".join((document.seller.name, *_seller_address(document.seller, locale))),
        recipient=(
            document.buyer.name,
            *address_lines(document.buyer.address, home_country=document.seller.address.country, locale=locale),
        ),
        facts=tuple(_facts(document, words)),
        headline=_headline(document, words),
        groups=tuple(_groups(content, words, with_rates=not taxed_alike)),
        has_quantities=any(line.quantity is not None for line in content.lines),
        has_tax_column=not taxed_alike,
        amount_heading=words["amount"].format(currency=content.currency),
        totals=tuple(_totals(document, words)),
        legends=tuple(_legends(content, words)),
        payment=tuple(_payment(document, words)),
        notes=tuple(note.text for kind in NOTE_KINDS for note in content.notes if note.kind == kind),
        items=tuple(_items(line, content, words) for line in content.lines if line.items),
        footer=tuple(column for column in _footer(document.seller, locale, words) if column),
        page_words=(before, between, after),
    )


def _is_credit(content: DraftDocument) -> bool:
    return content.kind is DocumentKind.CREDIT_NOTE or content.totals.payable.minor < 0


def _banner(document: Document, words: Mapping[str, str]) -> str:
    return "" if document.status is DocumentStatus.ISSUED else words[f"title_{document.status.value}"]


def _notice(document: Document, words: Mapping[str, str]) -> str:
    if document.status is DocumentStatus.VOID:
        return words["notice_void"].format(reason=document.void_reason)
    if document.status is DocumentStatus.DRAFT:
        return words["notice_draft"]
    return words["notice_reason"].format(reason=document.content.reason) if document.content.reason else ""


def _facts(document: Document, words: Mapping[str, str]) -> Iterator[Pair]:
    content = document.content

    def day(value: date) -> str:
        return format_date(value, content.locale)

    if document.number:
        yield words[f"number_{content.kind.value}"], document.number
    yield words["issued"], day(content.issue_on)
    if content.tax_point_on != content.issue_on:
        yield words["tax_point"], day(content.tax_point_on)
    if document.corrects_number and document.corrects_on:
        original = words["corrects_value"].format(number=document.corrects_number, date=day(document.corrects_on))
        yield words["corrects"], original
    yield words["account"], document.buyer.account
    if document.buyer.tax_id:
        yield words["buyer_tax_id"], document.buyer.tax_id
    yield words["period"], format_period(content.period, content.locale)
    if content.totals.payable.minor > 0 and document.status is not DocumentStatus.VOID:
        yield words["due"], day(content.due_on)


def _headline(document: Document, words: Mapping[str, str]) -> tuple[str, str, str]:
    content = document.content
    payable = content.totals.payable
    if document.status is DocumentStatus.VOID or not payable:
        return words["headline_nothing"], "", ""
    if _is_credit(content):
        return words["headline_credit"], money_text(-payable, content.locale), ""
    is_issued = document.status is DocumentStatus.ISSUED
    sentence = words["headline_pay_by"].format(date=format_date(content.due_on, content.locale)) if is_issued else ""
    return words["headline_pay"], money_text(payable, content.locale), sentence


def _groups(content: DraftDocument, words: Mapping[str, str], *, with_rates: bool) -> Iterator[PageGroup]:
    headings = {group.agreement: group for group in content.groups}
    agreements = list(dict.fromkeys(line.agreement for line in content.lines))
    for agreement in agreements:
        heading = headings.get(agreement)
        untitled = words["other_lines"] if headings and len(agreements) > 1 else ""
        yield PageGroup(
            title=heading.title if heading else untitled,
            details=heading.details if heading else (),
            lines=tuple(_lines([line for line in content.lines if line.agreement == agreement], content, with_rates=with_rates)),
        )


def _lines(lines: list[DraftLine], content: DraftDocument, *, with_rates: bool) -> Iterator[PageLine]:
    locale = content.locale
    shown: set[tuple[Pair, ...]] = set()
    for line in lines:
        details = () if line.details in shown else line.details
        shown.add(line.details)
        yield PageLine(
            description=line.description,
            period="" if line.service == content.period else format_period(line.service, locale),
            quantity=quantity_text(line.quantity, locale) if line.quantity is not None else "",
            unit_price=price_text(line.unit_price, locale) if line.unit_price is not None else "",
            tax_rate=" + ".join(percent_text(part.rate, locale) for part in line.taxes) if with_rates else "",
            amount=amount_text(line.net, locale),
            is_estimated=line.estimated,
            details=details,
        )


def _items(line: DraftLine, content: DraftDocument, words: Mapping[str, str]) -> PageItems:
    locale = content.locale
    has_times = any(item.time for item in line.items)
    has_quantities = any(item.quantity is not None for item in line.items)
    labels = list(dict.fromkeys(label for item in line.items for label, _ in item.details))
    before = [words["item_date"], *([words["item_time"]] if has_times else []), words["description"], *labels]
    columns = [*before, *([words["quantity"]] if has_quantities else []), words["amount"].format(currency=content.currency)]
    decimals = decimals_of([item.amount for item in line.items])
    rows = []
    for item in line.items:
        facts = dict(item.details)
        when = [format_date(item.on, locale), *([item.time] if has_times else [])]
        texts = [*when, item.text, *(facts.get(label, "") for label in labels)]
        quantity = "" if item.quantity is None else quantity_text(item.quantity, locale)
        rows.append(
            (*texts, *([quantity] if has_quantities else []), exact_amount_text(item.amount, locale, least_decimals=decimals))
        )
    return PageItems(
        title=line.description,
        columns=tuple(columns),
        figures=tuple(range(len(before), len(columns))),
        rows=tuple(rows),
        total=exact_amount_text(line.amount, locale, least_decimals=decimals),
    )


def _totals(document: Document, words: Mapping[str, str]) -> Iterator[PageTotal]:
    content = document.content
    totals, locale = content.totals, content.locale
    if content.taxes:
        yield PageTotal(label=words["total_net"], amount=amount_text(totals.net, locale))
        for tax in content.taxes:
            yield _tax_total(tax, locale, words)
    more = [("total_prepaid", -totals.prepaid), ("total_rounding", totals.rounding)]
    if any(money for _, money in more):
        yield PageTotal(label=words["total_gross"], amount=amount_text(totals.gross, locale), role="sum")
        for key, money in more:
            if money:
                yield PageTotal(label=words[key], amount=amount_text(money, locale))
    name = "nothing" if not totals.payable else "credited" if _is_credit(content) else "payable"
    name = "gross" if document.status is DocumentStatus.VOID else name
    yield PageTotal(label=words[f"total_{name}"], amount=money_text(totals.payable, locale), role="payable")


def _tax_total(tax: TaxLine, locale: str, words: Mapping[str, str]) -> PageTotal:
    form = words["total_tax"] if tax.rate else words["total_tax_free"]
    label = form.format(title=tax.title, rate=percent_text(tax.rate, locale), taxable=amount_text(tax.taxable, locale))
    return PageTotal(label=label, amount=amount_text(tax.tax, locale), remark=tax.exemption)


def _legends(content: DraftDocument, words: Mapping[str, str]) -> Iterator[Pair]:
    if content.is_estimated:
        yield words["estimate_mark"], words["estimate_legend"]
    quantities = (line.quantity.value for line in content.lines if line.quantity is not None)
    prices = (line.unit_price.value for line in content.lines if line.unit_price is not None)
    if any(is_about(number) for number in (*quantities, *prices)):
        yield "≈", words["about_legend"]


def _payment(document: Document, words: Mapping[str, str]) -> Iterator[Pair]:
    bank = document.seller.bank
    if document.status is not DocumentStatus.ISSUED or document.content.totals.payable.minor <= 0 or not bank.iban:
        return
    yield words["pay_to"], document.seller.name
    yield (words["pay_iban"], in_fours(bank.iban)) if is_iban(bank.iban) else (words["pay_account"], bank.iban)
    if document.payment_reference:
        yield words["pay_reference"], in_fours(document.payment_reference)
    if bank.name or bank.bic:
        yield words["pay_bank"], ", ".join(part for part in (bank.name, bank.bic) if part)


def _seller_address(seller: Seller, locale: str) -> tuple[str, ...]:
    return address_lines(seller.address, home_country=seller.address.country, locale=locale)


def _footer(seller: Seller, locale: str, words: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    yield (seller.name, *_seller_address(seller, locale))
    yield tuple(f"{label or words['contact']}: {value}" for label, value in seller.contact)
    numbers = tuple(f"{label or words['tax_number']}: {value}" for label, value in seller.tax_ids)
    yield (*numbers, f"{words['register']}: {seller.registration}") if seller.registration else numbers
