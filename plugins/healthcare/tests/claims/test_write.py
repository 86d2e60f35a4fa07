import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import attrs
import pytest
from billing_healthcare.claims.check import check_claims
from billing_healthcare.claims.claim import Claim
from billing_healthcare.claims.complete import claim_problems, sender_findings
from billing_healthcare.claims.write import write_claims
from billing_healthcare.settings import HealthcareSettings
from billing_healthcare.x12.envelope import Transaction, transactions
from billing_healthcare.x12.segment import Delimiters, read_segments

from billing_framework import CheckRequest

Make = Callable[..., Any]
AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def written(*claims: Claim, settings: HealthcareSettings, delimiters: Delimiters | None = None) -> bytes:
    data, writer = write_claims(claims, settings, AT, control=7, delimiters=delimiters or Delimiters())
    assert not writer.findings
    assert not list(sender_findings(settings))
    assert not [problem for claim in claims for problem in claim_problems(claim)]
    return data


def lines_of(data: bytes) -> list[str]:
    return [line.rstrip("~") for line in data.decode().splitlines()]


def test_a_claim_reads_as_the_guide_says(claim: Make, settings: HealthcareSettings, judge: Make) -> None:
    data = written(claim(), settings=settings)
    assert judge(data) == []
    assert not check_claims(data, CheckRequest(file="file"))
    lines = lines_of(data)
    assert "SBR*P*18*GRP01******CI" in lines
    assert "CLM*CLM-1*250***11:B:1*Y*A*Y*Y" in lines
    assert "HI*ABK:Z0000*ABF:E119" in lines
    assert "SV1*HC:G0444*50*UN*1***1:2" in lines
    assert lines[-3].startswith("SE*")
    assert int(lines[-3].split("*")[1]) == len(lines) - 4


def test_a_dependent_has_a_loop_of_its_own(claim: Make, settings: HealthcareSettings, judge: Make) -> None:
    data = written(claim(coverage={"relation": "19", "last": "DOE", "first": "JOHN"}), settings=settings)
    assert judge(data) == []
    lines = lines_of(data)
    assert {"HL*2*1*22*1", "SBR*P**GRP01******CI", "HL*3*2*23*0", "PAT*19", "NM1*QC*1*DOE*JANE"} <= set(lines)


def test_all_that_a_claim_may_say_passes_the_judge(claim: Make, service: Make, settings: HealthcareSettings, judge: Make) -> None:
    drug = {"drug": "00002751001", "drug_quantity": Fraction("1.5"), "drug_unit": "ML"}
    full = claim(
        service("J1100", "12.34", modifiers="59:76", units=Fraction("2.5"), **drug),
        service("G0438", "100", number=2, pointers="1:2", place="12", served_through=date(2026, 11, 4)),
        service("A0001", "0", number=3, measure="MJ", units=Fraction(69)),
        rendering_npi="1999999984",
        rendering_last="HOUSE",
        rendering_first="GREG",
        rendering_taxonomy="207Q00000X",
        referring_npi="1234567893",
        referring_last="WATSON",
        referring_first="JOHN",
        authorisation="AUTH1",
        frequency="7",
        payer_control="ICN1",
        patient_paid=Fraction(20),
        middle="Q",
    )
    several = [attrs.evolve(claim(), reference=f"CLM-{number}") for number in range(2, 5)]
    data = written(full, *several, settings=settings)
    assert judge(data) == []
    assert {"DTP*472*RD8*20261102-20261104", "REF*F8*ICN1", "AMT*F5*20", "LIN**N4*00002751001", "CTP****1.5*ML"} <= set(
        lines_of(data)
    )


def test_other_delimiters_are_written_and_read(claim: Make, settings: HealthcareSettings, judge: Make) -> None:
    for delimiters in (Delimiters(element="|", component=">", terminator="\n"), Delimiters(terminator="'", repetition="!")):
        data = written(claim(), settings=settings, delimiters=delimiters)
        assert judge(data) == []
        assert not check_claims(data, CheckRequest(file="file"))
        (found,) = transactions(read_segments(io.BytesIO(data), file="file"), file="file")
        assert isinstance(found, Transaction)
        assert [one.at(2) for one in found.segments if one.name == "CLM"] == ["250"]


@pytest.mark.parametrize("bad", ["DOE*S", "DOE~", "DO:E", "D^OE", "DOE\n", "DOÉ"])
def test_a_value_with_a_delimiter_is_refused_and_never_told(bad: str, claim: Make, settings: HealthcareSettings) -> None:
    _, writer = write_claims([claim(last=bad)], settings, AT, control=1, delimiters=Delimiters())
    (finding,) = writer.findings
    assert (finding.code, finding.field) == ("HEALTH09", "NM103")
    assert bad not in str(finding)


def test_the_same_claims_make_the_same_bytes(claim: Make, settings: HealthcareSettings) -> None:
    assert written(claim(), settings=settings) == written(claim(), settings=settings)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"first": ""}, "first"),
        ({"birth": None}, "birth"),
        ({"postcode": ""}, "postcode"),
        ({"diagnoses": ""}, "diagnoses"),
        ({"frequency": "7"}, "REF*F8"),
    ],
)
def test_what_a_claim_lacks_is_told(change: dict[str, Any], field: str, claim: Make) -> None:
    assert field in {finding.field for finding in claim_problems(claim(**change))}


def test_what_the_settings_lack_is_told(settings: HealthcareSettings) -> None:
    assert {"submitter", "provider_npi", "postcode"} <= {finding.field for finding in sender_findings(HealthcareSettings())}
    codes = [
        finding.code
        for changed in (
            attrs.evolve(settings, postcode="50309"),
            attrs.evolve(settings, street="P.O. Box 12"),
            attrs.evolve(settings, receiver_id="X" * 16),
        )
        for finding in sender_findings(changed)
    ]
    assert codes == ["HEALTH41", "HEALTH40", "HEALTH40"]


def test_the_judge_is_no_yes_man(claim: Make, settings: HealthcareSettings, judge: Make) -> None:
    data = written(claim(), settings=settings)
    for without in (b"N3*1 ELM ST~\n", b"HL*2*1*22*0~\n", b"DTP*472*D8*20261102~\n"):
        assert judge(data.replace(without, b"", 1)) != []
