"""The acceptance vectors of the trade: each is proven by a test here or elsewhere, or belongs to a feature that is named."""

import json
from collections.abc import Callable
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs
import pytest
from billing_healthcare.pricing.value import FEE, Valuation
from billing_healthcare.remittance.answers import AnswerMaker
from billing_healthcare.remittance.remittance import Adjustment, ClaimAnswer, LineAnswer, Remittance, total
from billing_healthcare.settings import HealthcareSettings
from billing_healthcare.x12.number import is_npi

from billing_framework import Answer, exact_text
from billing_framework.receivables.answer_balance import answer_findings, item_findings
from billing_framework.receivables.answer_settlement import mirrors

Make = Callable[..., Any]
DATA = Path(__file__).parent / "data" / "vectors" / "healthcare.json"
VECTORS: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in json.loads(DATA.read_text())["vectors"]}

ELSEWHERE = {
    "era-06": "remittance/test_answers.py",
    "cob-837": "claims/test_secondary.py",
}
LATER = {
    "anes-01": "anesthesia",
    "anes-02": "anesthesia",
    "seq-01": "sequestration, in the estimate of what a payer pays",
    "msp-01": "Medicare as secondary payer",
    "oopm-01": "deductibles and out-of-pocket maxima",
    "share-01": "deductibles and out-of-pocket maxima",
    "share-03": "deductibles and out-of-pocket maxima",
    "cob-01": "coordination of benefits",
    "con-02": "per diem contracts",
    "con-03": "case rates and stop-loss",
    "con-06": "capitation",
    "edit-ptp": "claim edits",
    "edit-mue": "claim edits",
    "edit-timely": "clocks of timely filing",
    "fap-01": "financial assistance",
    "agb-01": "financial assistance",
    "gfe-01": "good-faith estimates",
    "plan-01": "payment plans",
    "kpi-01": "figures of the revenue cycle",
    "kpi-03": "figures of the revenue cycle",
}
VALUES = "hcpcs,mod,work_rvu,nonfac_pe_rvu,fac_pe_rvu,mp_rvu,mult_proc,bilat_surg,pre_op,intra_op,post_op,conv_factor\n"
PLACES = {"non-facility": "11", "facility": "22"}


def given(name: str) -> dict[str, Any]:
    result: dict[str, Any] = VECTORS[name]["given"]
    return result


def wanted(name: str) -> dict[str, Any]:
    result: dict[str, Any] = VECTORS[name]["expect"]
    return result


def fees(*rows: tuple[str, str, str, str]) -> str:
    return "code,fee,multiple,bilateral\n" + "".join(",".join(row) + "\n" for row in rows)


BY_SCHEDULE = 'basis = "fee_schedule"\nfee_schedule = "fee-schedule"\n'
BY_VALUES = 'basis = "mpfs"\nrelative_values = "mpfs-rvu"\n'


def test_no_vector_is_forgotten() -> None:
    here = {name.removeprefix("test_vector_").replace("_", "-") for name in globals() if name.startswith("test_vector_")}
    parametrized = {"mpfs-01", "mpfs-02", "mpfs-03", "mpfs-05"}
    assert here - {"mpfs"} <= VECTORS.keys()
    assert here - {"mpfs"} | parametrized | ELSEWHERE.keys() | LATER.keys() == VECTORS.keys()
    assert not here & LATER.keys()


@pytest.mark.parametrize("name", ["mpfs-01", "mpfs-02", "mpfs-03", "mpfs-05"])
def test_vector_mpfs(name: str, world: Any, line: Make, expected: Make, sample: Make) -> None:
    data = given(name)
    values = world.table("mpfs_rvu", sample("mpfs_2022_level2.csv").read_bytes())
    places = world.table("gpci", sample("gpci_2022.csv").read_bytes())
    terms, tables = BY_VALUES, [values]
    if data["locality"] != "national":
        row = next(row for row in places.rows if row.locality_name == data["locality"])
        assert (row.work_gpci, row.pe_gpci, row.mp_gpci) == tuple(
            Fraction(data[key]) for key in ("work_gpci", "pe_gpci", "mp_gpci")
        )
        terms, tables = f'{terms}localities = "gpci"\nlocality = "{row.mac}/{row.locality}"', [values, places]
    rated = world.bill(terms, [line(data["code"])], tables=tables, place=PLACES[data["setting"]])
    assert expected(rated) == [wanted(name)["fee"]]


def test_vector_mpfs_08(world: Any, line: Make, expected: Make, sample: Make) -> None:
    values = world.table("mpfs_rvu", sample("mpfs_2022_level2.csv").read_bytes())
    lines = [line("G0106", number=n, modifiers=mod, encounter=f"E{n}") for n, mod in enumerate(("", "TC", "26"), start=1)]
    found = [Fraction(text) for text in expected(world.bill(BY_VALUES, lines, tables=[values]))]
    want = wanted("mpfs-08")
    assert found == [Fraction(want[key]) for key in ("global_fee", "tc_fee", "pc_fee")]
    assert found[1] + found[2] == Fraction(want["tc_plus_pc"])
    assert found[0] - found[1] - found[2] == Fraction(want["rounding_difference"])


def test_vector_mpfs_10(world: Any, line: Make, expected: Make) -> None:
    factors = world.table(
        "conversion_factor",
        "starts_on,ends_on,participant,factor\n2021-01-01,2022-01-01,any,34.8931\n2022-01-01,2023-01-01,any,34.6062\n"
        "2024-01-01,2024-03-09,any,32.74\n2024-03-09,2025-01-01,any,33.29\n"
        "2025-01-01,2026-01-01,any,32.3465\n2026-01-01,,other,33.4009\n2026-01-01,,qualifying,33.5675\n",
    )
    values = world.table("mpfs_rvu", VALUES + "X1,,2.00,0,0,0,0,0,0,0,0,\n")
    want = wanted("mpfs-10")
    for on, qualifying, fee in (
        ("2021-12-31", "false", want["fee_2021"]),
        ("2022-01-01", "true", want["fee_2022"]),
        ("2024-03-08", "false", "65.48"),
        ("2024-03-09", "false", "66.58"),
        ("2025-06-30", "false", want["fee_2025"]),
        ("2026-11-02", "false", want["fee_2026_nonqp"]),
        ("2026-11-02", "true", want["fee_2026_qp"]),
    ):
        terms = f'{BY_VALUES}conversion_factors = "conversion-factor"\nis_qualifying = {qualifying}'
        assert expected(world.bill(terms, [line("X1", on=on)], tables=[values, factors])) == [fee]


def test_vector_mps_02(world: Any, line: Make, expected: Make, sample: Make) -> None:
    data, want = given("mps-02")["lines"], wanted("mps-02")
    schedule = world.table("fee_schedule", fees(*((one["code"], one["fee"], "2", "0") for one in data)))
    lines = [line(one["code"], number=number) for number, one in enumerate(data, start=1)]
    for terms, table in (
        (BY_SCHEDULE, schedule),
        (BY_VALUES, world.table("mpfs_rvu", sample("mpfs_2022_level2.csv").read_bytes())),
    ):
        found = expected(world.bill(terms, lines, tables=[table], place="22"))
        assert [text.replace(",", "") for text in found] == [want["allowed"][one["code"]] for one in data]
        assert total(Fraction(text.replace(",", "")) for text in found) == Fraction(want["total"])


def test_vector_bilat_1(world: Any, line: Make, expected: Make) -> None:
    data, want = given("bilat-1"), wanted("bilat-1")
    table = world.table("fee_schedule", fees(("B1", data["fee"], "0", data["bilat_indicator"])))
    for charge, allowed in ((data["charge"], want["allowed"]), ("600", want["at_charge_600"])):
        assert expected(world.bill(BY_SCHEDULE, [line("B1", charge, modifiers=data["mod"])], tables=[table])) == [allowed]


def test_vector_bilat_3(world: Any, line: Make, expected: Make) -> None:
    data = given("bilat-3")
    table = world.table("fee_schedule", fees(("B1", data["fee"], "0", data["bilat_indicator"])))
    rated = world.bill(BY_SCHEDULE, [line("B1", modifiers=data["mod"])], tables=[table])
    assert expected(rated) == [wanted("bilat-3")["allowed"]]


def test_vector_asst_80(world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", fees(("S1", given("asst-80")["fee"], "0", "0")))
    for modifier, key in (("80", "mod_80_81_82"), ("81", "mod_80_81_82"), ("82", "mod_80_81_82"), ("AS", "mod_AS")):
        rated = world.bill(BY_SCHEDULE, [line("S1", modifiers=modifier)], tables=[table])
        assert expected(rated) == [wanted("asst-80")[key]]


def test_vector_endo_3(world: Any, line: Make, expected: Make) -> None:
    data, want = given("endo-3"), wanted("endo-3")
    rows = "".join(f"{one['code']},{one['fee']},3,0,E0\n" for one in (data["base"], *data["lines"]))
    table = world.table("fee_schedule", "code,fee,multiple,bilateral,family\n" + rows)
    lines = [line(code, number=number) for number, code in enumerate(("E1", "E2", "E0"), start=1)]
    assert expected(world.bill(BY_SCHEDULE, lines, tables=[table])) == [want["E1"], want["E2"], "0.00"]
    assert Fraction(want["E1"]) + Fraction(want["E2"]) == Fraction(want["total"])


def test_vector_mppr_therapy(world: Any, line: Make, expected: Make, sample: Make) -> None:
    data, want = given("mppr-therapy"), wanted("mppr-therapy")
    found = Valuation(
        work=Fraction(data["work"]), expense=Fraction(data["pe"]), malpractice=Fraction(data["mp"]), factor=Fraction(data["cf"])
    )
    assert (found.fee(), found.fee(Fraction(1, 2))) == (Fraction(want["unit1"]), Fraction(want["unit2"]))
    values = world.table("mpfs_rvu", sample("mpfs_2022_level2.csv").read_bytes())
    rated = world.bill(BY_VALUES, [line(data["code"], units=data["units"])], tables=[values])
    assert expected(rated) == [want["total"]]


def test_vector_global_split(world: Any, line: Make, expected: Make, sample: Make) -> None:
    data, want = given("global-split"), wanted("global-split")
    values = world.table("mpfs_rvu", sample("mpfs_2022_level2.csv").read_bytes())
    for modifier in ("54", "55"):
        rated = world.bill(BY_VALUES, [line(data["code"], modifiers=modifier)], tables=[values], place="22")
        assert expected(rated) == [want[f"mod_{modifier}"]]


def test_vector_con_01(world: Any, line: Make, expected: Make) -> None:
    data, want = given("con-01"), wanted("con-01")
    terms = f'basis = "percent_of_charges"\npercent = "{Fraction(data["pct"]) * 100}"\ncap = "{data["cap"]}"'
    (found,) = expected(world.bill(terms, [line("X1", data["charge"])]))
    assert Fraction(found.replace(",", "")) == Fraction(want["allowed"])
    assert Fraction(data["charge"]) - Fraction(want["allowed"]) == Fraction(want["CO45"])


def test_vector_con_07(world: Any, line: Make, expected: Make) -> None:
    data, want = given("con-07"), wanted("con-07")
    first, carved = data["lines"]
    schedule = world.table("fee_schedule", fees((first["code"], first["mpfs"], "0", "0"), ("CARVE1", "1", "0", "0")))
    carve = world.table("fee_schedule", fees((carved["code"], carved["contract_fixed"], "0", "0")), code="carve")
    terms = f'{BY_SCHEDULE}carve_outs = "carve"\nfactor = "{data["multiplier"]}"'
    lines = [line(one["code"], one["charge"], number=number) for number, one in enumerate(data["lines"], start=1)]
    assert expected(world.bill(terms, lines, tables=[schedule, carve])) == [want["G0438"], want["CARVE1"]]


def test_vector_edit_npi() -> None:
    assert [is_npi(text) for text in given("edit-npi")["npis"]] == wanted("edit-npi")["valid"]


def adjustments(data: dict[str, Any]) -> tuple[Adjustment, ...]:
    return tuple(
        Adjustment(group=key[:2], reason=key[2:], amount=Fraction(value))
        for key, value in data.items()
        if key[:2] in {"CO", "PR"}
    )


def answered(*claims: ClaimAnswer, bpr: str) -> Answer:
    given = Remittance(payer="1", trace="T", total=Fraction(bpr), method="ACH", paid_on=date(2026, 11, 15), claims=claims)
    return AnswerMaker(currency="USD", settings=HealthcareSettings()).answer(given)


def test_vector_era_01() -> None:
    claims = []
    for claim in given("era-01")["claims"]:
        lines = tuple(
            LineAnswer(code="X", charge=Fraction(one["charge"]), paid=Fraction(one["paid"]), adjustments=adjustments(one))
            for one in claim["lines"]
        )
        claims.append(
            ClaimAnswer(
                reference=claim["id"],
                status="1",
                charge=Fraction(claim["charge"]),
                paid=Fraction(claim["paid"]),
                patient=total(one.amount for line in lines for one in line.adjustments if one.group == "PR"),
                adjustments=(Adjustment(group="CO", reason="A2", amount=Fraction(claim["claim_cas_CO_A2"])),),
                lines=lines,
            )
        )
    assert [exact_text(claim.patient) for claim in claims] == wanted("era-01")["clp05"]
    right = answered(*claims, bpr=wanted("era-01")["bpr"])
    assert not answer_findings(right)
    assert not [finding for item in right.items for finding in item_findings(item)]
    assert [finding.code for finding in answer_findings(answered(*claims, bpr="945.01"))] == ["ANSWER04"]
    short = attrs.evolve(claims[0], paid=Fraction(449))
    assert {finding.code for finding in item_findings(answered(short, bpr="449").items[0])} == {"ANSWER02"}


def test_vector_era_04() -> None:
    original, want = given("era-04")["original"], wanted("era-04")["reversal"]

    def claim(data: dict[str, str], status: str) -> ClaimAnswer:
        found = adjustments(data)
        patient = Fraction(0) if status == "22" else total(one.amount for one in found if one.group == "PR")
        charge, paid = Fraction(data["charge"]), Fraction(data["paid"])
        return ClaimAnswer(reference="A", status=status, charge=charge, paid=paid, patient=patient, adjustments=found)

    answer = answered(claim(original, "1"), claim(want, want["clp02"]), bpr=wanted("era-04")["net_after_reversal"])
    assert not answer_findings(answer)
    assert not [finding for item in answer.items for finding in item_findings(item)]
    first, reversal = answer.items
    assert mirrors(reversal, first)
    assert first.key != reversal.key


def test_fees_round_half_up_once() -> None:
    assert FEE(Fraction("0.125")) == Fraction("0.13")
