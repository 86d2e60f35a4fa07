"""Two months of the example firm: reviewed, deferred, late, shared, capped; every line explained by replay."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from billing_framework.run.prove.reconcile import reconcile
from billing_framework.run.review.wanted_edits import RecordChange, WriteDown

ACME, INSURER, CAPPED, FLAT = "A-100", "A-150", "A-200", "A-300"


def lines(billed: Any, account: str, month: int) -> dict[str, Any]:
    number = billed.numbers()[account, f"2026-{month:02}-01"]
    return {line.description.partition(", share")[0]: line for line in billed.content(number).lines}


def test_what_the_reviewer_decided_is_billed(billed: Any) -> None:
    acme = lines(billed, ACME, 6)
    assert acme["Draft motion, first version"].net.major == Fraction("614.46")  # 2.8 h x 385, less 5 %, 60 % of it
    assert acme["Meeting in the firm about file"].net.minor == 0
    assert "Call with opposing counsel" not in acme
    assert "Reorganise own notes" not in acme
    details = dict(acme["Review complaint; outline defences"].details)
    assert details["Adjustment"].startswith("-$50.00 taken off · -$36.56 discount")


def test_the_discount_is_exact_over_all_lines_and_payers(billed: Any) -> None:
    both = [*lines(billed, ACME, 6).values(), *lines(billed, INSURER, 6).values()]
    fees = sum(line.net.major for line in both if line.charge_code.startswith("fees"))
    # 481.25 + 731.20 + 133 + 1078 + 192.50 + 862.50, and nothing for the talk in the firm
    assert fees == Fraction("3478.45") - Fraction("173.92")
    assert {line.charge_code for line in lines(billed, INSURER, 6).values()} == {"fees.hourly", "fees.travel"}


def test_late_and_deferred_entries_come_with_the_next_bill_at_the_prices_of_their_day(billed: Any) -> None:
    july = lines(billed, ACME, 7)
    assert [str(line.service.start) for line in july.values()] == ["2026-06-24", "2026-06-30", "2026-07-02", "2026-07-02"]
    assert dict(july["Research venue cases"].details)["Timekeeper"] == "TO · Ortiz, Tomas · ASSOC"
    assert july["Drive to court"].net.major == Fraction("15.95")  # the price of a mile rose in July


def test_the_heading_of_a_matter_names_its_title(billed: Any) -> None:
    (heading,) = billed.content(billed.numbers()[ACME, "2026-06-01"]).groups
    assert heading.title == "M-0001 · 0001 · Acme v. Brandt Tooling"


def test_the_cap_counts_both_bills(billed: Any) -> None:
    fees = [line for month in (6, 7) for line in lines(billed, CAPPED, month).values() if line.charge_code != "costs.office"]
    assert sum(line.net.major for line in fees) == 6000
    assert fees[-1].description == "Über der vereinbarten Obergrenze"


def test_the_flat_fee_is_billed_once_and_its_hours_stay_visible(billed: Any) -> None:
    june = lines(billed, FLAT, 6)
    assert june["Agreed fee for the lease"].net.major == 2500
    assert june["Review of lease and riders"].net.minor == 0
    assert (FLAT, "2026-07-01") not in billed.numbers()


def test_every_line_is_explained_and_the_books_are_proven(billed: Any) -> None:
    assert [problem for number in billed.numbers().values() for problem in billed.problems(number)] == []
    assert reconcile(billed.deployment, "HALE", deep=True) == []


def test_a_bill_is_written_down_by_an_officer_to_the_cent(firm: Any) -> None:
    firm.take_in("time_2026-06.csv", "legal_time_csv")
    run = firm.draft(6)
    firm.edit(run, CAPPED, WriteDown(cut="39.99"))
    firm.post(run)
    found = lines(firm, CAPPED, 6).values()
    assert sum(line.net.major for line in found) == 4440 - Fraction("39.99")


def test_an_entry_that_cannot_be_priced_holds_its_account_only(firm: Any) -> None:
    firm.take_in("time_2026-06.csv", "legal_time_csv")
    run = firm.draft(6)
    row = firm.edit(run, CAPPED, RecordChange(record="T-0621", values={"timekeeper": "XX"}))
    assert (row.state, [one.finding.code for one in row.evidence]) == ("held", ["LEGAL10"])
    firm.post(run)
    assert sorted(account for account, _ in firm.numbers()) == [ACME, INSURER, FLAT]
