"""Rules over several procedures of a day, and what single lines come to under each basis."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from billing_healthcare.kinds import Encounter

from billing_framework import InputRefused, Severity

Make = Callable[..., Any]
BY_VALUES = 'basis = "mpfs"\nrelative_values = "mpfs-rvu"\n'
BY_SCHEDULE = 'basis = "fee_schedule"\nfee_schedule = "fee-schedule"\n'
VALUES = "hcpcs,mod,status_code,work_rvu,nonfac_pe_rvu,fac_pe_rvu,mp_rvu,mult_proc,bilat_surg,endo_base,fac_na_ind,conv_factor\n"


def values(world: Any, *rows: str) -> Any:
    return world.table("mpfs_rvu", VALUES + "".join(f"{row}\n" for row in rows))


def plain(texts: list[str]) -> list[str]:
    return [text.replace(",", "") for text in texts]


def test_both_sides_come_before_the_ranking(world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", "code,fee,multiple,bilateral\nA1,400,2,1\nB1,500,2,1\n")
    rated = world.bill(BY_SCHEDULE, [line("B1"), line("A1", number=2, modifiers="50")], tables=[table])
    assert expected(rated) == ["250.00", "600.00"]  # 600 for both sides of A1 ranks first


def test_the_sixth_procedure_waits_for_a_person(world: Any, line: Make, expected: Make) -> None:
    rows = "".join(f"A{number},{100 * number},2,0\n" for number in range(1, 7))
    table = world.table("fee_schedule", "code,fee,multiple,bilateral\n" + rows)
    lines = [line(f"A{number}", number=number) for number in range(1, 7)]
    rated = world.bill(BY_SCHEDULE, lines, tables=[table])
    assert expected(rated) == ["", "100.00", "150.00", "200.00", "250.00", "600.00"]
    assert [(finding.code, finding.severity) for finding in rated.findings] == [("HEALTH23", Severity.INFORMATION)]
    assert "report" in rated.findings[0].what


def test_days_and_renderers_are_ranked_apart(world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", "code,fee,multiple,bilateral\nA1,400,2,0\nB1,500,2,0\n")
    lines = [line("A1", renderer="1"), line("B1", number=2, renderer="2"), line("B1", number=3, on="2026-11-03")]
    assert expected(world.bill(BY_SCHEDULE, lines, tables=[table])) == ["400.00", "500.00", "500.00"]
    across = [line("A1"), line("B1", encounter="E2")]
    assert expected(world.bill(BY_SCHEDULE, across, tables=[table])) == ["200.00", "500.00"]  # one day, two encounters


def test_families_of_endoscopies_rank_as_one(world: Any, line: Make, expected: Make) -> None:
    rows = "E0,300,3,0,E0\nE1,400,3,0,E0\nE2,450,3,0,E0\nS1,500,2,0,\n"
    table = world.table("fee_schedule", "code,fee,multiple,bilateral,family\n" + rows)
    lines = [line(code, number=number) for number, code in enumerate(("E1", "E2", "S1"), start=1)]
    # the family is 450 + (400 - 300) = 550 and ranks before 500
    assert expected(world.bill(BY_SCHEDULE, lines, tables=[table])) == ["100.00", "450.00", "250.00"]


def test_an_endoscopy_alone_is_a_surgery(world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", "code,fee,multiple,bilateral,family\nE1,400,3,0,E0\nS1,500,2,0,\n")
    rated = world.bill(BY_SCHEDULE, [line("E1"), line("S1", number=2)], tables=[table])
    assert expected(rated) == ["200.00", "500.00"]


def test_the_base_is_taken_off_before_or_after_rounding(world: Any, line: Make, expected: Make) -> None:
    table = values(world, "E0,,A,1.004,0,0,0,3,0,,,10", "E1,,A,2.006,0,0,0,3,0,E0,,10", "E2,,A,3,0,0,0,3,0,E0,,10")
    lines = [line("E1"), line("E2", number=2)]
    assert expected(world.bill(BY_VALUES, lines, tables=[table])) == ["10.02", "30.00"]
    rvu = world.bill(BY_VALUES + 'endoscopy_difference = "rvu"', lines, tables=[table])
    assert expected(rvu) == ["10.02", "30.00"]
    table = values(world, "E0,,A,1.0044,0,0,0,3,0,,,10", "E1,,A,2.0056,0,0,0,3,0,E0,,10", "E2,,A,3,0,0,0,3,0,E0,,10")
    assert expected(world.bill(BY_VALUES, lines, tables=[table]))[0] == "10.02"  # 20.06 - 10.04
    assert expected(world.bill(BY_VALUES + 'endoscopy_difference = "rvu"', lines, tables=[table]))[0] == "10.01"  # 10.012


def test_imaging_ranks_technical_and_professional_parts_apart(world: Any, line: Make, expected: Make) -> None:
    rows = [f"I{number},{mod},A,{work},0,0,0,4,0,,,10" for number, mod, work in (
        (1, "", 10), (1, "TC", 7), (1, "26", 3), (2, "", 9), (2, "TC", 4), (2, "26", 5),
    )]  # fmt: skip
    table = values(world, *rows)
    lines = [line("I1"), line("I2", number=2)]
    # technical: 70 full, 40 at 50 %; professional: 50 full, 30 at 95 %
    assert expected(world.bill(BY_VALUES, lines, tables=[table])) == ["98.50", "70.00"]
    parts = [line("I1", modifiers="TC"), line("I2", number=2, modifiers="26")]
    assert expected(world.bill(BY_VALUES, parts, tables=[table])) == ["70.00", "50.00"]


@pytest.mark.parametrize(("rule", "wanted"), [("6", "75.00"), ("7", "80.00")])
def test_technical_parts_of_heart_and_eye_are_reduced(rule: str, wanted: str, world: Any, line: Make, expected: Make) -> None:
    rows = [f"{code},{mod},A,{work},0,0,0,{rule},0,,,10" for code in ("H1", "H2") for mod, work in (("", 10), ("TC", 10))]
    lines = [line("H1", modifiers="TC"), line("H2", number=2, modifiers="TC")]
    assert expected(world.bill(BY_VALUES, lines, tables=[values(world, *rows)])) == ["100.00", wanted]


def test_status_decides_what_is_paid(world: Any, line: Make, expected: Make) -> None:
    rows = [f"S{status},,{status},1,0,0,0,0,0,,,10" for status in "ARTNXIBE"]
    table = values(world, *rows)

    def alone(status: str) -> str:
        (text,) = expected(world.bill(BY_VALUES, [line(f"S{status}")], tables=[table]))
        return str(text)

    assert [alone(status) for status in "ARTNXIBE"] == ["10.00"] * 3 + ["0.00"] * 5
    beside = world.bill(BY_VALUES, [line("ST"), line("SA", number=2)], tables=[table])
    assert expected(beside) == ["0.00", "10.00"]
    assert "status T" in beside.charges[0].details["Expected because"]


def test_a_place_where_it_is_not_done_has_no_price(world: Any, line: Make, expected: Make) -> None:
    table = values(world, "F1,,A,1,2,1,0,0,0,,NA,10")
    assert expected(world.bill(BY_VALUES, [line("F1")], tables=[table])) == ["30.00"]
    assert expected(world.bill(BY_VALUES, [line("F1")], tables=[table], place="22")) == [""]
    assert expected(world.bill(BY_VALUES, [line("F1", place="11")], tables=[table], place="22")) == ["30.00"]


def test_units_multiply_after_the_rules(world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", "code,fee,multiple,bilateral\nA1,33.33,2,0\nB1,500,2,0\n")
    rated = world.bill(BY_SCHEDULE, [line("A1", units=3), line("B1", number=2)], tables=[table])
    assert expected(rated) == ["50.01", "500.00"]  # 50 % of 33.33 is 16.67, three times


@pytest.mark.parametrize(
    ("modifiers", "wanted"),
    [("62", "625.00"), ("80", "160.00"), ("AS", "136.00"), ("52", "500.00"), ("50:80", "240.00"), ("53", ""), ("LT", "1,000.00")],
)
def test_modifiers_take_their_part(modifiers: str, wanted: str, world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", "code,fee,multiple,bilateral\nS1,1000,0,1\n")
    assert expected(world.bill(BY_SCHEDULE, [line("S1", modifiers=modifiers)], tables=[table])) == [wanted]


def test_a_row_of_a_modifier_wins(world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", "code,modifier,fee\nS1,,1000\nS1,TC,300\n")
    assert expected(world.bill(BY_SCHEDULE, [line("S1", modifiers="59:TC")], tables=[table])) == ["300.00"]
    own = values(world, "G1,,A,2,0,0,0,0,0,,,10", "G1,53,A,1,0,0,0,0,0,,,10")
    assert expected(world.bill(BY_VALUES, [line("G1", modifiers="53")], tables=[own])) == ["10.00"]


def test_percentages_have_cap_and_floor(world: Any, line: Make, expected: Make) -> None:
    terms = 'basis = "percent_of_charges"\npercent = "60"\ncap = "100"\nfloor = "20"\n'
    lines = [line("X", charge, number=number) for number, charge in enumerate(("100", "500", "25", "10"), start=1)]
    assert expected(world.bill(terms, lines)) == ["60.00", "100.00", "20.00", "10.00"]
    free = world.bill(terms + "lesser_of = false", lines)
    assert expected(free)[-1] == "20.00"


def test_what_the_schedule_lacks_is_paid_by_default_or_waits(world: Any, line: Make, expected: Make) -> None:
    table = world.table("fee_schedule", "code,fee\nA1,50\n")
    rated = world.bill(BY_SCHEDULE + 'default_percent = "40"', [line("Z9", "200")], tables=[table])
    assert expected(rated) == ["80.00"]
    waits = world.bill(BY_SCHEDULE, [line("Z9", "200")], tables=[table])
    assert expected(waits) == [""]
    assert str(waits.charges[0].amount) == "200 USD"
    assert not waits.held
    held = world.bill(f'bills = "allowed"\n{BY_SCHEDULE}', [line("Z9", "200")], tables=[table])
    assert held.held
    assert not held.charges


def test_a_table_without_a_version_is_told(world: Any, line: Make) -> None:
    rated = world.bill(BY_SCHEDULE, [line("A1", "10")])
    assert "no version of the rate table fee-schedule" in rated.findings[0].what


def test_a_line_without_charge_is_priced_by_the_charge_master_or_held(world: Any, line: Make) -> None:
    master = world.table("charge_master", "code,modifier,charge,text\nA1,,12.345,Visit\nA1,TC,5,\n")
    rated = world.bill(
        'charge_master = "charge-master"',
        [line("A1", None, units=3), line("A1", None, number=2, modifiers="TC")],
        tables=[master],
    )
    assert [charge.amount.value for charge in rated.charges] == [Fraction("37.04"), Fraction(5)]
    assert rated.charges[0].description == "Care · A1 · Visit"
    held = world.bill('charge_master = "charge-master"', [line("B1", None)], tables=[master])
    assert [finding.code for finding in held.findings] == ["HEALTH21"]
    assert held.held


def test_an_encounter_is_billed_whole_or_waits(world: Any, line: Make, usage: Make) -> None:
    head = usage("encounter", Encounter(encounter="E1", place="11", lines=2, last="CANARY"))
    one, other = (usage("service_line", line("A1", "10", number=number)) for number in (1, 2))
    for part in ([one], [head], [head, one], [one, other]):
        rated = world.rate("", part)
        assert not rated.charges
        assert not rated.held
        assert {finding.code for finding in rated.findings} == {"HEALTH20"}
        assert dict(rated.control.deferred) == {"its encounter is not here as a whole": len(part)}
    whole = world.rate("", [other, head, one])
    assert [charge.source for charge in whole.charges] == ["E1.1", "E1.2"]
    assert not whole.findings


def test_nothing_of_a_patient_is_in_what_is_rated(world: Any, line: Make) -> None:
    rated = world.bill("", [line("A1", "10")], first="CANARY", street="CANARY", diagnoses="CANARY")
    assert "CANARY" not in repr(rated)


def test_every_number_of_a_fee_stands_in_its_steps(world: Any, line: Make) -> None:
    table = values(world, "F1,,A,1.5,2,1,0.25,0,0,,,33.4009")
    (charge,) = world.bill(BY_VALUES + 'factor = "1.15"', [line("F1", "500")], tables=[table]).charges
    told = [f"{step.label} | {step.formula} | {step.result}" for step in charge.steps]
    assert told == [
        "charge | as delivered with the line | 500",
        "expected: fee of F1 (non-facility, national) | (1.5 × 1 + 2 × 1 + 0.25 × 1) × 33.4009, rounded to cents | 125.25",
        "expected: factor of the contract | 125.25 × 1.15 | 144.04",
    ]


@pytest.mark.parametrize(
    ("terms", "wanted"),
    [
        ('basis = "fee_schedule"', "fee_schedule"),
        ('basis = "mpfs"', "relative_values"),
        ('basis = "percent_of_charges"', "percent"),
        ('bills = "allowed"', "basis"),
        ('locality = "1/2"', "locality"),
        ("multiple_schedule = []", "multiple_schedule"),
        ('factor = "-1"', "factor"),
        ('imaging_percents = ["50"]', "imaging_percents"),
    ],
)
def test_terms_that_contradict_each_other_are_refused(terms: str, wanted: str, world: Any) -> None:
    with pytest.raises(InputRefused, match=wanted):
        world.plan(terms)
