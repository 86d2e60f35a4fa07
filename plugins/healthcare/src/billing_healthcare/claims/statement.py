"""What a document leaves to the patient, after all payers have answered: a page that shows no debt of anybody else.

What a contract takes off and what a payer has denied is never the patient's, so it is shown as not asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import attrs

from billing_framework import ExportDocument, Exported, Exporter, ExportRequest, Finding, Money, format_date
from billing_healthcare.claims.claim import ClaimLine
from billing_healthcare.claims.document import Claimed, encounters_of
from billing_healthcare.claims.earlier import Told, told_by
from billing_healthcare.remittance.remittance import total
from billing_healthcare.settings import HealthcareSettings

_WIDTHS = (14, 26, 11, 11, 13, 11)
_HEAD = ("Date", "Service", "Charge", "Paid", "Not asked for", "Yours")


@attrs.frozen(kw_only=True)
class _Part:
    """What one line comes to for the patient."""

    line: ClaimLine
    paid: Fraction
    yours: Fraction

    @property
    def left_out(self) -> Fraction:
        """What nobody asks the patient for."""
        return self.line.charge - self.paid - self.yours


@attrs.frozen(kw_only=True)
class _Visit:
    """An encounter with what payers have decided about it."""

    claimed: Claimed
    told: Told


def export_statements(documents: Sequence[ExportDocument], request: ExportRequest) -> Exported:
    """Return a page for each document, or nothing where a payer has still to answer.

    Args:
        documents: documents to payers, or to patients without one.
        request: settings with the names of payers.
    """
    settings = request.settings if isinstance(request.settings, HealthcareSettings) else HealthcareSettings()
    findings: list[Finding] = []
    pages: list[str] = []
    for document in documents:
        visits: list[_Visit] = []
        for found in encounters_of(document):
            visit = found if isinstance(found, Finding) else _visit(document, found, settings.payers)
            if isinstance(visit, Finding):
                findings.append(visit)
            else:
                visits.append(visit)
        pages.append("\n".join(_page(document, visits)))
    return Exported(findings=tuple(findings)) if findings else Exported(data="\f".join(pages).encode("utf-8"))


def _visit(document: ExportDocument, claimed: Claimed, names: Mapping[str, str]) -> _Visit | Finding:
    told = told_by(claimed.reference, claimed.lines, claimed.coverages, document.answers, names)
    if isinstance(told, Finding):
        return told
    if len(told.lines) > 1 and any(other.on is not None or other.adjustments for other in told.others):
        what = "a payer has answered the claim as a whole, so its lines cannot be told apart"
        return Finding(code="HEALTH44", what=what, remedy="Write the statement by hand", subject=claimed.reference)
    return _Visit(claimed=claimed, told=told)


def _parts(told: Told) -> Iterator[_Part]:
    for line in told.lines:
        if not told.others:
            yield _Part(line=line, paid=Fraction(0), yours=line.charge)
            continue
        last = told.others[-1]
        adjustments = [*last.adjustments]
        adjustments += [item for one in line.paid if one.payer == last.coverage.payer for item in one.adjustments]
        whole = [other.paid for other in told.others if other.on is not None]
        yield _Part(
            line=line,
            paid=total([*(one.paid for one in line.paid), *whole]),
            yours=total(one.amount for one in adjustments if one.group == "PR"),
        )


def _page(document: ExportDocument, visits: Sequence[_Visit]) -> Iterator[str]:
    currency = document.account.currency
    seller = document.document.seller
    yield seller.name
    yield from (" ".join(part for part in pair if part) for pair in seller.contact)
    due = Fraction(0)
    for visit in visits:
        parts = list(_parts(visit.told))
        yield from _heading(visit)
        yield from (_row(_cells(part, document.account.locale, currency)) for part in parts)
        due += total(part.yours for part in parts)
    yield ""
    yield f"Your part: {Money.of(due, currency)}"
    yield "Payments that you have made since are not in it."
    yield ""


def _heading(visit: _Visit) -> Iterator[str]:
    head = visit.claimed.head
    yield ""
    yield " ".join(part for part in (head.first, head.middle, head.last) if part)
    yield from (part for part in (head.street, f"{head.city} {head.region} {head.postcode}".strip()) if part)
    yield ""
    yield f"Visit {head.encounter}, our reference {visit.claimed.reference}"
    yield from (f"Answered by {other.name}" for other in visit.told.others)
    yield ""
    yield _row(_HEAD)


def _cells(part: _Part, locale: str, currency: str) -> tuple[str, ...]:
    body = part.line.body
    amounts = (part.line.charge, part.paid, part.left_out, part.yours)
    shown = (str(Money.of(amount, currency)).split(" ", maxsplit=1)[0] for amount in amounts)
    return (format_date(body.served_on, locale), "-".join((body.code, *body.modifier_list)), *shown)


def _row(cells: Sequence[str]) -> str:
    pairs = enumerate(zip(cells, _WIDTHS, strict=True))
    return "  ".join(cell.ljust(width) if place < 2 else cell.rjust(width) for place, (cell, width) in pairs).rstrip()


PATIENT_STATEMENT = Exporter(
    format="patient_statement",
    title="What a document leaves to the patient, as text",
    suffix=".txt",
    write=export_statements,
)
