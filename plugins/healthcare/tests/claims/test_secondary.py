"""A claim to a later payer tells what the earlier ones decided, and adds up (vector cob-837)."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
from billing_healthcare.claims.check import check_claims
from billing_healthcare.claims.claim import LinePaid, OtherPayer
from billing_healthcare.claims.complete import claim_problems
from billing_healthcare.claims.write import write_claims
from billing_healthcare.coverage import Coverage
from billing_healthcare.remittance.remittance import Adjustment
from billing_healthcare.settings import HealthcareSettings
from billing_healthcare.x12.segment import Delimiters

from billing_framework import CheckRequest

Make = Callable[..., Any]
DATA = Path(__file__).parents[1] / "data" / "vectors" / "healthcare.json"
VECTOR = next(one for one in json.loads(DATA.read_text())["vectors"] if one["id"] == "cob-837")
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def secondary(claim: Make, service: Make) -> Any:
    lines = []
    for number, line in enumerate(VECTOR["given"]["lines"], start=1):
        reduced = [Adjustment(group="CO", reason="42", amount=Fraction(line["cas_CO42"]))] if "cas_CO42" in line else []
        paid = LinePaid(payer="FIR01", paid=Fraction(line["svd"]), adjustments=tuple(reduced), on=date(2026, 11, 10))
        lines.append(service(f"G000{number}", line["charge"], number=number, paid=(paid,)))
    adjustments = VECTOR["given"]["claim_cas_PR"].items()
    other = OtherPayer(
        coverage=Coverage(payer="FIR01", member="PRIM0001", group="GRP77"),
        name="FIRST PLAN",
        adjustments=tuple(Adjustment(group="PR", reason=reason, amount=Fraction(amount)) for reason, amount in adjustments),
        paid=Fraction(VECTOR["expect"]["amt_D_payer_paid"]),
        remaining=Fraction(VECTOR["expect"]["amt_EAF_remaining_patient"]),
    )
    return claim(*lines, coverage={"payer": "SEC01", "member": "SECMEM1"}, order="S", others=(other,))


def test_a_secondary_claim_adds_up_and_passes_the_judge(
    claim: Make, service: Make, settings: HealthcareSettings, judge: Make
) -> None:
    made = secondary(claim, service)
    assert made.charge == Fraction(VECTOR["expect"]["claim_total"])
    assert not list(claim_problems(made))
    data, writer = write_claims([made], settings, AT, control=1, delimiters=Delimiters())
    assert not writer.findings
    assert judge(data) == []
    assert not check_claims(data, CheckRequest(file="file"))
    lines = data.decode().splitlines()
    assert {"SBR*S*18*GRP01******CI~", "CAS*PR*1*21.89**2*15~", "AMT*D*39.15~", "AMT*EAF*36.89~"} <= set(lines)


def test_a_secondary_claim_that_does_not_add_up_is_refused(claim: Make, service: Make) -> None:
    made = secondary(claim, service)
    wrong = attrs.evolve(made, others=(attrs.evolve(made.others[0], paid=Fraction("39.16")),))
    assert [(finding.code, finding.field) for finding in claim_problems(wrong)] == [("HEALTH42", "AMT*D")]
    short = attrs.evolve(made, lines=(attrs.evolve(made.lines[0], charge=Fraction(44)), *made.lines[1:]))
    assert ("HEALTH42", "SVD02") in {(finding.code, finding.field) for finding in claim_problems(short)}
