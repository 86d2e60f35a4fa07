import json
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from billing_healthcare.coverage import read_coverages
from billing_healthcare.intake.encounter_csv import ENCOUNTER_CSV
from billing_healthcare.intake.encounter_json import ENCOUNTER_JSON

from billing_framework import BadRecord, Finding, InputRefused, Severity, Usage, timezone

Make = Callable[..., Any]
GOOD: dict[str, Any] = {
    "encounter": "E1",
    "account": "P-1",
    "place": "11",
    "patient": {"last": "CANARY", "first": "JANE", "birth": "1980-01-15", "sex": "F", "postcode": "503090001"},
    "coverage": [
        {"payer": "DHP01", "member": "CANARY1", "group": "G1"},
        {"payer": "SEC01", "member": "CANARY2", "relation": "19", "last": "CANARY", "birth": "1950-12-31"},
    ],
    "rendering": {"npi": "9900000016", "last": "HOUSE"},
    "diagnoses": ["Z00.00", "E11.9"],
    "patient_paid": 20.5,
    "lines": [
        {"code": "G0438", "charge": 200, "pointers": [1], "date": "2026-11-02"},
        {
            "code": "G0444",
            "modifiers": ["25", "59"],
            "units": "1.5",
            "pointers": "1:2",
            "date": "2026-11-02",
            "through": "2026-11-04",
        },
    ],
}
SHEET = """encounter,account,place,last,diagnoses,payer_1,member_1,code,modifiers,charge,pointers,date
E1,P-1,11,CANARY,Z0000:E119,DHP01,M1,G0438,,200,1,2026-11-02
E1,P-1,11,,,,,G0444,25:59,50.25,1:2,2026-11-03
E2,P-2,22,CANARY,I10,,,G0402,,,1,2026-11-04
"""


def changed(**change: Any) -> str:
    return json.dumps({**GOOD, **change}) + "\n"


def lines(**change: Any) -> list[dict[str, Any]]:
    return [{**GOOD["lines"][0], **change}]


def test_an_encounter_becomes_its_record_and_one_for_each_line(read: Make) -> None:
    head, first, second = read(ENCOUNTER_JSON, changed(), zone="America/Chicago")
    assert [one.kind for one in (head, first, second)] == ["encounter", "service_line", "service_line"]
    assert [one.external_id for one in (head, first, second)] == ["E1", "E1/1", "E1/2"]
    assert {one.subject for one in (head, first, second)} == {"P-1"}
    assert head.body.diagnoses == "Z0000:E119"
    assert head.body.patient_paid == Fraction("20.5")
    assert first.body.charge == 200
    assert (second.body.modifiers, second.body.units, second.body.pointers) == ("25:59", Fraction("1.5"), "1:2")
    assert (second.body.served_on, second.body.last_on) == (date(2026, 11, 2), date(2026, 11, 4))
    assert second.body.renderer == "9900000016"
    assert second.span.local_days(timezone("America/Chicago"))[-1][0] == date(2026, 11, 4)
    payers = read_coverages(head.body.coverage)
    assert [(one.payer, one.relation, one.birth) for one in payers] == [
        ("DHP01", "18", None),
        ("SEC01", "19", date(1950, 12, 31)),
    ]


def test_rows_of_a_sheet_become_encounters(read: Make) -> None:
    found = read(ENCOUNTER_CSV, SHEET)
    assert [one.external_id for one in found] == ["E1", "E1/1", "E1/2", "E2", "E2/1"]
    assert (found[2].body.charge, found[2].body.modifiers, found[2].body.number) == (Fraction("50.25"), "25:59", 2)
    assert found[3].body.coverage == ""
    assert found[4].body.charge is None


def test_nothing_personal_shows_itself(read: Make) -> None:
    assert "CANARY" not in repr([one.body for one in read(ENCOUNTER_JSON, changed())])


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"encounter": ""}, "HEALTH11", "encounter"),
        ({"encounter": "E 1"}, "HEALTH11", "encounter"),
        ({"account": ""}, "HEALTH11", "account"),
        ({"place": "1"}, "HEALTH11", "place"),
        ({"patient": {"first": "CANARY"}}, "HEALTH11", "last"),
        ({"patient": {"last": "X", "birth": "CANARY"}}, "HEALTH11", "birth"),
        ({"patient": {"last": "X", "sex": "CANARY"}}, "HEALTH11", "sex"),
        ({"patient": {"last": "X", "CANARY": "1"}}, "HEALTH10", "patient"),
        ({"diagnoses": ["CANARY!"]}, "HEALTH11", "diagnoses"),
        ({"diagnoses": ["A00"] * 13}, "HEALTH11", "diagnoses"),
        ({"rendering": {"npi": "9900000017"}}, "HEALTH12", "rendering_npi"),
        ({"frequency": "8"}, "HEALTH11", "frequency"),
        ({"frequency": "7"}, "HEALTH11", "payer_control"),
        ({"coverage": [{"payer": "X"}]}, "HEALTH11", "coverage"),
        ({"coverage": [{"payer": "X", "member": "CANARY", "relation": "XX"}]}, "HEALTH11", "coverage"),
        ({"coverage": [{"payer": "X", "member": "CANARY", "relation": "19"}]}, "HEALTH11", "coverage"),
        ({"coverage": [{"payer": "X", "member": "CANARY", "plan": "1"}]}, "HEALTH11", "coverage"),
        ({"coverage": [{"payer": "X", "member": "CANARY"}] * 4}, "HEALTH11", "coverage"),
        ({"coverage": {"payer": "X"}}, "HEALTH10", "coverage"),
        ({"lines": []}, "HEALTH11", "lines"),
        ({"lines": lines() * 51}, "HEALTH11", "lines"),
        ({"lines": lines(code="")}, "HEALTH11", "line 1 code"),
        ({"lines": lines(code="G 1")}, "HEALTH11", "line 1 code"),
        ({"lines": lines(modifiers=["1"])}, "HEALTH11", "line 1 modifiers"),
        ({"lines": lines(modifiers=["25"] * 5)}, "HEALTH11", "modifiers"),
        ({"lines": lines(units="0")}, "HEALTH11", "units"),
        ({"lines": lines(units="1e3")}, "HEALTH11", "line 1 units"),
        ({"lines": lines(units="-1")}, "HEALTH11", "line 1 units"),
        ({"lines": lines(charge="-5")}, "HEALTH11", "line 1 charge"),
        ({"lines": lines(charge="1,000")}, "HEALTH11", "line 1 charge"),
        ({"lines": lines(measure="KG")}, "HEALTH11", "line 1 measure"),
        ({"lines": lines(pointers=[3])}, "HEALTH13", "pointers"),
        ({"lines": lines(pointers=[1] * 5)}, "HEALTH13", "pointers"),
        ({"lines": lines(date="2026-13-01")}, "HEALTH11", "line 1 date"),
        ({"lines": lines(date="")}, "HEALTH11", "line 1 date"),
        ({"lines": lines(through="2026-11-01")}, "HEALTH11", "through"),
        ({"lines": lines(line=0)}, "HEALTH11", "line"),
        ({"lines": [*lines(line=2), *lines(line=2)]}, "HEALTH11", "line"),
        ({"lines": lines(price=1)}, "HEALTH10", "lines"),
        ({"lines": lines(charge=[1])}, "HEALTH10", "charge"),
        ({"unknown": 1}, "HEALTH10", "encounter"),
    ],
)
def test_whatever_is_wrong_suspends_the_encounter_with_its_place(change: Any, code: str, field: str, read: Make) -> None:
    bad, head, *_ = read(ENCOUNTER_JSON, changed(**change) + changed(encounter="E2"))
    assert isinstance(bad, BadRecord)
    assert isinstance(head, Usage)
    assert (code, field) in {(finding.code, finding.field) for finding in bad.findings}
    assert all(finding.remedy and finding.line == 1 for finding in bad.findings)
    shown = {finding.what.replace("'CANARY'", "") + finding.value for finding in bad.findings}
    assert "CANARY" not in "".join(shown)


def test_everything_wrong_is_told_at_once(read: Make) -> None:
    (bad,) = read(ENCOUNTER_JSON, changed(place="", account="", lines=lines(code="", units="x")))
    assert len(bad.findings) == 4


@pytest.mark.parametrize("text", ["{", "[]", '"text"', "1", "null", '{"encounter": NaN}', "{" * 100_000])
def test_a_line_that_is_no_encounter_is_suspended(text: str, read: Make) -> None:
    bad, *rest = read(ENCOUNTER_JSON, "\n" + text + "\n" + changed())
    assert isinstance(bad, BadRecord)
    assert bad.line == 2
    assert len(rest) == 3


@pytest.mark.parametrize("data", [b"[{}]", b"\xff\xfe", b"{" + b" " * 1_000_001])
def test_a_file_that_is_none_is_refused(data: bytes, read: Make) -> None:
    with pytest.raises(InputRefused, match="HEALTH10"):
        read(ENCOUNTER_JSON, data)


def test_an_empty_file_holds_nothing(read: Make) -> None:
    assert read(ENCOUNTER_JSON, b"\n\n") == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("E1,P-1,11,,,", "E1,P-2,11,,,", "differ in account"),
        ("E2,P-2,22", "E1,P-1,11", "do not follow"),
        ("E2,P-2,22,CANARY,I10,,,G0402,,,1,2026-11-04", "E2,P-2", "2 cells"),
        ("I10,,,G0402", "I10,X1,,G0402", "names no member"),
        ("2026-11-04", "4 Nov", "no date"),
    ],
)
def test_rows_that_contradict_each_other_are_suspended(old: str, new: str, what: str, read: Make) -> None:
    text = SHEET.replace(old, new, 1)
    if "follow" in what:
        text = text.replace("E1,P-1,11,,,,,G0444,25:59,50.25,1:2,2026-11-03\n", "E3,P-3,11,X,I10,,,G0402,,,1,2026-11-04\n")
    bad = [one for one in read(ENCOUNTER_CSV, text) if isinstance(one, BadRecord)]
    assert bad
    assert any(what in finding.what for one in bad for finding in one.findings)


@pytest.mark.parametrize(
    "text",
    [
        "",
        SHEET.replace("account,", "acount,", 1),
        SHEET.replace("last,", "", 1),
        SHEET.replace("place,", "encounter,", 1),
        SHEET + '"open',
    ],
)
def test_a_sheet_of_another_form_is_refused(text: str, read: Make) -> None:
    with pytest.raises(InputRefused, match="HEALTH10"):
        read(ENCOUNTER_CSV, text)


@pytest.mark.parametrize("bad", ["CAN*ARY", "CANÁRY", "CAN:ARY", "CANARY~"])
def test_a_name_that_no_claim_can_hold_is_told_at_intake_and_not_shown(read: Make, bad: str) -> None:
    payer = {"payer": "SEC01", "member": "CANARY2", "relation": "19", "last": bad}
    found = read(ENCOUNTER_JSON, changed(patient={**GOOD["patient"], "last": bad}, coverage=[GOOD["coverage"][0], payer]))
    told = [one for one in found if isinstance(one, Finding)]
    assert [(one.code, one.severity, one.field, one.value) for one in told] == [
        ("HEALTH09", Severity.INFORMATION, "last", ""),
        ("HEALTH09", Severity.INFORMATION, "coverage 2 last", ""),
    ]
    assert not any("CAN" in str(one) for one in told)
    assert len([one for one in found if isinstance(one, Usage)]) == 3
    # Who pays alone gets no claim, so that nothing is to be told.
    assert not any(isinstance(one, Finding) for one in read(ENCOUNTER_JSON, changed(patient={"last": bad}, coverage=[])))
    sheet = read(ENCOUNTER_CSV, SHEET.replace("CANARY", bad))
    assert [(one.subject, one.field) for one in sheet if isinstance(one, Finding)] == [("E1", "last")]
