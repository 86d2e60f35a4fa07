"""From issued documents to claims: each encounter of a document is one claim of the payer whose account the document is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction

import attrs

from billing_framework import AnyUsage, DocumentKind, ExportDocument, ExportLine, Finding, ValueRefused, is_erased
from billing_healthcare.claims.claim import ORDER, Claim, ClaimLine
from billing_healthcare.claims.earlier import told_by
from billing_healthcare.coverage import Coverage, read_coverages
from billing_healthcare.kinds import ENCOUNTER, SERVICE_LINE, Encounter, ServiceLine

PAYER_TERM = "payer"
"""Term of an agreement that names the payer its account stands for, by the identifier that coverages use."""


@attrs.frozen
class Claims:
    """The claims of some documents, and why there are not more."""

    claims: tuple[Claim, ...]
    findings: tuple[Finding, ...] = ()


def claims_of(documents: Sequence[ExportDocument], names: Mapping[str, str], payer: str = "") -> Claims:
    """Return the claims of documents; a document of which a line is no service of an encounter makes none.

    Args:
        documents: issued documents.
        names: identifier of each payer to its name.
        payer: the payer that is asked; by default the one for whose account the document is. A payer after the first is told
            what those before it have answered.
    """
    claims: list[Claim] = []
    findings: list[Finding] = []
    for document in documents:
        made = [one if isinstance(one, Finding) else _claim(document, one, names, payer) for one in encounters_of(document)]
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


@attrs.frozen(kw_only=True)
class Claimed:
    """What one claim of a document is about.

    Attributes:
        reference: our identifier of the claim.
        head: its encounter.
        lines: its services, in their order.
        coverages: who pays for it, in order; none where the document is for a patient who pays alone.
    """

    reference: str
    head: Encounter
    lines: tuple[ClaimLine, ...]
    coverages: tuple[Coverage, ...] = ()


def encounters_of(document: ExportDocument) -> Iterator[Claimed | Finding]:
    """Yield the encounters of a document with their services, or what of it is no service of an encounter."""
    if document.document.content.kind is not DocumentKind.INVOICE:
        yield _problem(document, "the document is no invoice, so it asks nobody for money", "Export invoices only")
        return
    by_encounter: dict[str, list[ClaimLine]] = {}
    heads: dict[str, Encounter] = {}
    for line in document.lines:
        service = _body(document, line, SERVICE_LINE.name)
        head = _body(document, line, ENCOUNTER.name)
        if not isinstance(service, ServiceLine) or not isinstance(head, Encounter) or line.line.tax:
            what = f"line {line.line.number} is no untaxed service of an encounter"
            yield _problem(document, what, "Bill it on a document of its own")
            continue
        heads[head.encounter] = head
        charge = Fraction(line.line.net.major)
        by_encounter.setdefault(head.encounter, []).append(ClaimLine(body=service, charge=charge))
    for position, (name, lines) in enumerate(sorted(by_encounter.items()), start=1):
        reference = reference_of(document.number, position, len(by_encounter))
        if is_erased(heads[name].last):
            what = f"the data of the patient of encounter {name} were erased"
            yield Finding(code="HEALTH40", what=what, remedy="Nothing can be said about them any more", subject=reference)
            continue
        ordered = tuple(sorted(lines, key=lambda line: line.body.number))
        try:
            coverages = read_coverages(heads[name].coverage) if own_payer(document) else ()
        except ValueRefused as error:
            yield Finding(code=error.code, what=error.what, remedy=error.remedy, subject=reference)
        else:
            yield Claimed(reference=reference, head=heads[name], lines=ordered, coverages=coverages)


def _claim(document: ExportDocument, claimed: Claimed, names: Mapping[str, str], asked: str) -> Claim | Finding:
    head, own, coverages = claimed.head, own_payer(document), claimed.coverages
    place = next((place for place, one in enumerate(coverages) if one.payer == (asked or own)), None)
    if place is None:
        what = f"the encounter {head.encounter} names no coverage by the payer of the document's account"
        return _problem(document, what, f"Give the payer in the encounter's coverage, and as the agreement's term {PAYER_TERM!r}")
    named = {own: document.party.name, **names}
    asks = coverages[place]
    if asks.payer not in named:
        what = f"the payer {asks.payer} has no name"
        return _problem(document, what, "Add it to the table payers of plugin.healthcare")
    told = told_by(claimed.reference, claimed.lines, coverages[:place], document.answers, named)
    if isinstance(told, Finding):
        return told
    return Claim(
        reference=claimed.reference,
        encounter=head,
        coverage=asks,
        payer_name=named[asks.payer],
        order=ORDER[place],
        lines=told.lines,
        others=told.others,
    )


def own_payer(document: ExportDocument) -> str:
    """Return the payer that the document's account stands for, empty where it is a patient's own."""
    return next((agreement.terms.get(PAYER_TERM, "") for agreement in document.agreements.values()), "")


def _body(document: ExportDocument, line: ExportLine, kind: str) -> object:
    records: list[AnyUsage] = [document.records[key] for key in line.records if key in document.records]
    return next((record.body for record in records if record.kind == kind), None)


def _problem(document: ExportDocument, what: str, remedy: str) -> Finding:
    return Finding(code="HEALTH40", what=what, remedy=remedy, subject=document.number)
