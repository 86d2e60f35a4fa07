"""The office of the errand runners: an `Office` whose usage is carried from bill to bill until a document has billed it."""

from __future__ import annotations

import io
from typing import Any

from billing_framework.run.master.customers import create
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.storage.billing.documents import find_document
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from tests.grown import grown_once
from tests.scenarios import errands
from tests.scenarios.office import Office

PLAN = """schema = 1
[plan]
code = "errands"
version = "{version}"
valid_from = {valid_from}
currency = "USD"
{more}
[[component]]
code = "minutes"
title = {{ en = "Errands" }}
model = "errands.by_minute"
charge_code = "hours"
tax_category = "standard"
price = "{price}"
together = {together}
{stand}
"""
STAND = """[[component]]
code = "stand"
title = { en = "Stand" }
model = "recurring"
charge_code = "stand"
tax_category = "standard"
price = "30.00"
"""


@grown_once
def errand_office(database: Database, *, stand: bool = False, together: bool = False, **settings: Any) -> Office:
    """Set up the office with a plan of 1.00 a minute from 2026 on."""
    office = Office.of(database, plugin=errands, plan="", **settings)
    load_price(office, "1", "2026-01-01", "1.00", stand=stand, together=together)
    return office


def load_price(
    office: Office, version: str, valid_from: str, price: str, *, stand: bool = False, together: bool = False, more: str = ""
) -> None:
    """Load a version of the plan with this price of a minute."""
    part = STAND if stand else ""
    flag = "true" if together else "false"
    office.load_plan(PLAN.format(version=version, valid_from=valid_from, price=price, more=more, stand=part, together=flag))


def client(office: Office, code: str, runner: str, starts_on: str = "2026-01-01", ends_on: str = "", **fields: str) -> None:
    """Create a client with one runner."""
    create(office.deployment, PARTIES, {"code": f"P-{code}", "name": f"Client {code}"})
    account = {"code": code, "party": f"P-{code}", "book": "MAIN", "currency": "USD", "cycle": "monthly:1", **fields}
    create(office.deployment, ACCOUNTS, account)
    end = {"ends_on": ends_on} if ends_on else {}
    create(
        office.deployment, AGREEMENTS, {"code": f"A-{code}", "account": code, "plan": "errands", "starts_on": starts_on, **end}
    )
    create(office.deployment, ASSIGNMENTS, {"subject": runner, "agreement": f"A-{code}", "starts_on": starts_on, **end})


def tell(office: Office, *lines: str, file: str = "errands.csv", source: str = "runners") -> IntakeReport:
    """Take in errands: ``id,runner,instant,minutes,note[,fate,slot,version]``."""
    return take_in(office.deployment, io.BytesIO("\n".join(lines).encode()), file_format="errands", source=source, name=file)


def lines_of(office: Office, number: str) -> list[str]:
    """Return the lines of a document as ``date description net``."""
    with office.deployment.database.read() as connection:
        content = find_document(connection, number).content
    return [f"{line.service.start} {line.description} {str(line.net)[:-4]}" for line in content.lines]
