"""The three levels at which a remittance must balance: line, claim, file. What does not balance is told, never bent.

Line: charge less line adjustments is what is paid. Claim: charge less all its adjustments is what is paid, and the lines add
up to the claim. File: the claims less what moved beside them are the payment (ASC X12 835 guide, balancing).
"""

from __future__ import annotations

from collections.abc import Iterator

from billing_framework import Finding, exact_text
from billing_healthcare.remittance.remittance import ClaimAnswer, LineAnswer, Remittance, total


def file_findings(remittance: Remittance, *, file: str) -> Iterator[Finding]:
    """Yield why the payment does not equal its claims less what moved beside them; such a file is refused."""
    paid = total(claim.paid for claim in remittance.claims)
    beside = total(one.amount for one in remittance.adjustments)
    if paid - beside != remittance.total:
        yield Finding(
            code="HEALTH06",
            what=f"the claims pay {exact_text(paid)}, {exact_text(beside)} moved beside them, and the payment is"
            f" {exact_text(remittance.total)}",
            remedy="Ask the payer for a corrected file; nothing of this one is posted",
            file=file,
            line=remittance.number,
            field="BPR02",
            subject=remittance.trace,
        )


def claim_findings(claim: ClaimAnswer, *, file: str) -> Iterator[Finding]:
    """Yield in what way a claim or one of its lines does not balance; such a claim goes to suspense."""
    for place, line in enumerate(claim.lines, start=1):
        yield from _line_findings(claim, line, place, file)
    expected = claim.charge - claim.adjusted()
    if expected != claim.paid:
        what = f"charge {exact_text(claim.charge)} less adjustments {exact_text(claim.adjusted())} is {exact_text(expected)}"
        yield _claim_finding(f"{what}, and {exact_text(claim.paid)} is paid", "CLP04", claim, file)
    charged = total(line.charge for line in claim.lines)
    if claim.lines and charged != claim.charge:
        what = f"the lines charge {exact_text(charged)}, the claim {exact_text(claim.charge)}"
        yield _claim_finding(what, "CLP03", claim, file)
    responsible = claim.adjusted("PR")
    if not claim.is_reversal and claim.patient != responsible:
        what = f"the patient bears {exact_text(claim.patient)} by the claim and {exact_text(responsible)} by its adjustments"
        yield _claim_finding(what, "CLP05", claim, file)


def _line_findings(claim: ClaimAnswer, line: LineAnswer, place: int, file: str) -> Iterator[Finding]:
    adjusted = total(one.amount for one in line.adjustments)
    if line.charge - adjusted != line.paid:
        yield Finding(
            code="HEALTH08",
            what=f"line {place}: charge {exact_text(line.charge)} less adjustments {exact_text(adjusted)} is not what is paid,"
            f" {exact_text(line.paid)}",
            remedy="Ask the payer; the claim is kept in suspense",
            file=file,
            line=line.number,
            field="SVC03",
            subject=claim.reference,
        )


def _claim_finding(what: str, field: str, claim: ClaimAnswer, file: str) -> Finding:
    remedy = "Ask the payer; the claim is kept in suspense"
    return Finding(code="HEALTH07", what=what, remedy=remedy, file=file, line=claim.number, field=field, subject=claim.reference)
