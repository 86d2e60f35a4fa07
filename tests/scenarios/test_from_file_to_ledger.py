"""From a meter file to a proven ledger: intake, run, post, explain and verify come to identical documents on both databases.

The third-party samples are not part of the repository. They are read from the folder that BILLING_SAMPLES names, or from
``../shared/samples`` beside the checkout; where they are not, these cases are skipped and say so. Files of our own, for the same
formats, always run.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import attrs
import pytest
from billing_utility_metering import plugin

from billing_framework import ReadRequest, Usage, exact_text
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, ReviewSettings, Settings
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.post import post_run
from billing_framework.run.cycle.start import RunRequest, start_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.customers import create
from billing_framework.run.master.periods import month, open_periods
from billing_framework.run.master.plans import load_plan_files
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import list_documents, show_document
from billing_framework.run.prove.trial_balance import prove
from billing_framework.run.schema import upgrade_schema
from billing_framework.run.usage.intake import take_in
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.values.clock import FixedClock
from tests.samples import sample_of, samples_of
from tests.scenarios.office import BOOK, TAXES

REPOSITORY = Path(__file__).parents[2]
SAMPLES = samples_of("utility")
OWN = REPOSITORY / "examples" / "utility" / "data"

PLAN = """
schema = 1
[plan]
code = "plan"
version = "1"
valid_from = 2000-01-01
currency = "USD"
[[component]]
code = "daily"
title = { en = "Daily charge" }
model = "recurring"
interval = "day"
charge_code = "daily"
tax_category = "standard"
price = "0.40"
[[component]]
code = "energy"
title = { en = "Electricity" }
model = "graduated"
measure = "consumption"
unit = "kWh"
charge_code = "energy"
tax_category = "standard"
tiers = [{ to = "50", price = "0.1057" }, { price = "0.1333" }]
"""


@attrs.frozen(kw_only=True)
class Case:
    """One file and what its bill must say.

    Attributes:
        file: the file.
        format: its format.
        zone: time zone of the account and of market days.
        first: first date of service.
        last: last date of service.
        subject: the point as the file names it.
        consumption: total of the file, from its description.
        total: the bill, worked out by hand.
    """

    file: Path
    format: str
    zone: str
    first: date
    last: date
    subject: str
    consumption: str
    total: str


CASES = {
    # 53.328 kWh: 50 x 0.1057 = 5.285 -> 5.29, 3.328 x 0.1333 = 0.4436224 -> 0.44; day 0.40; 6.13 + 10 % 0.61
    "sample NEM12": Case(
        file=SAMPLES / "nem" / "Example_NEM12_actual_interval.csv",
        format="nem12",
        zone="Australia/Brisbane",
        first=date(2004, 2, 1),
        last=date(2004, 2, 1),
        subject="VABD000163",
        consumption="53.328",
        total="6.74 USD",
    ),
    # 511.688 kWh over five days: 5.29, 461.688 x 0.1333 = 61.5430104 -> 61.54; 5 x 0.40 = 2.00; 68.83 + 6.88
    "sample Green Button": Case(
        file=SAMPLES / "greenbutton" / "test_usage_data_1.xml",
        format="green_button",
        zone="Etc/GMT+5",
        first=date(2012, 3, 1),
        last=date(2012, 3, 5),
        subject="",
        consumption="511.688",
        total="75.71 USD",
    ),
    # 346.394 kWh: 5.29, 296.394 x 0.1333 = 39.5093202 -> 39.51; 31 x 0.40 = 12.40; 57.20 + 5.72
    "own NEM12": Case(
        file=OWN / "nem12_2026-07.csv",
        format="nem12",
        zone="Australia/Brisbane",
        first=date(2026, 7, 1),
        last=date(2026, 7, 31),
        subject="QB00000001",
        consumption="346.394",
        total="62.92 USD",
    ),
}


def deployment_on(database: Database, zone: str) -> Deployment:
    names = DeploymentSettings(name="file", database="sqlite:///x", plugins=("utility_metering",), currency="USD", zone=zone)
    return Deployment(
        settings=Settings(deployment=names, review=ReviewSettings(zero_usage=False, missing_usage=False)),
        settings_sha256="",
        folder=Path(),
        host=Host.build([("utility_metering", plugin)]),
        database=database,
        clock=FixedClock(datetime(2026, 8, 3, 9, tzinfo=UTC)),
        actor="ada",
    )


def subject_of(deployment: Deployment, case: Case) -> str:
    """Return the point of the file; a file that names it by links is asked with a first reading."""
    if case.subject:
        return case.subject
    reader = deployment.host.readers[case.format]
    with case.file.open("rb") as stream:
        items = reader.read(stream, ReadRequest(file=case.file.name, source=case.format, zone=case.zone))
        return next(item.subject for item in items if isinstance(item, Usage))


def billed(database: Database, case: Case) -> list[object]:
    """Bring one file to the ledger and return what the documents say, line by line."""
    deployment = deployment_on(database, case.zone)
    upgrade_schema(deployment)
    book = BOOK.replace('zone = "UTC"', f'zone = "{case.zone}"')
    assert not load_book_file(deployment, "book.toml", book.encode()).findings
    assert not load_tax_file(deployment, "t.toml", TAXES.replace("2020-01-01", "2000-01-01").encode()).findings
    assert not load_plan_files(deployment, [("plan.toml", PLAN.encode())]).findings
    issued = case.last + timedelta(days=1)
    open_periods(deployment, "MAIN", (month(f"{issued:%Y-%m}"),))
    create(deployment, PARTIES, {"code": "P", "name": "Ada"})
    account = {"code": "C", "party": "P", "book": "MAIN", "currency": "USD", "zone": case.zone, "cycle": "monthly:1"}
    create(deployment, ACCOUNTS, account)
    dates = {"starts_on": case.first.isoformat(), "ends_on": issued.isoformat()}
    create(deployment, AGREEMENTS, {"code": "A", "account": "C", "plan": "plan", **dates})
    create(deployment, ASSIGNMENTS, {"subject": subject_of(deployment, case), "agreement": "A", **dates})
    taken = take_in(deployment, case.file, file_format=case.format)
    again = take_in(deployment, case.file, file_format=case.format)
    assert (taken.totals.accepted > 0, again.totals.accepted) == (True, 0)
    request = RunRequest(book="MAIN", cycle="monthly:1", period=month(f"{case.first:%Y-%m}"), as_of=issued)
    assert start_run(deployment, request).counts == {"drafted": 1}
    approved = approve_run(deployment)
    assert not approved.findings, approved.findings
    assert post_run(deployment).posted == 1
    assert start_run(deployment, request).nothing_to_do
    with deployment.database.read() as connection:
        (listed,) = list_documents(connection)
    shown = show_document(deployment, listed.number)
    lines = shown.document.content.lines
    for line in lines:
        explained = explain_line(deployment, f"{listed.number}/{line.number}")
        assert explained.proven, explained.findings
    proof = prove(deployment, "MAIN")
    assert not proof.findings, proof.findings
    quantities = [line.quantity.value for line in lines if line.quantity is not None and line.quantity.unit == "kWh"]
    assert exact_text(sum(quantities, Fraction(0))) == case.consumption
    return [approved.run.digest, listed.number, str(shown.document.content.totals.gross), shown.document.content]


@pytest.mark.parametrize("name", CASES)
def test_a_file_comes_to_the_same_proven_documents_on_both_databases(
    sqlite_database: Database, postgres_database: Database, name: str
) -> None:
    case = CASES[name]
    if case.file.is_relative_to(SAMPLES):
        sample_of("utility", case.file.relative_to(SAMPLES).as_posix())
    one, other = billed(sqlite_database, case), billed(postgres_database, case)
    assert one[2] == case.total
    assert one == other
