"""The check of LEDES files: every mutation of a good file is told with its line and field, and a good file raises nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from billing_legal_timekeeping.ledes.check import check_1998b
from billing_legal_timekeeping.ledes.layout import NAMES
from billing_legal_timekeeping.ledes.profile import OnUnknown, ReceiverProfile, read_profiles, shipped_profiles
from billing_legal_timekeeping.settings import LegalSettings

from billing_framework import CheckRequest, Finding, InputRefused
from tests.samples import sample_of

REPOSITORY = Path(__file__).parents[4]
HEADER = "|".join(NAMES)
INVOICE = "20260205|INV1|NW|1001|1184.40|20260101|20260131|January"
FIRM = "98-7654321"
GOOD = "\n".join(
    [
        "LEDES1998B[]",
        f"{HEADER}[]",
        f"{INVOICE}|1|F|1.20|0.00|504.00|20260108|L120||A104|TK1|Review of pleadings|{FIRM}|420.00|Rowan, Paula|PARTNR|NW-7[]",
        f"{INVOICE}|2|F|2.00|-26.50|503.50|20260112|L310||A103|TK2|Draft requests|{FIRM}|265.00|Ilves, Mark|ASSOC|NW-7[]",
        f"{INVOICE}|3|E|240|0.00|28.80|20260115||E101|||Copies|{FIRM}|0.12|||NW-7[]",
        f"{INVOICE}|4|E|1|0.00|198.10|20260120||E115|||Transcript|{FIRM}|198.10|||NW-7[]",
        f"{INVOICE}|5|IF||-50.00|-50.00|20260131|||||Courtesy discount|{FIRM}||||NW-7[]",
        "",
    ]
)


def told(text: str | bytes, **options: str) -> tuple[Finding, ...]:
    data = text.encode() if isinstance(text, str) else text
    return check_1998b(data, CheckRequest(file="bill.txt", options=options))


def put(line: int, field: str, value: str) -> Callable[[str], str]:
    """Return what puts another value into a field of a line item, numbered from 1."""

    def changed(text: str) -> str:
        lines = text.split("\n")
        values = lines[line + 1].removesuffix("[]").split("|")
        values[NAMES.index(field)] = value
        lines[line + 1] = "|".join(values) + "[]"
        return "\n".join(lines)

    return changed


def everywhere(field: str, value: str) -> Callable[[str], str]:
    """Return what puts another value into a field of all line items."""

    def changed(text: str) -> str:
        for line in range(1, 6):
            text = put(line, field, value)(text)
        return text

    return changed


def swapped(old: str, new: str, count: int = 1) -> Callable[[str], str]:
    return lambda text: text.replace(old, new, count)


def test_a_good_file_raises_nothing() -> None:
    assert told(GOOD) == ()


ERRORS = [
    (put(1, "LINE_ITEM_TOTAL", "505.00"), "LEDES10", 3, "LINE_ITEM_TOTAL"),
    (everywhere("INVOICE_TOTAL", "1184.41"), "LEDES11", 3, "INVOICE_TOTAL"),
    (put(4, "INVOICE_TOTAL", "1185.40"), "LEDES12", 6, "INVOICE_TOTAL"),
    (put(4, "INVOICE_DESCRIPTION", "February"), "LEDES12", 6, "INVOICE_DESCRIPTION"),
    (put(2, "LINE_ITEM_NUMBER", "1"), "LEDES13", 4, "LINE_ITEM_NUMBER"),
    (everywhere("BILLING_END_DATE", "20251231"), "LEDES14", 3, "BILLING_END_DATE"),
    (put(2, "LINE_ITEM_DATE", "20260205"), "LEDES15", 4, "LINE_ITEM_DATE"),
    (put(2, "LINE_ITEM_DATE", "20260230"), "LEDES07", 4, "LINE_ITEM_DATE"),
    (put(2, "LINE_ITEM_DATE", "2026-01-12"), "LEDES07", 4, "LINE_ITEM_DATE"),
    (everywhere("INVOICE_NUMBER", ""), "LEDES03", 3, "INVOICE_NUMBER"),
    (put(2, "LINE_ITEM_DATE", ""), "LEDES03", 4, "LINE_ITEM_DATE"),
    (put(2, "LINE_ITEM_NUMBER", ""), "LEDES03", 4, "LINE_ITEM_NUMBER"),
    (put(2, "LAW_FIRM_MATTER_ID", ""), "LEDES03", 4, "LAW_FIRM_MATTER_ID"),
    (put(1, "LINE_ITEM_NUMBER_OF_UNITS", ""), "LEDES03", 3, "LINE_ITEM_NUMBER_OF_UNITS"),
    (put(3, "LINE_ITEM_UNIT_COST", ""), "LEDES03", 5, "LINE_ITEM_UNIT_COST"),
    (put(1, "LINE_ITEM_NUMBER_OF_UNITS", "-1.20"), "LEDES16", 3, "LINE_ITEM_NUMBER_OF_UNITS"),
    (put(1, "EXP/FEE/INV_ADJ_TYPE", "X"), "LEDES08", 3, "EXP/FEE/INV_ADJ_TYPE"),
    (put(1, "EXP/FEE/INV_ADJ_TYPE", "f"), "LEDES08", 3, "EXP/FEE/INV_ADJ_TYPE"),
    (put(1, "LINE_ITEM_EXPENSE_CODE", "E101"), "LEDES17", 3, "LINE_ITEM_EXPENSE_CODE"),
    (put(1, "LINE_ITEM_TASK_CODE", ""), "LEDES17", 3, "LINE_ITEM_ACTIVITY_CODE"),
    (put(3, "LINE_ITEM_TASK_CODE", "L120"), "LEDES17", 5, "LINE_ITEM_EXPENSE_CODE"),
    (put(1, "TIMEKEEPER_ID", ""), "LEDES18", 3, "TIMEKEEPER_ID"),
    (put(1, "TIMEKEEPER_NAME", ""), "LEDES18", 3, "TIMEKEEPER_NAME"),
    (put(1, "LINE_ITEM_DESCRIPTION", ""), "LEDES18", 3, "LINE_ITEM_DESCRIPTION"),
    (put(1, "TIMEKEEPER_NAME", "Longname-Longname-Longname, Elizabeth"), "LEDES04", 3, "TIMEKEEPER_NAME"),
    (put(1, "LINE_ITEM_NUMBER_OF_UNITS", "12345678901"), "LEDES04", 3, "LINE_ITEM_NUMBER_OF_UNITS"),
    (put(1, "LINE_ITEM_NUMBER_OF_UNITS", "1.20000"), "LEDES06", 3, "LINE_ITEM_NUMBER_OF_UNITS"),
    (everywhere("INVOICE_TOTAL", "1,184.40"), "LEDES05", 3, "INVOICE_TOTAL"),
    (put(1, "LINE_ITEM_TOTAL", "$504.00"), "LEDES05", 3, "LINE_ITEM_TOTAL"),
    (put(1, "LINE_ITEM_TOTAL", "+504.00"), "LEDES05", 3, "LINE_ITEM_TOTAL"),
    (put(1, "LINE_ITEM_TOTAL", "504 00"), "LEDES05", 3, "LINE_ITEM_TOTAL"),
    (put(1, "LINE_ITEM_DESCRIPTION", "Review | draft"), "LEDES02", 3, ""),
    (put(1, "LINE_ITEM_DESCRIPTION", "Review\ndraft"), "LEDES02", 3, ""),
    (put(1, "LINE_ITEM_DESCRIPTION", "Review [] draft"), "LEDES09", 3, "LINE_ITEM_DESCRIPTION"),
    (swapped("|NW-7[]", "[]"), "LEDES02", 3, ""),
    (swapped("|NW-7[]", "|NW-7|[]"), "LEDES02", 3, ""),
    (swapped("|NW-7[]", "|NW-7"), "LEDES02", 3, ""),
    (swapped("CLIENT_MATTER_ID[]", "CLIENT_MATTER[]"), "LEDES01", 2, "CLIENT_MATTER_ID"),
    (swapped("INVOICE_DATE|INVOICE_NUMBER", "INVOICE_NUMBER|INVOICE_DATE"), "LEDES01", 2, "INVOICE_DATE"),
    (swapped("LEDES1998B[]\n", ""), "LEDES01", 1, ""),
    (swapped(f"{HEADER}[]\n", ""), "LEDES01", 2, ""),
    (swapped("LEDES1998B[]", "LEDES98BI V2[]"), "LEDES01", 1, ""),
    (lambda text: "\n".join(text.split("\n")[:2]), "LEDES01", 0, ""),
    (put(5, "LINE_ITEM_UNIT_COST", "50.00"), "LEDES20", 7, "LINE_ITEM_UNIT_COST"),
    (put(5, "LINE_ITEM_ADJUSTMENT_AMOUNT", "0"), "LEDES20", 7, "LINE_ITEM_ADJUSTMENT_AMOUNT"),
]


@pytest.mark.parametrize(("mutation", "code", "line", "field"), ERRORS)
def test_an_error_is_told_with_its_line_and_field(mutation: Callable[[str], str], code: str, line: int, field: str) -> None:
    found = told(mutation(GOOD))
    assert (code, line, field) in {(one.code, one.line, one.field) for one in found if one.stops}, found
    assert all(one.remedy for one in found)


WARNINGS = [
    (everywhere("INVOICE_DATE", "20260115"), "LEDES14", 3, "INVOICE_DATE"),
    (put(1, "LINE_ITEM_TASK_CODE", "Z999"), "LEDES19", 3, "LINE_ITEM_TASK_CODE"),
    (put(1, "LINE_ITEM_ACTIVITY_CODE", "A999"), "LEDES19", 3, "LINE_ITEM_ACTIVITY_CODE"),
    (put(3, "LINE_ITEM_EXPENSE_CODE", "E999"), "LEDES19", 5, "LINE_ITEM_EXPENSE_CODE"),
    (put(1, "TIMEKEEPER_CLASSIFICATION", "PT"), "LEDES19", 3, "TIMEKEEPER_CLASSIFICATION"),
    (put(1, "LINE_ITEM_DESCRIPTION", "Review of the client’s file"), "LEDES09", 3, ""),
    (put(2, "TIMEKEEPER_ID", "TK1"), "LEDES21", 4, "TIMEKEEPER_NAME"),
    (put(3, "LINE_ITEM_EXPENSE_CODE", ""), "LEDES17", 5, "LINE_ITEM_EXPENSE_CODE"),
    (lambda text: "\ufeff" + text, "LEDES22", 1, ""),
    (lambda text: text.replace("\n", "\r\n"), "LEDES22", 0, ""),
    (swapped("[]\n20260205", "[]\n\n20260205"), "LEDES22", 3, ""),
    (swapped("LEDES1998B", "ledes1998b"), "LEDES22", 1, ""),
]


@pytest.mark.parametrize(("mutation", "code", "line", "field"), WARNINGS)
def test_a_warning_is_told_and_stops_nobody(mutation: Callable[[str], str], code: str, line: int, field: str) -> None:
    found = told(mutation(GOOD))
    assert (code, line, field) in {(one.code, one.line, one.field) for one in found}, found
    assert not any(one.stops for one in found), found


def test_an_invoice_that_comes_twice_is_told() -> None:
    lines = GOOD.split("\n")
    again = [line.replace("|INV1|", "|INV2|") for line in lines[2:7]]
    found = told("\n".join([*lines[:7], *again, *lines[2:7]]))
    assert ("LEDES13", 13, "INVOICE_NUMBER") in {(one.code, one.line, one.field) for one in found}


def test_all_faults_are_told_at_once() -> None:
    text = GOOD
    for mutation, _, _, _ in ERRORS[:3]:
        text = mutation(text)
    assert {"LEDES10", "LEDES12"} <= {one.code for one in told(text)}


@pytest.mark.parametrize(
    ("profile", "mutation", "code"),
    [
        ("legal_tracker", put(1, "CLIENT_MATTER_ID", ""), "LEDES03"),
        ("legal_tracker", put(1, "LINE_ITEM_TASK_CODE", "Z999"), "LEDES19"),
        ("lawtrac", put(3, "LINE_ITEM_UNIT_COST", "0.1200"), "LEDES06"),
        ("brightflag", put(1, "LINE_ITEM_DESCRIPTION", "x" * 1024), "LEDES04"),
        ("collaborati", put(1, "LINE_ITEM_DESCRIPTION", "x" * 2001), "LEDES04"),
    ],
)
def test_receivers_want_more_than_the_format(profile: str, mutation: Callable[[str], str], code: str) -> None:
    text = mutation(GOOD)
    assert not any(one.stops for one in told(text))
    assert [one.code for one in told(text, profile=profile) if one.stops] == [code]


def test_a_receiver_may_take_one_negative_adjustment_only() -> None:
    again = GOOD.split("\n")[6].replace("|5|IF|", "|6|IF|")
    text = everywhere("INVOICE_TOTAL", "1134.40")(GOOD).rstrip("\n") + "\n" + again.replace("1184.40", "1134.40")
    assert told(text) == ()
    assert [(one.code, one.line) for one in told(text, profile="ecounsel")] == [("LEDES23", 8)]


def test_what_a_receiver_can_do_without_is_no_fault() -> None:
    text = put(1, "LAW_FIRM_MATTER_ID", "")(GOOD)
    assert [one.code for one in told(text)] == ["LEDES03"]
    assert told(text, profile="collaborati") == ()


def test_profiles_are_data() -> None:
    assert shipped_profiles()["legal_tracker"].classes["PT"] == "PARTNR"
    with pytest.raises(InputRefused, match="LEDES26"):
        told(GOOD, profile="nobody")
    own = ReceiverProfile(title="Acme", codes={"task": ("Z999",)}, unknown_codes=OnUnknown.ERROR)
    request = CheckRequest(file="bill.txt", settings=LegalSettings(receivers={"acme": own}), options={"profile": "acme"})
    text = put(1, "LINE_ITEM_TASK_CODE", "Z999")(GOOD)
    assert check_1998b(text.encode(), request) == ()
    other = put(1, "LINE_ITEM_TASK_CODE", "Z998")(GOOD)
    assert [one.code for one in check_1998b(other.encode(), request)] == ["LEDES19"]
    for text in (
        '[x]\ntitle = "X"\nrequired = ["NOTHING"]',
        "[x]",
        '[x]\ntitle = "X"\ncharset = "ebcdic"',
        '[x]\ntitle = "X"\ncodes = {a = []}',
        "x = 1",
        "[",
    ):
        with pytest.raises(InputRefused, match="LEDES26"):
            read_profiles(text, "mine.toml")


def test_sums_of_a_published_bill() -> None:
    """Vector L29 of the legal set."""
    lines = [("F", "2.00", "350", "-70"), ("F", "2.00", "350", "0"), ("F", "0.200", "200", "0"), ("E", "1", "24.95", "0")]
    lines.append(("E", "1", "289.5", "0"))
    totals = ["630", "700", "40", "24.95", "289.5"]
    text = ["LEDES1998B[]", f"{HEADER}[]"]
    for number, ((kind, units, cost, adjustment), total) in enumerate(zip(lines, totals, strict=True), start=1):
        codes = "L120||A104|TK1" if kind == "F" else "|E101||"
        person = "Rowan, Paula|PARTNR" if kind == "F" else "|"
        head = f"20260205|INV1|NW|1001|1684.45|20260101|20260131|January|{number}|{kind}|{units}|{adjustment}|{total}|20260110"
        text.append(f"{head}|{codes}|Work|{FIRM}|{cost}|{person}|NW-7[]")
    assert told("\n".join(text)) == ()


def test_a_credit_note_is_one_adjustment_below_zero() -> None:
    """Vector L30 of the legal set."""
    line = (
        "20260131|CR1001|ACME|0001001|-250.00|20260101|20260131|Courtesy credit|1|IF|1.00|-250.00|-250.00|20260131|||||"
        "Courtesy credit for January|99-0000001||||ACME-77[]"
    )
    assert told("\n".join(["LEDES1998B[]", f"{HEADER}[]", line])) == ()


def sample(name: str) -> bytes:
    return sample_of("legal", name).read_bytes()


def test_the_published_bill_is_good_but_for_one_quote() -> None:
    assert [(one.code, one.line, one.stops) for one in told(sample("ledes1998b_good.txt"))] == [("LEDES09", 3, False)]


@pytest.mark.parametrize("name", ["synthetic_1998b_two_invoices.txt", "synthetic_1998b_credit_note.txt"])
def test_good_samples_raise_nothing(name: str) -> None:
    assert told(sample(name)) == ()


def test_a_sample_without_a_unit_cost() -> None:
    found = told(sample("ledes1998b_eager_bad.txt"))
    assert [(one.code, one.line, one.field) for one in found if one.stops] == [("LEDES03", 3, "LINE_ITEM_UNIT_COST")]


NAMED = {
    "line_total_mismatch": "LEDES10",
    "invoice_total_mismatch": "LEDES11",
    "line_date_outside_period": "LEDES15",
    "period_reversed": "LEDES14",
    "task_and_expense_code": "LEDES17",
    "fee_without_timekeeper": "LEDES18",
    "activity_without_task": "LEDES17",
    "unknown_classification": "LEDES19",
    "unknown_task_code": "LEDES19",
    "field_too_long": "LEDES04",
    "invalid_date": "LEDES07",
    "unit_cost_missing": "LEDES03",
    "too_many_decimals": "LEDES06",
    "unknown_line_type": "LEDES08",
    "required_field_empty": "LEDES03",
    "duplicate_line_number": "LEDES13",
    "invoice_field_not_constant": "LEDES12",
}


def test_planted_faults_are_found_and_the_control_line_is_not() -> None:
    planted = json.loads(sample("synthetic_1998b_faults.expected.json"))["findings"]
    found = told(sample("synthetic_1998b_faults.txt"))
    for fault in planted:
        here = [one for one in found if one.line == fault["file_line"]]
        if fault["finding"] is None:
            assert here == []
            continue
        same = [one for one in here if one.code == NAMED[fault["finding"]]]
        assert same, fault
        assert same[0].stops == (fault["severity"] == "error"), fault
