"""Findings that hold nobody, such as a measure without a price, are told wherever an officer looks at the run."""

from __future__ import annotations

import attrs

from billing_framework import BillingGroup, Finding, Rater, Rating, Severity, hookimpl
from billing_framework.plugin.host import Host
from billing_framework.rating.measure_rater import measure_rater
from billing_framework.run.review.report import report_run
from billing_framework.run.review.review import review_run
from billing_framework.storage.engine import Database
from tests.cli.in_office import told
from tests.scenarios import workshop
from tests.scenarios.office import Office


class CountingWorkshop:
    """The workshop's plugin, which measures the number of jobs, too; no component of the plan prices it.

    Attributes:
        several: how many more findings it makes of each account.
    """

    billing_usage_kinds = staticmethod(workshop.billing_usage_kinds)
    billing_readers = staticmethod(workshop.billing_readers)

    def __init__(self, several: int = 0) -> None:
        self.several = several

    @hookimpl
    def billing_raters(self) -> list[Rater]:
        (hours,), jobs = workshop.billing_raters(), measure_rater("job", "", "job", "jobs")

        def rate(group: BillingGroup) -> Rating:
            odd = [
                Finding(code="SHOP01", severity=Severity.INFORMATION, what="an odd job", value=f"odd {number}")
                for number in range(self.several if group.agreements[0].records else 0)
            ]
            measures = (*hours.rate(group).measures, *jobs.rate(group).measures)
            return Rating(measures=measures, findings=tuple(odd))

        return [attrs.evolve(hours, rate=rate, measures=("hours", "jobs"))]


def counted(database: Database, several: int = 0) -> Office:
    office = Office.of(database)
    for number in range(1, 6):
        office.customer(f"C{number}", f"drill{number}")
    for number in range(1, 5):
        office.jobs(f"j{number},drill{number},2026-07-03T08:00:00+00:00,4", file=f"{number}.csv")
    return Office(attrs.evolve(office.deployment, host=Host.build([("workshop", CountingWorkshop(several))])), office.clock)


UNPRICED = (
    "RATE06 Measure without a price: 4 accounts, C1, C2, C3 and 1 more ('jobs')."
    " Nothing, if it is meant to be free; otherwise add a component for it"
)


def test_a_measure_without_a_price_is_told_when_a_run_starts_and_is_looked_at(database: Database) -> None:
    office = counted(database)
    started = office.start("2026-07")
    assert started.counts == {"drafted": 5}
    assert [str(finding) for finding in started.findings] == [UNPRICED]
    review = review_run(office.deployment)
    assert [str(finding) for finding in review.findings] == [UNPRICED]
    assert (dict(review.control), review.reconciled) == ({"priced": 4, "records": 4}, True)
    report = report_run(office.deployment)
    assert (report.told, dict(report.control), report.reconciled) == ((UNPRICED,), {"priced": 4, "records": 4}, True)
    for command in ("review", "report", "resume"):
        assert UNPRICED in told(office, "run", command)
    office.approve()
    office.post()
    assert [str(finding) for finding in review_run(office.deployment).findings] == [UNPRICED]


def test_each_value_of_a_code_is_told_by_itself(sqlite_database: Database) -> None:
    few = [finding.value for finding in counted(sqlite_database, several=5).start("2026-07").findings]
    assert few == ["jobs", "odd 0", "odd 1", "odd 2", "odd 3", "odd 4"]


def test_very_many_values_are_not_told_one_by_one(sqlite_database: Database) -> None:
    found = counted(sqlite_database, several=50).start("2026-07").findings
    assert [(finding.code, finding.value, finding.what) for finding in found] == [
        ("RATE06", "jobs", "Measure without a price: 4 accounts, C1, C2, C3 and 1 more"),
        ("SHOP01", "", "found: 4 accounts, C1, C2, C3 and 1 more"),
    ]
