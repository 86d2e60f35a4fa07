"""What a claim needs before it may leave; payers return a claim that lacks it, and a clearing house charges for that."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from billing_framework import Finding, exact_text
from billing_healthcare.claims.claim import Claim, OtherPayer
from billing_healthcare.intake.build import MOST_LINES
from billing_healthcare.remittance.remittance import total
from billing_healthcare.settings import HealthcareSettings

LONGEST_REFERENCE = 38
_POST_BOX = re.compile(r"\bp\.?\s*o\.?\s*box\b", re.IGNORECASE)
_SENDER = ("submitter", "submitter_id", "contact", "phone", "receiver", "receiver_id")
_PROVIDER = ("provider", "provider_npi", "tax_id", "street", "city", "region", "postcode")


def sender_findings(settings: HealthcareSettings) -> Iterator[Finding]:
    """Yield what the settings lack before any claim can be written."""
    for name in (*_SENDER, *_PROVIDER):
        if not getattr(settings, name):
            yield _problem(f"the setting {name} is empty", f"Give {name} in the table plugin.healthcare", name, "")
    for name in ("submitter_id", "receiver_id"):
        if len(getattr(settings, name)) > 15:
            yield _problem(f"the setting {name} has more than 15 characters", "Shorten it as agreed with the receiver", name, "")
    yield from postcode_findings(settings.postcode, "postcode", "")
    if _POST_BOX.search(settings.street):
        yield _problem(
            "the billing provider's address is a post box", "Give the street; the post box is a pay-to address", "street", ""
        )


def postcode_findings(postcode: str, field: str, subject: str) -> Iterator[Finding]:
    """Yield a finding where a provider's postcode has not nine digits."""
    if not (len(postcode) == 9 and postcode.isascii() and postcode.isdigit()):
        what = "the postcode of the billing provider has not nine digits"
        yield Finding(code="HEALTH41", what=what, remedy="Give ZIP+4 without hyphen", field=field, subject=subject)


def claim_problems(claim: Claim) -> Iterator[Finding]:
    """Yield what a claim lacks; no value of the patient is repeated."""
    head, subject = claim.encounter, claim.reference
    if len(claim.reference) > LONGEST_REFERENCE:
        yield _problem("the reference has more than 38 characters", "Shorten the numbers of the book's series", "CLM01", subject)
    needed = {"first": head.first, "birth": head.birth, "street": head.street, "city": head.city, "region": head.region}
    for name, value in {**needed, "postcode": head.postcode, "diagnoses": head.diagnoses}.items():
        if not value:
            yield _problem(f"the encounter has no {name}", "Take it in with the encounter", name, subject)
    if head.frequency == "7" and not head.payer_control:
        yield _problem("a replacement names no earlier claim", "Give payer_control", "REF*F8", subject)
    if len(claim.lines) > MOST_LINES:
        yield _problem(f"the claim has more than {MOST_LINES} lines", "Bill its encounter in parts", "LX", subject)
    for line in claim.lines:
        if not line.body.pointers:
            what = f"line {line.body.number} points to no diagnosis"
            yield _problem(what, "Give the pointer at the source, or by an edit", "SV107", subject)
        if bool(line.body.drug) != bool(line.body.drug_quantity and line.body.drug_unit):
            what = f"line {line.body.number} has a drug without quantity and unit, or these without a drug"
            yield _problem(what, "Give all three", "LIN", subject)
    for other in claim.others:
        yield from _balance(claim, other)


def _balance(claim: Claim, other: OtherPayer) -> Iterator[Finding]:
    """Yield where an earlier payer's answer does not add up: charge = paid + adjustments for each line and for the claim."""
    payer, paid = other.coverage.payer, Fraction(0)
    for line in claim.lines:
        answers = [one for one in line.paid if one.payer == payer]
        if not answers:
            continue
        paid += total(one.paid for one in answers)
        left = line.charge - total(one.paid + total(adjustment.amount for adjustment in one.adjustments) for one in answers)
        if left:
            what = f"line {line.body.number}: charge less payment and adjustments of payer {payer} leaves {exact_text(left)}"
            yield _problem(what, "Check the payer's answer", "SVD02", claim.reference, code="HEALTH42")
    expected = paid - total(one.amount for one in other.adjustments)
    if any(line.paid for line in claim.lines) and expected != other.paid:
        what = f"payer {payer} paid {exact_text(other.paid)}, its lines and adjustments say {exact_text(expected)}"
        yield _problem(what, "Check the payer's answer", "AMT*D", claim.reference, code="HEALTH42")


def _problem(what: str, remedy: str, field: str, subject: str, *, code: str = "HEALTH40") -> Finding:
    return Finding(code=code, what=what, remedy=remedy, field=field, subject=subject)
