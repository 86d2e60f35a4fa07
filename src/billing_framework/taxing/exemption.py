"""Exemption: what the customer's status makes of a tax, and which particulars the document needs then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

import attrs

from billing_framework.taxing.tax_rate import TaxKind, TaxRate
from billing_framework.values.finding import Finding

_NO_TAX_AT_ALL = {TaxKind.ZERO, TaxKind.OUTSIDE, TaxKind.EXPORT}
_NEEDS_IDS = {TaxKind.REVERSE_CHARGE, TaxKind.INTRA_COMMUNITY}


@attrs.frozen(kw_only=True)
class TaxStatus:
    """What the taxes of a document depend on besides its lines.

    Attributes:
        account: code of the account, for messages.
        jurisdiction: place whose taxes apply.
        status: ``taxable``, ``exempt`` or ``reverse_charge``.
        exemption: certificate or reason that is printed where the status is not ``taxable``.
        exempt_from: codes of the taxes that it is exempt from; empty for all.
        seller_tax_id: the seller's registration number (BT-31, BT-32).
        buyer_tax_id: the customer's registration number (BT-48, or BT-47).
    """

    account: str = ""
    jurisdiction: str = ""
    status: str = "taxable"
    exemption: str = ""
    exempt_from: tuple[str, ...] = ()
    seller_tax_id: str = ""
    buyer_tax_id: str = ""


def treated(rate: TaxRate, status: TaxStatus) -> TaxRate:
    """Return the rate as it applies to a customer: itself, or without tax and with the reason."""
    if rate.kind in _NO_TAX_AT_ALL or status.status == "taxable" or (status.exempt_from and rate.code not in status.exempt_from):
        return rate
    kind = TaxKind.REVERSE_CHARGE if status.status == "reverse_charge" else TaxKind.EXEMPT
    return attrs.evolve(rate, kind=kind, rate=Fraction(0), gross_up=False, exemption=status.exemption or rate.exemption)


def status_findings(rates: Iterable[TaxRate], status: TaxStatus) -> Iterator[Finding]:
    """Yield what the document lacks for the treatments on it.

    Source: EN 16931 BR-AE-02, -05, -08 to -10 (both parties' identifiers and the reason), BR-E-10 (the reason).
    """
    kinds = {rate.kind: rate for rate in rates}
    for kind, rate in kinds.items():
        if kind in _NEEDS_IDS:
            if not status.seller_tax_id:
                yield _finding("TAX04", kind, "the seller's tax number (BT-31)", "Give the book its tax_id", status)
            if not status.buyer_tax_id:
                yield _finding("TAX04", kind, "the customer's tax number (BT-48)", "Give the party its tax_id", status)
        if kind not in (TaxKind.STANDARD, TaxKind.ZERO) and not rate.exemption:
            yield _finding("TAX03", kind, "the reason that is printed (BT-120)", "Give the account its exemption", status)


def _finding(number: str, kind: TaxKind, lacks: str, remedy: str, status: TaxStatus) -> Finding:
    what = f"a document with {kind.value.replace('_', ' ')} needs {lacks}"
    return Finding(code=number, what=what, remedy=remedy, subject=status.account, value=kind.letter)
