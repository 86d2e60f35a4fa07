from collections.abc import Callable
from typing import Any

import pytest
from billing_healthcare.claims.check import check_claims

from billing_framework import CheckRequest

Make = Callable[..., Any]


def codes(data: bytes) -> list[tuple[str, str]]:
    return [(finding.code, finding.field) for finding in check_claims(data, CheckRequest(file="file"))]


@pytest.mark.parametrize("name", ["837p_minimal.x12", "837p_secondary.x12"])
def test_good_samples_pass_and_satisfy_the_judge(name: str, sample: Make, judge: Make) -> None:
    data = sample(name).read_bytes()
    assert codes(data) == []
    assert judge(data) == []


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("demo.example1.837", []),
        ("demo.cob.example3.B.837", [("HEALTH12", "NM109"), ("HEALTH41", "N403"), ("HEALTH12", "NM109"), ("HEALTH12", "NM109")]),
        ("demo.drug.example10.2.837", [("HEALTH41", "N403")]),
        ("demo.example8.837", [("HEALTH41", "N403"), ("HEALTH12", "NM109")]),
    ],
)
def test_published_examples_are_told_what_is_wrong_with_them(name: str, wanted: list[tuple[str, str]], sample: Make) -> None:
    assert codes(sample(f"linuxforhealth-x12/{name}").read_bytes()) == wanted


@pytest.mark.parametrize("name", ["837i_minimal.x12", "835_paid_denied_plb.x12", "277ca.x12", "999_accept.x12"])
def test_other_transactions_are_refused_by_name(name: str, sample: Make) -> None:
    (finding,) = check_claims(sample(name).read_bytes(), CheckRequest(file="file"))
    assert finding.code == "HEALTH03"
    assert name[:3] in finding.what


@pytest.mark.parametrize(
    ("old", "new", "wanted"),
    [
        ("CLM*ENC1001*250*", "CLM*ENC1001*251*", ("HEALTH42", "CLM02")),
        ("***1:2~", "***1:3~", ("HEALTH13", "SV107")),
        ("***1:2~", "~", ("HEALTH13", "SV107")),
        ("XX*1234567893~", "XX*1234567890~", ("HEALTH12", "NM109")),
        ("SE*31*", "SE*30*", ("HEALTH02", "SE01")),
        ("GE*1*1~", "GE*1*2~", ("HEALTH02", "GE02")),
        ("IEA*1*000000001", "IEA*2*000000001", ("HEALTH02", "IEA01")),
        ("ST*837*0001*005010X222A1", "ST*837*0001*005010X222A2", ("HEALTH02", "ST03")),
        ("11:B:1*Y", "11:B:7*Y", ("HEALTH40", "CLM05")),
        ("11:B:1*Y", "11:A:1*Y", ("HEALTH03", "CLM05")),
        ("HI*ABK:Z0000*ABF:E119~", "", ("HEALTH40", "HI")),
        ("SV1*HC:G0438*200*", "SV1*HC:G0438*2OO*", ("HEALTH05", "")),
        ("ISA*00*", "ISA*0*", ("HEALTH01", "")),
        ("IEA*1*000000001~", "", ("HEALTH02", "")),
        ("503090001~\nREF*EI", "50309~\nREF*EI", ("HEALTH41", "N403")),
    ],
)
def test_every_planted_fault_is_found(old: str, new: str, wanted: tuple[str, str], sample: Make) -> None:
    text = sample("837p_minimal.x12").read_text()
    assert old in text
    assert wanted in codes(text.replace(old, new, 1).encode())


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("SVD*FIR01*120*", "SVD*FIR01*121*", "SVD02"),
        ("AMT*D*120~", "AMT*D*119~", "AMT02"),
        ("CAS*CO*45*25", "CAS*CO*45*24", "SVD02"),
    ],
)
def test_answers_of_earlier_payers_must_add_up(old: str, new: str, field: str, sample: Make) -> None:
    text = sample("837p_secondary.x12").read_text()
    assert ("HEALTH42", field) in codes(text.replace(old, new, 1).encode())


def test_no_value_of_a_patient_is_repeated(sample: Make) -> None:
    text = sample("837p_minimal.x12").read_text().replace("CLM*ENC1001*250", "CLM*ENC1001*1").replace("DOE*JANE", "CANARY*JANE")
    found = check_claims(text.encode(), CheckRequest(file="file"))
    assert found
    assert not any("CANARY" in str(finding) for finding in found)
