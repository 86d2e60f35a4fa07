"""From issued documents to claims: each encounter of a document is one claim of the payer whose account the document is for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

import attrs

from billing_framework import AnyUsage, DocumentKind, ExportDocument, ExportLine, Finding, ValueRefused
from billing_healthcare.claims.claim import ORDER, Claim, ClaimLine
from billing_healthcare.coverage import Coverage, read_coverages
from billing_healthcare.kinds import ENCOUNTER, SERVICE_LINE, Encounter, ServiceLine

PAYER_TERM = "payer"
"""Term of an agreement that names the payer its account stands for, by the identifier that coverages use."""


@attrs.frozen
class Claims:
    """The claims of some documents, and why there are not more."""

    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...] = ()


def claims_of(documents: Sequence[ExportDocument]) -> Claims:
    """Return the claims of documents; a document of which a line is no service of an encounter makes none."""
    claims: list[Claim] = []
    findings: list[Finding] = []
    for document in documents:
        made = list(_of_document(document))
        wrong = [one for one in made if isinstance(one, Finding)]
        findings += wrong
        if not wrong:
            claims += [one for one in made if isinstance(one, Claim)]
    return Claims(tuple(claims), tuple(findings))


def reference_of(number: str, position: int, count: int) -> str:
    """Return the reference of a claim: the document's number, with the claim's position where the document makes several."""
    return number if count == 1 else f"{number}.{position}"


def document_of(reference: str) -> str:
    """Return the number of the document that a reference names."""
    number, dot, position = reference.rpartition(".")
    return number if dot and position.isdigit() else reference


def _of_document(document: ExportDocument) -> Iterator[Claim | Finding]:
    if document.document.content.kind is not DocumentKind.INVOICE:
        yield _problem(document, "the document is no invoice, so it asks no payer for money", "Export invoices only")
        return
    by_encounter: dict[str, list[ClaimLine]] = {}
    heads: dict[str, Encounter] = {}
    for line in document.lines:
        service = _body(document, line, SERVICE_LINE.name)
        head = _body(document, line, ENCOUNTER.name)
        if not isinstance(service, ServiceLine) or not isinstance(head, Encounter) or line.line.tax:
            what = f"line {line.line.number} is no untaxed service of an encounter"
            yield _problem(document, what, "Bill it to the patient; a claim asks for coded services only")
            continue
        heads[head.encounter] = head
        charge = Fraction(line.line.net.major)
        by_encounter.setdefault(head.encounter, []).append(ClaimLine(body=service, charge=charge))
    for position, (name, lines) in enumerate(sorted(by_encounter.items()), start=1):
        reference = reference_of(document.number, position, len(by_encounter))
        yield _claim(document, heads[name], lines, reference)


def _claim(document: ExportDocument, head: Encounter, lines: Sequence[ClaimLine], reference: str) -> Claim | Finding:
    try:
        coverages = read_coverages(head.coverage)
    except ValueRefused as error:
        return Finding(code=error.code, what=error.what, remedy=error.remedy, subject=reference)
    payer = next((agreement.terms.get(PAYER_TERM, "") for agreement in document.agreements.values()), "")
    place = _place(coverages, payer)
    if place is None:
        what = f"the encounter {head.encounter} names no coverage by the payer of the document's account"
        return _problem(document, what, f"Give the payer in the encounter's coverage, and as the agreement's term {PAYER_TERM!r}")
    if place > 0:
        what = f"the payer of encounter {head.encounter} comes after another, whose answer the claim must tell"
        return _problem(document, what, "Bill the first payer first")
    return Claim(
        reference=reference,
        encounter=head,
        coverage=coverages[place],
        payer_name=document.party.name,
        order=ORDER[place],
        lines=tuple(sorted(lines, key=lambda line: line.body.number)),
    )


def _place(coverages: Sequence[Coverage], payer: str) -> int | None:
    return next((place for place, one in enumerate(coverages) if one.payer == payer), None)


def _body(document: ExportDocument, line: ExportLine, kind: str) -> object:
    records: list[AnyUsage] = [document.records[key] for key in line.records if key in document.records]
    return next((record.body for record in records if record.kind == kind), None)


def _problem(document: ExportDocument, what: str, remedy: str) -> Finding:
    return Finding(code="HEALTH40", what=what, remedy=remedy, subject=document.number)
