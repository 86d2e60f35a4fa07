"""The check of a file of professional claims, whoever wrote it: envelope, sums, pointers, provider numbers, other payers.

It looks at what validators of the guide's structure do not: arithmetic and check digits. Patients' values are never repeated.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction

import attrs

from billing_framework import CheckRequest, Finding, InputRefused, exact_text
from billing_healthcare.claims.complete import postcode_findings
from billing_healthcare.remittance.remittance import total
from billing_healthcare.x12.envelope import Transaction, transactions
from billing_healthcare.x12.number import is_npi, read_amount
from billing_healthcare.x12.segment import Segment, loops, read_segments

VERSIONS = ("005010X222", "005010X222A1", "005010X222A2")
"""Guides of the professional claim that are read; the second is the one that is written."""

_DIAGNOSES = frozenset({"ABK", "ABF", "BK", "BF"})


def check_claims(data: bytes, request: CheckRequest) -> tuple[Finding, ...]:
    """Return everything that is wrong with a file of professional claims."""
    findings: list[Finding] = []
    try:
        for item in transactions(read_segments(io.BytesIO(data), file=request.file), file=request.file):
            if isinstance(item, Finding):
                findings.append(item)
            elif item.kind != "837" or item.version not in VERSIONS:
                what = f"the file holds a set {item.kind} of guide {item.version or 'unknown'}, no professional claims"
                remedy = "Give a file of professional claims (837P)"
                findings.append(_Check(file=request.file).wrong("HEALTH03", what, remedy, item.header, "GS08"))
            else:
                findings += _Check(file=request.file).transaction(item)
    except InputRefused as error:
        findings.append(Finding(code=error.code, what=error.what, remedy=error.remedy, file=request.file))
    return tuple(findings)


@attrs.define(kw_only=True)
class _Check:
    """One transaction set being checked."""

    file: str
    subject: str = ""

    def transaction(self, given: Transaction) -> Iterator[Finding]:
        if given.header.at(3) != given.version:
            what = f"ST03 names the guide {given.header.at(3) or 'nothing'}, GS08 {given.version}"
            yield self.wrong("HEALTH02", what, "Name one guide", given.header, "ST03")
        claims = loops(given.segments, "CLM")
        yield from self._providers(given.segments)
        for segments in claims:
            stop = next((place for place, segment in enumerate(segments) if segment.name == "HL"), len(segments))
            yield from self._claim(segments[:stop])
        if not claims:
            yield self.wrong("HEALTH40", "the file holds no claim", "Ask the sender", given.header, "CLM")

    def _providers(self, segments: Sequence[Segment]) -> Iterator[Finding]:
        is_billing = False
        for segment in segments:
            if segment.name == "NM1":
                is_billing = segment.at(1) == "85"
                if segment.at(8) == "XX" and not is_npi(segment.at(9)):
                    what = f"the check digit of the provider identifier {segment.at(9)} is wrong"
                    yield self.wrong("HEALTH12", what, "Correct the number", segment, "NM109")
            elif segment.name == "N4" and is_billing:
                for finding in postcode_findings(segment.at(3), "N403", ""):
                    yield attrs.evolve(finding, file=self.file, line=segment.number)

    def _claim(self, segments: Sequence[Segment]) -> Iterator[Finding]:
        head = segments[0]
        self.subject = head.at(1)
        lines = loops(segments, "LX")
        own = segments[: len(segments) - sum(len(line) for line in lines)]
        charges = [self._amount(segment, 2) for line in lines for segment in line if segment.name == "SV1"]
        if head.part(5, 2) != "B":
            yield self.wrong("HEALTH03", "the claim is no professional one", "Give an 837P", head, "CLM05")
        if not 1 <= len(lines) <= 50:
            yield self.wrong("HEALTH40", f"the claim has {len(lines)} lines", "Give 1 to 50", head, "LX")
        summed = total(charges)
        if summed != self._amount(head, 2):
            what = f"the lines charge {exact_text(summed)}, the claim {head.at(2)}"
            yield self.wrong("HEALTH42", what, "Correct the sum", head, "CLM02")
        if head.part(5, 3) in {"7", "8"} and not any(one.name == "REF" and one.at(1) == "F8" for one in own):
            yield self.wrong("HEALTH40", "a replacement or void names no earlier claim", "Give REF*F8", head, "CLM05")
        diagnoses = [place for one in own if one.name == "HI" for place in range(1, 13) if one.part(place, 1) in _DIAGNOSES]
        if not 1 <= len(diagnoses) <= 12:
            yield self.wrong("HEALTH40", f"the claim has {len(diagnoses)} diagnoses", "Give 1 to 12", head, "HI")
        for line in lines:
            yield from self._pointers(line, len(diagnoses))
        yield from self._others(own, lines)

    def _pointers(self, line: Sequence[Segment], diagnoses: int) -> Iterator[Finding]:
        for segment in (one for one in line if one.name == "SV1"):
            pointers = [part for part in segment.parts(7) if part]
            wrong = [part for part in pointers if not (part.isascii() and part.isdigit() and 1 <= int(part) <= diagnoses)]
            if not pointers:
                yield self.wrong("HEALTH13", "the line points to no diagnosis", "Give one pointer at least", segment, "SV107")
            for part in wrong:
                what = f"the line points to diagnosis {part}, the claim has {diagnoses}"
                yield self.wrong("HEALTH13", what, "Point to a diagnosis of the claim", segment, "SV107")

    def _others(self, own: Sequence[Segment], lines: Sequence[Sequence[Segment]]) -> Iterator[Finding]:
        """Check what earlier payers decided: charge = paid + adjustments on each line, and their sum for the claim."""
        decided = [list(self._decisions(line)) for line in lines]
        for line, answers in zip(lines, decided, strict=True):
            service = next((segment for segment in line if segment.name == "SV1"), line[0])
            for payer, paid, adjusted in answers:
                left = self._amount(service, 2) - paid - adjusted
                if left:
                    what = f"charge less payment and adjustments of payer {payer} leaves {exact_text(left)}"
                    yield self.wrong("HEALTH42", what, "Check the payer's answer", service, "SVD02")
        for payer, segment, paid, adjusted in self._payers(own):
            listed = [one for answers in decided for one in answers if one[0] == payer]
            lines_paid = total(one[1] for one in listed)
            if listed and lines_paid - adjusted != paid:
                what = f"payer {payer} paid {exact_text(paid)}, its lines and adjustments say {exact_text(lines_paid - adjusted)}"
                yield self.wrong("HEALTH42", what, "Check the payer's answer", segment, "AMT02")

    def _payers(self, own: Sequence[Segment]) -> Iterator[tuple[str, Segment, Fraction, Fraction]]:
        """Yield identifier, amount segment, paid amount and claim adjustments of each other payer (loop 2320)."""
        for loop in loops(own, "SBR"):
            paid = next((one for one in loop if one.name == "AMT" and one.at(1) == "D"), None)
            payer = next((one.at(9) for one in loop if one.name == "NM1" and one.at(1) == "PR"), "")
            if paid is not None:
                yield payer, paid, self._amount(paid, 2), total(self._adjusted(loop))

    def _decisions(self, line: Sequence[Segment]) -> Iterator[tuple[str, Fraction, Fraction]]:
        """Yield payer, payment and adjustments of each earlier decision about a line (loop 2430)."""
        for loop in loops(line, "SVD"):
            yield loop[0].at(1), self._amount(loop[0], 2), total(self._adjusted(loop))

    def _adjusted(self, segments: Sequence[Segment]) -> Iterator[Fraction]:
        for segment in segments:
            if segment.name == "CAS":
                yield from (self._amount(segment, place) for place in range(3, 20, 3) if segment.at(place))

    def _amount(self, segment: Segment, place: int) -> Fraction:
        found = read_amount(segment.at(place))
        if found is None:
            what = f"{segment.name}{place:02d} is no amount"
            raise InputRefused("HEALTH05", what, place=f"{self.file}:{segment.number}", remedy="Ask the sender")
        return found

    def wrong(self, code: str, what: str, remedy: str, segment: Segment, field: str) -> Finding:
        """Return a finding about a segment."""
        line = segment.number
        return Finding(code=code, what=what, remedy=remedy, file=self.file, line=line, field=field, subject=self.subject)
