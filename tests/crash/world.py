"""The deployment that is tortured: small, but with a bit of everything that a month has.

Two trades, so that one kind of usage is guided by its date and the other is carried from bill to bill; files that are read line
by line and by columns; a year's accumulation that June has begun; a payer, a shared agreement, a manual charge, an account over
its bound, errands that are left for later or are free, duplicates and unknown identifiers.
"""

from __future__ import annotations

import functools
import io
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import attrs

from billing_framework.accounts.share import Share
from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import ReviewSettings
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.post import post_run
from billing_framework.run.deployment import open_deployment
from billing_framework.run.master.charges import ChargeRequest, enter_charge
from billing_framework.run.master.customers import create, save
from billing_framework.run.schema import upgrade_schema
from billing_framework.run.usage.intake import take_in
from billing_framework.run.work.work import Work
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import AGREEMENTS, ASSIGNMENTS
from billing_framework.storage.master.share_rows import SHARES
from billing_framework.values.clock import MovableClock
from billing_framework.values.money import Money
from billing_framework.values.period import DateSpan
from tests.crash import job_columns
from tests.scenarios import errands, workshop
from tests.scenarios.errand_office import load_price
from tests.scenarios.office import Office

MACHINES = 9
RUNNERS = 6
SETTINGS = """
[deployment]
name = "office"
database = { file = "database.url" }
currency = "USD"
plugins = ["workshop", "errands", "job_columns"]
actor = "ada"
[review]
largest = ["300.00 USD"]
factor = "0"
zero_usage = false
missing_usage = false
"""
ENTRY_POINTS = "[billing_framework]\nworkshop = tests.scenarios.workshop\nerrands = tests.scenarios.errands\n"
ENTRY_POINTS += "job_columns = tests.crash.job_columns\n"
ACTS = ("jobs", "errands", "more jobs", "start", "approve", "post")
"""What the desk does in July, in this order."""


def opened(database: Database) -> Office:
    """Open the office of both trades."""
    review = ReviewSettings(largest=(Money.of("300", "USD"),), factor=Fraction(0), zero_usage=False, missing_usage=False)
    office = Office.at(database, review=review)
    return Office(attrs.evolve(office.deployment, host=both_trades()), office.clock)


def on_disk(folder: Path, url: str) -> Path:
    """Write the deployment of both trades as files that processes elsewhere can open, and return the path of its settings."""
    info = folder / "trades_for_tests-1.0.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: trades-for-tests\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    (folder / "database.url").write_text(url, encoding="utf-8")
    settings = folder / "billing.toml"
    settings.write_text(SETTINGS, encoding="utf-8")
    return settings


def opened_from(settings: Path) -> Office:
    """Open the office of both trades as any process does, by its settings and the machine's clock."""
    return Office(open_deployment(settings), MovableClock(datetime(2026, 8, 1, tzinfo=UTC)))


@functools.cache
def both_trades() -> Host:
    """Return the host of both trades; the one of the machines reads by columns, too."""
    return Host.build([("workshop", workshop), ("errands", errands), ("job_columns", job_columns)])


def build(database: Database) -> None:
    """Set the office up, and bill June."""
    office = opened(database)
    upgrade_schema(office.deployment)
    Office.of(database)
    load_price(office, "1", "2026-01-01", "1.00", stand=True)
    for number in range(MACHINES):
        more = {"parent": "M0", "payer": "parent"} if number == MACHINES - 1 else {}
        office.customer(f"M{number}", f"machine-{number}", **more)
    for number in range(RUNNERS):
        runs = {"account": f"M{number}", "plan": "errands", "starts_on": "2026-01-01"}
        create(office.deployment, AGREEMENTS, {"code": f"E-{number}", **runs})
        told = {"subject": f"runner-{number}", "agreement": f"E-{number}", "starts_on": "2026-01-01"}
        create(office.deployment, ASSIGNMENTS, told)
    _let_share(office, "A-M2", "M2", "M3")
    visit = DateSpan(date(2026, 7, 5), date(2026, 7, 6))
    wanted = ChargeRequest(
        account="M4",
        amount="12.34",
        service=visit,
        code="visit",
        text="Visit",
        tax_category="standard",
        reason="ordered",
    )
    enter_charge(office.deployment, wanted)
    _read(
        office, "jobs", [f"june-{number},machine-{number},2026-06-10T08:00:00+00:00,{number + 4}" for number in range(MACHINES)]
    )
    _read(office, "errands", [f"june-{number},runner-{number},2026-06-12T08:00:00+00:00,7,June" for number in range(RUNNERS)])
    office.bill("2026-06")


def _let_share(office: Office, agreement: str, rest: str, payer: str) -> None:
    first = date(2026, 1, 1)
    shares = [Share(agreement=agreement, payer=rest, starts_on=first)]
    shares.append(Share(agreement=agreement, payer=payer, percent=Fraction(35), starts_on=first))
    assert save(office.deployment, SHARES, shares).findings == ()


def _read(office: Office, source: str, lines: list[str], *, file: str = "", file_format: str = "") -> None:
    stream = io.BytesIO("\n".join(lines).encode())
    take_in(office.deployment, stream, file_format=file_format or source, source=source, name=file or f"{source}.csv")


def jobs() -> list[str]:
    """The first file of July."""
    days = [(number, day) for number in range(MACHINES) for day in (2, 11, 23)]
    lines = [f"j{number}-{day},machine-{number},2026-07-{day:02}T08:00:00+00:00,{number + 3}/2" for number, day in days]
    return [*lines, "stranger,nobody,2026-07-09T08:00:00+00:00,3", "large,machine-5,2026-07-30T08:00:00+00:00,900"]


def more_jobs() -> list[str]:
    """A later file, which repeats a part of the first one."""
    lines = [f"k{number},machine-{number},2026-07-29T08:00:00+00:00,1/3" for number in range(MACHINES)]
    return [*jobs()[4:9], *lines, "stranger-2,nobody,2026-07-19T08:00:00+00:00,3"]


def told_errands() -> list[str]:
    """Errands of July, late ones of May, one left for later, one free of charge."""
    days = [(number, day) for number in range(RUNNERS) for day in ("05-02", "07-02", "07-21")]
    lines = [f"e{number}-{day},runner-{number},2026-{day}T08:00:00+00:00,{number + 5},Errand" for number, day in days]
    lines += [f"later-{number},runner-{number},2026-07-25T08:00:00+00:00,9,Not yet,later" for number in range(3)]
    return [*lines, "gift,runner-4,2026-07-26T08:00:00+00:00,9,A gift,free", "lost,runner-77,2026-07-26T08:00:00+00:00,9,Whose"]


def act(office: Office, what: str, size: int, work: Work | None = None) -> None:
    """Do one act of July at the desk.

    Args:
        office: the office.
        what: one of `ACTS`.
        size: accounts or documents per transaction.
        work: by whom drafting and posting are done; by the process itself where None.
    """
    if what == "jobs":
        _read(office, "jobs", jobs())
    elif what == "errands":
        _read(office, "errands", told_errands())
    elif what == "more jobs":
        _read(office, "jobs", more_jobs(), file="more.csv", file_format=job_columns.FORMAT)
    elif what == "start":
        office.start("2026-07", batch_size=size, work=work)
    elif what == "approve":
        assert not approve_run(office.deployment).findings
    else:
        post_run(office.deployment, chunk_size=size, work=work)
