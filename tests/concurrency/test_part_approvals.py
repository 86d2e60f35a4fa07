"""Two officers approve parts of one run at the same time: one acts after the other, and no number is given twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from billing_framework.run.cycle.approve import ApprovalReport, approve_run
from billing_framework.run.cycle.approve_part import ApprovalFilter
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.engine import Database
from tests.scenarios.office import Office

JULY = "MAIN.2026-07-01.monthly-1.1"


def test_parts_approved_at_once_stand_behind_each_other(database: Database) -> None:
    office = Office.of(database)
    accounts = [f"C{number}" for number in range(1, 7)]
    for account in accounts:
        office.customer(account, f"machine {account}")
    office.start("2026-07")

    def approve(account: str) -> ApprovalReport:
        return approve_run(office.deployment, JULY, wanted=ApprovalFilter(accounts=(account,)), reason="looked at")

    with ThreadPoolExecutor(max_workers=6) as officers:
        reports = list(officers.map(approve, accounts))
    assert [report.documents for report in reports] == [1] * 6
    assert [finding for report in reports for finding in report.findings] == []
    assert office.post(JULY).posted == 6
    with database.read() as connection:
        given, following = counters_given(connection, "MAIN")
    assert [sorted(given[name]) for name in following] == [[1, 2, 3, 4, 5, 6]]
