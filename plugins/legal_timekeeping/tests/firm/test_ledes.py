"""E-bills of the example firm: what was billed leaves as LEDES 1998B, and an independent parser accepts it."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from billing_framework import Finding
from billing_framework.run.correct.credit import credit_document
from billing_framework.run.prove.export import check_file, export

Firm = Any
Parsed = list[dict[str, Any]]


@pytest.fixture(scope="session")
def judge() -> Callable[[bytes], Parsed]:
    """The parser of the package ledes-parser: the line items of a file, or an exception."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources, which setuptools gives up
        from ledes_parser import get_parser  # noqa: PLC0415 - only here, below the filter

        parser = get_parser("LEDES98B")

    def parse(data: bytes) -> Parsed:
        items: Parsed = parser.parse(data.decode("ascii"))["line_items"]
        return items

    return parse


def exported(firm: Firm, account: str, month: str, **options: str) -> tuple[bytes, tuple[Finding, ...]]:
    number = firm.numbers()[account, f"{month}-01"]
    report = export(firm.deployment, "ledes_1998b", numbers=[number], options=options)
    return report.data, report.findings


@pytest.mark.parametrize(
    ("account", "month"), [("A-100", "2026-06"), ("A-150", "2026-06"), ("A-200", "2026-06"), ("A-100", "2026-07")]
)
def test_bills_pass_the_judge_and_our_own_check(billed: Firm, judge: Callable[[bytes], Parsed], account: str, month: str) -> None:
    data, findings = exported(billed, account, month)
    assert not [finding for finding in findings if finding.stops], findings
    assert not [one for one in check_file(billed.deployment, data, "ledes_1998b", name="bill.txt", options={}) if one.stops]
    items = judge(data)
    content = billed.content(billed.numbers()[account, f"{month}-01"])
    taxes = sum(bool(tax.tax) for tax in content.taxes)
    assert len(items) == len(content.lines) + taxes
    assert {item["invoice_total"] for item in items} == {Decimal(content.totals.gross.minor) / 100}
    assert sum(item["line_item_total"] for item in items) == Decimal(content.totals.gross.minor) / 100
    for item in items:
        if item["exp_fee_inv_adj_type"] in {"F", "E"}:
            due = item["line_item_unit_cost"] * item["line_item_number_of_units"] + item["line_item_adjustment_amount"]
            assert due == item["line_item_total"], item


def test_a_payer_sees_undivided_hours_and_its_part_as_an_adjustment(billed: Firm, judge: Callable[[bytes], Parsed]) -> None:
    whole = {item["line_item_number"]: item for item in judge(exported(billed, "A-100", "2026-06")[0])}
    parts = judge(exported(billed, "A-150", "2026-06")[0])
    fees = [item for item in parts if item["exp_fee_inv_adj_type"] == "F"]
    assert fees
    for item in fees:
        twin = next(
            one
            for one in whole.values()
            if (one["timekeeper_id"], one["line_item_date"], one["line_item_number_of_units"], one["line_item_task_code"])
            == (item["timekeeper_id"], item["line_item_date"], item["line_item_number_of_units"], item["line_item_task_code"])
            and one["line_item_unit_cost"] == item["line_item_unit_cost"]
        )
        value = item["line_item_unit_cost"] * item["line_item_number_of_units"]
        both = item["line_item_total"] + twin["line_item_total"]
        assert both <= value
        assert item["line_item_adjustment_amount"] == item["line_item_total"] - value
        assert "share 40 %" in item["line_item_description"]
        assert twin["timekeeper_name"] == item["timekeeper_name"]


def test_entries_bring_people_codes_and_the_matter(billed: Firm, judge: Callable[[bytes], Parsed]) -> None:
    items = judge(exported(billed, "A-100", "2026-06", law_firm_id="12-3456789", description="June")[0])
    fee = next(item for item in items if item["exp_fee_inv_adj_type"] == "F")
    assert fee["timekeeper_name"]
    assert fee["timekeeper_classification"]
    assert fee["client_matter_id"] == "ACME-2026-17"
    assert {item["law_firm_id"] for item in items} == {"12-3456789"}
    assert {item["invoice_description"] for item in items} == {"June"}
    assert any(item["line_item_expense_code"] for item in items)


def test_the_same_documents_make_the_same_bytes(billed: Firm) -> None:
    assert exported(billed, "A-100", "2026-06") == exported(billed, "A-100", "2026-06")


def test_what_is_written_otherwise_is_told(billed: Firm) -> None:
    _, findings = exported(billed, "A-100", "2026-06", description="Services | “June”\n[]")
    told = {finding.field for finding in findings if finding.code == "LEDES24"}
    assert {"INVOICE_NUMBER", "INVOICE_DESCRIPTION"} <= told
    data, findings = exported(billed, "A-100", "2026-06", description="Services | “June”\n[]")
    said = next(finding.what for finding in findings if finding.field == "INVOICE_DESCRIPTION")
    assert said.endswith("""cannot take 'Services | “June” []': it is written 'Services / "June"'""")
    assert b'|Services / "June"|' in data


def test_what_a_receiver_would_not_take_is_not_written(billed: Firm) -> None:
    number = billed.numbers()["A-200", "2026-06-01"]
    report = export(billed.deployment, "ledes_1998b", numbers=[number], options={"profile": "legal_tracker"})
    assert report.data == b""
    assert {(finding.code, finding.field) for finding in report.findings if finding.stops} >= {("LEDES03", "CLIENT_MATTER_ID")}


def test_a_credit_note_is_adjustments_below_zero(firm: Firm) -> None:
    firm.take_in("time_2026-06.csv", "legal_time_csv")
    firm.post(firm.draft(6))
    number = firm.numbers()["A-100", "2026-06-01"]
    note = credit_document(firm.deployment, number, reason="billed too early").note
    report = export(firm.deployment, "ledes_1998b", numbers=[note], options={})
    assert not [finding for finding in report.findings if finding.stops], report.findings
    kinds = {line.split("|")[9] for line in report.data.decode().splitlines()[2:]}
    assert kinds == {"IF"}
