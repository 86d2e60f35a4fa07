"""What must hold for every document, proved again from its parts: before it is drafted, and after it was stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from fractions import Fraction

from billing_framework.accounts.account import Account
from billing_framework.invoicing.draft import DraftDocument
from billing_framework.rating.charge import Charge
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import LARGEST_MINOR, Money
from billing_framework.values.number import exact_text


def currency_findings(account: Account, charges: Sequence[Charge]) -> list[Finding]:
    """Return a finding for every charge of another currency than the account: it must not reach a draft."""
    return [
        Finding(
            code="INVOICE02",
            what=f"a charge in {charge.amount.currency} cannot be billed to an account in {account.currency}",
            remedy="Give the agreement a price plan in the account's currency, or bill it to another account",
            field="currency",
            value=charge.natural_key,
            subject=account.code,
        )
        for charge in charges
        if charge.amount.currency != account.currency
    ]


def size_findings(document: DraftDocument) -> list[Finding]:
    """Return a finding where an amount is larger than any that is booked: a price or a reading is most likely mistyped.

    The limit leaves room for the sums of many such documents in 64 bits, in which both databases keep them.
    """
    totals = document.totals
    amounts = [(line.description, line.net) for line in document.lines]
    amounts += [("tax", totals.tax), ("total", totals.gross)]
    return [
        Finding(
            code="VALUE30",
            what=f"{name[:100]} comes to {amount}, which is more than is booked",
            remedy="Correct the quantity or the price that it comes from",
            field="net",
            value=str(amount),
            subject=document.account,
        )
        for name, amount in amounts
        if abs(amount.minor) > LARGEST_MINOR
    ][:1]


def prove(document: DraftDocument) -> list[Finding]:
    """Return a finding for every sum of a document that its printed parts do not make, and for every charge billed twice."""
    return [*_totals(document), *_taxes(document), *_keys(document)]


def _broken(document: DraftDocument, code: str, field: str, what: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=what,
        remedy="Do not post it; report the program or the row that was changed",
        field=field,
        subject=document.account,
    )


def _totals(document: DraftDocument) -> Iterator[Finding]:
    totals = document.totals
    sums = {
        "net": Money.total((line.net for line in document.lines), document.currency),
        "tax": Money.total((tax.tax for tax in document.taxes), document.currency),
        "gross": totals.net + totals.tax,
        "payable": totals.gross - totals.prepaid + totals.rounding,
    }
    for name, due in sums.items():
        stated: Money = getattr(totals, name)
        if stated != due:
            yield _broken(document, "INVOICE03", name, f"the total {name} says {stated}, its parts make {due}")


def _taxes(document: DraftDocument) -> Iterator[Finding]:
    zero = Money.zero(document.currency)
    shares: dict[tuple[str, Fraction], Money] = {}
    for line in document.lines:
        for part in line.taxes:
            shares[part.code, part.rate] = shares.get((part.code, part.rate), zero) + part.tax
    stated: dict[tuple[str, Fraction], Money] = {}
    for tax in document.taxes:
        stated[tax.code, tax.rate] = stated.get((tax.code, tax.rate), zero) + tax.tax
    for code, rate in sorted(shares.keys() | stated.keys()):
        share, whole = shares.get((code, rate), zero), stated.get((code, rate), zero)
        if share != whole:
            what = f"the tax {code} at {exact_text(rate)} says {whole}, the shares of the lines make {share}"
            yield _broken(document, "INVOICE04", code, what)


def _keys(document: DraftDocument) -> Iterator[Finding]:
    for key, count in Counter(line.charge_key for line in document.lines).items():
        if count > 1:
            yield _broken(document, "INVOICE05", key, f"the charge {key} stands on {count} lines")
