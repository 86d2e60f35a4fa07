import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from billing_healthcare.remittance.answers import X12_835, next_party
from billing_healthcare.settings import HealthcareSettings

from billing_framework import (
    Answer,
    AnsweredDocument,
    AnswerItem,
    AnswerRequest,
    AnswerStatus,
    Finding,
    InputRefused,
    Money,
    Treatment,
)
from billing_framework.receivables.answer_balance import answer_findings, item_findings

Make = Callable[..., Any]
DATA = Path(__file__).parents[1] / "data" / "vectors" / "healthcare.json"
VECTOR = next(one for one in json.loads(DATA.read_text())["vectors"] if one["id"] == "era-06")["expect"]


def answers(data: bytes, **settings: Any) -> list[Answer]:
    request = AnswerRequest(file="file", currency="USD", settings=HealthcareSettings(**settings))
    found = list(X12_835.read(io.BytesIO(data), request))
    assert not [one for one in found if isinstance(one, Finding)]
    return [one for one in found if isinstance(one, Answer)]


@pytest.fixture
def mixed(sample: Make) -> bytes:
    data: bytes = sample("835_paid_denied_plb.x12").read_bytes()
    return data


def moneys(item: AnswerItem, treatment: Treatment) -> dict[str, str]:
    return {f"{one.group} {one.reason}": str(one.money).split()[0] for one in item.treated(treatment)}


def test_a_mixed_remittance_becomes_an_answer(mixed: bytes) -> None:
    (answer,) = answers(mixed)
    paid, denied = answer.items
    assert answer.money == Money.of(VECTOR["bank"], "USD")
    assert not answer_findings(answer)
    assert not item_findings(paid)
    assert not item_findings(denied)
    want = VECTOR["claim_ENC1001"]
    assert paid.total(Treatment.REDUCE) == Money.of(want["contractual"], "USD")
    moved = {one.reason: one.money for one in paid.treated(Treatment.NEXT_PARTY)}
    assert moved == {"2": Money.of(want["patient_coinsurance"], "USD"), "3": Money.of(want["patient_copay"], "USD")}
    assert {one.code for one in paid.treated(Treatment.REDUCE)} == {"contractual"}
    (recovered,) = answer.adjustments
    assert (recovered.reason, recovered.code, recovered.money) == ("WO", "recovery", Money.of(VECTOR["recoup_WO"], "USD"))


def test_a_denial_gives_nothing_up_and_bills_no_patient(mixed: bytes) -> None:
    denied = answers(mixed)[0].items[1]
    want = VECTOR["claim_ENC1004"]
    assert denied.status is AnswerStatus.DENIED
    assert denied.total(Treatment.DENY) == Money.of(want["denied"], "USD")
    assert not denied.total(Treatment.NEXT_PARTY)
    assert not denied.total(Treatment.REDUCE)
    (adjustment,) = denied.every_adjustment()
    assert (adjustment.reason, adjustment.remarks) == (want["CARC"], (want["RARC"],))


def test_the_same_amounts_balance_as_the_journal_says(mixed: bytes) -> None:
    (answer,) = answers(mixed)
    paid = answer.items[0]
    debits = [answer.money, answer.adjustments[0].money, paid.total(Treatment.REDUCE), paid.total(Treatment.NEXT_PARTY)]
    assert Money.total(debits, "USD") == paid.billed == Money.of("250", "USD")


@pytest.mark.parametrize(
    ("old", "new", "level"),
    [
        ("BPR*I*121.4*", "BPR*I*121.41*", "file"),
        ("WO:OVERPAY0007*10~", "WO:OVERPAY0007*9~", "file"),
        ("CLP*ENC1001*1*250*131.4*36.6", "CLP*ENC1001*1*251*131.4*36.6", "claim"),
        ("CLP*ENC1001*1*250*131.4*36.6", "CLP*ENC1001*1*250*131.4*36.5", "claim"),
        ("CAS*CO*45*60~", "CAS*CO*45*61~", "claim"),
        ("CAS*CO*45*60~", "CAS*CO*45*-60~", "claim"),
        ("SVC*HC:G0438*200*112*", "SVC*HC:G0438*200*111*", "claim"),
    ],
)
def test_what_does_not_balance_is_told_and_never_bent(old: str, new: str, level: str, mixed: bytes) -> None:
    text = mixed.decode()
    assert old in text
    (answer,) = answers(text.replace(old, new, 1).encode())
    assert bool(answer_findings(answer)) == (level == "file")
    assert bool(item_findings(answer.items[0])) == (level == "claim")
    assert not item_findings(answer.items[1])


def test_signs_stand_as_they_came(mixed: bytes) -> None:
    text = mixed.decode().replace("CAS*CO*45*60~", "CAS*CO*45*72**94*-12~", 1)
    (answer,) = answers(text.encode())
    assert not item_findings(answer.items[0])
    reduced = [str(one.money) for one in answer.items[0].treated(Treatment.REDUCE)]
    assert reduced == ["72.00 USD", "-12.00 USD", "22.00 USD"]


def test_reasons_are_data(mixed: bytes) -> None:
    (answer,) = answers(mixed, contractual_reasons=("29",))
    assert {one.reason for one in answer.items[0].treated(Treatment.DENY)} == {"45"}
    text = mixed.decode().replace("CAS*CO*45*60~", "CAS*CO*253*60~", 1)
    assert "sequestration" in {one.code for one in answers(text.encode())[0].items[0].treated(Treatment.REDUCE)}
    other = mixed.decode().replace("CAS*CO*45*60~", "CAS*OA*23*60~", 1)
    assert moneys(answers(other.encode())[0].items[0], Treatment.NOTE) == {"OA 23": "60.00"}
    unknown = mixed.decode().replace("WO:OVERPAY0007", "ZZ:OVERPAY0007", 1)
    assert answers(unknown.encode())[0].adjustments[0].code == ""


def test_a_reversal_and_its_correction_are_two_items(mixed: bytes) -> None:
    text = mixed.decode().replace("CLP*ENC1001*1*", "CLP*ENC1001*22*", 1)
    keys = {item.key for data in (text, mixed.decode()) for item in answers(data.encode())[0].items}
    assert keys == {"ENC1001/PAYERICN0001/1", "ENC1001/PAYERICN0001/22", "ENC1004/PAYERICN0002/4"}
    assert answers(text.encode())[0].items[0].status is AnswerStatus.REVERSED


def test_unknown_statuses_decide_nothing(mixed: bytes) -> None:
    text = mixed.decode().replace("CLP*ENC1001*1*", "CLP*ENC1001*25*", 1)
    (answer,) = answers(text.encode())
    assert answer.items[0].status is AnswerStatus.INFORMATION
    assert "ANSWER03" in {finding.code for finding in item_findings(answer.items[0])}


def test_a_claim_of_a_document_with_several_is_a_part_of_it(mixed: bytes) -> None:
    text = mixed.decode().replace("CLP*ENC1001*", "CLP*CL-2026-000001.2*", 1)
    item = answers(text.encode())[0].items[0]
    assert (item.document, item.is_part) == ("CL-2026-000001", True)


@pytest.mark.parametrize("name", ["837p_minimal.x12", "277ca.x12", "999_accept.x12"])
def test_what_is_no_remittance_is_refused(name: str, sample: Make) -> None:
    with pytest.raises(InputRefused, match="HEALTH03"):
        answers(sample(name).read_bytes())


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("ISA*00*", "ISA*0*", "HEALTH01"),
        ("SE*35*", "SE*34*", "HEALTH02"),
        ("GE*1*1~", "", "HEALTH02"),
        ("TRN*1*EFT0001*1512345678~", "", "HEALTH02"),
        ("TRN*1*EFT0001*1512345678~", "TRN*1**1512345678~", "HEALTH04"),
        ("CAS*CO*45*60~", "CAS*CR*45*60~", "HEALTH04"),
        ("CAS*CO*45*60~", "CAS*CO**60~", "HEALTH04"),
        ("BPR*I*121.4*", "BPR*I*12l.4*", "HEALTH05"),
        ("*20261115~", "*20261315~", "HEALTH05"),
        ("SVC*HC:G0438*200*112*", "SVC*HC:G0438*200*1e2*", "HEALTH05"),
        ("SVC*HC:G0438*200*112*", "SVC*HC:G0438*200.001*112*", "HEALTH05"),
    ],
)
def test_every_fault_of_the_file_refuses_it(old: str, new: str, code: str, mixed: bytes) -> None:
    text = mixed.decode()
    assert old in text
    with pytest.raises(InputRefused, match=code):
        answers(text.replace(old, new, 1).encode())


def test_delimiters_come_from_the_file(mixed: bytes) -> None:
    (wanted,) = answers(mixed)
    for old, new in (("*:~", "|>\n"), ("*:~^", "+\x1f\x1e!")):
        table = str.maketrans(old, new)
        text = "".join(line for line in mixed.decode().splitlines()).translate(table)
        assert answers(text.encode()) == [wanted]
    assert answers(mixed.replace(b"\n", b"\r\n")) == [wanted]
    assert answers(b"\xef\xbb\xbf" + mixed.replace(b"\n", b"")) == [wanted]


def test_several_payments_and_interchanges_of_a_file_are_several_answers(mixed: bytes) -> None:
    other = mixed.replace(b"EFT0001", b"EFT0002").replace(b"000000001", b"000000002")
    assert [answer.trace for answer in answers(mixed + other)] == ["EFT0001", "EFT0002"]


def test_names_of_patients_are_not_taken_over(mixed: bytes) -> None:
    assert "DOE" not in repr(answers(mixed))


def test_each_party_owes_after_the_one_before() -> None:
    class Agreement:
        account = "C-1"
        terms = {"next_party": "S-1, P-1"}  # noqa: RUF012 - a term of one agreement

    class Document:
        agreements = {"A": Agreement()}  # noqa: RUF012 - one document

    def after(account: str) -> str:
        question: Any = type("Question", (), {"document": Document(), "account": account})()
        asked: AnsweredDocument = question
        return next_party(asked)

    assert [after(account) for account in ("C-1", "S-1", "P-1", "X-9")] == ["S-1", "P-1", "", ""]
