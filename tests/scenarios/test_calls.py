"""Two months of calls on both databases: blocks of numbers, late calls, a rate that comes later, edits, proof of every line."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import attrs
import pytest
from billing_telecom_usage import plugin
from billing_telecom_usage.numbers import NumberPlan
from billing_telecom_usage.rating.rate import RATER
from billing_telecom_usage.settings import NoRate, Source, TelecomSettings

from billing_framework import Rater, hookimpl
from billing_framework.plugin.host import Host
from billing_framework.rating.rate_table_file import RateTableHeader
from billing_framework.run.cycle.start import RunReport
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.customers import create
from billing_framework.run.master.periods import month, open_periods
from billing_framework.run.master.plans import load_plan_files
from billing_framework.run.master.rate_tables import load_rate_table_file
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.prove.invoices import list_documents, show_document
from billing_framework.run.prove.trial_balance import prove
from billing_framework.run.review.review import review_run
from billing_framework.run.schema import upgrade_schema
from billing_framework.run.usage.intake import IntakeReport, take_in
from billing_framework.run.usage.late import late_usage
from billing_framework.storage.engine import Database
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.values.errors import StorageError
from tests.behind import behind
from tests.grown import grown_once
from tests.scenarios.office import BOOK, TAXES, Office

PLAN = """
schema = 1
[plan]
code = "voice"
version = "2026"
valid_from = 2026-01-01
currency = "USD"
[[component]]
code = "line"
title = { en = "Line" }
model = "recurring"
charge_code = "line"
tax_category = "standard"
price = "10.00"
billed = "advance"
[[component]]
code = "calls"
title = { en = "Calls" }
model = "telecom_usage.calls"
charge_code = "calls"
tax_category = "standard"
deck = "deck"
allowances = [{ name = "local", minutes = "2", prefixes = ["1212"] }]
"""
DECK = "prefix,destination,rate_per_min,connect_fee,initial_s,increment_s\n1,USA,0.10,0,60,6\n1212,New York,0.05,0,60,60\n"
MORE = DECK + "44,United Kingdom,0.30,0.02,60,60\n"
SETTINGS = TelecomSettings(no_rate=NoRate.DEFER, source={"pbx": Source(numbers=NumberPlan(international=("011",)))})


@grown_once
def open_office(database: Database, settings: TelecomSettings = SETTINGS) -> Office:
    office = Office.at(database)
    host = Host.build([("telecom_usage", plugin)], settings={"telecom_usage": settings})
    office.deployment = deployment = attrs.evolve(office.deployment, host=host)
    upgrade_schema(deployment)
    assert not load_book_file(deployment, "book.toml", BOOK.encode()).findings
    assert not load_tax_file(deployment, "taxes.toml", TAXES.encode()).findings
    open_periods(deployment, "MAIN", tuple(month(f"2026-{number:02}") for number in range(1, 13)))
    load_deck(office, DECK, "1", date(2026, 1, 1))
    loaded = load_plan_files(deployment, [("plan.toml", PLAN.encode())])
    assert not [finding for finding in loaded.findings if finding.stops], loaded.findings
    for code in ("C1", "C2"):
        create(deployment, PARTIES, {"code": f"P-{code}", "name": f"Customer {code}"})
        account = {"code": code, "party": f"P-{code}", "book": "MAIN", "currency": "USD", "cycle": "monthly:1"}
        create(deployment, ACCOUNTS, account)
        create(deployment, AGREEMENTS, {"code": f"A-{code}", "account": code, "plan": "voice", "starts_on": "2026-06-01"})
    owned(office, "12125550100..12125550109", "A-C1", "2026-06-01", "2026-07-15")
    owned(office, "12125550100..12125550104", "A-C1", "2026-07-15")
    owned(office, "12125550105..12125550109", "A-C2", "2026-07-15")
    return office


def owned(office: Office, subject: str, agreement: str, starts_on: str, ends_on: str = "") -> None:
    create(
        office.deployment, ASSIGNMENTS, {"subject": subject, "agreement": agreement, "starts_on": starts_on, "ends_on": ends_on}
    )


def load_deck(office: Office, text: str, version: str, valid_from: date) -> None:
    header = RateTableHeader(code="deck", version=version, kind="telecom_usage.deck", valid_from=valid_from, currency="USD")
    assert not load_rate_table_file(office.deployment, text.encode(), file="deck.csv", header=header).findings


def cdr(name: str, at: str, seconds: int, called: str, caller: str = "12125550105") -> str:
    stamps = f'"{at}","{at}","{at}"' if seconds else f'"{at}",,"{at}"'
    head = f'"","{caller}","{called}","ctx","clid","a","b","Dial","x",{stamps}'
    return f'{head},{seconds},{seconds},"ANSWERED","DOCUMENTATION","{name}",""\n'


def intake(office: Office, *lines: str) -> IntakeReport:
    return take_in(office.deployment, io.BytesIO("".join(lines).encode()), "asterisk_cdr_csv", source="pbx", zone="UTC")


JULY = (
    cdr("n1", "2026-07-02 10:00:00", 90, "12125550190"),  # two minutes, all included
    cdr("n2", "2026-07-03 10:00:00", 61, "12125550190"),  # two more, all charged: 0.10
    cdr("u1", "2026-07-14 23:59:59", 61, "13105550100"),  # 66 s: 0.11, still C1
    cdr("u2", "2026-07-15 00:00:00", 61, "13105550100"),  # the same, now C2
    cdr("k1", "2026-07-16 10:00:00", 60, "011442079460000", "12125550101"),  # no rate yet
    cdr("z1", "2026-07-17 10:00:00", 0, "13105550100"),
    cdr("i1", "2026-07-18 10:00:00", 30, "2001"),
    cdr("x1", "2026-07-19 10:00:00", 30, "13105550100", "12125550199"),  # nobody's
)


def bill(office: Office, period: str, as_of: date) -> RunReport:
    office.clock.move_to(datetime(as_of.year, as_of.month, as_of.day, 12, tzinfo=UTC))
    started = office.start(period)
    office.approve()
    office.post()
    return started


def lines(office: Office, number: str) -> list[tuple[str, str]]:
    content = show_document(office.deployment, number).stored.content
    return [(line.description, str(line.net)) for line in content.lines]


def numbers(office: Office) -> list[str]:
    with office.deployment.database.read() as connection:
        return sorted(one.number for one in list_documents(connection))


def proven(office: Office) -> None:
    for number in numbers(office):
        for line in range(1, len(lines(office, number)) + 1):
            assert explain_line(office.deployment, f"{number}/{line}").proven, (number, line)
    assert not prove(office.deployment, "MAIN").findings


def test_two_months_of_calls(database: Database) -> None:
    office = open_office(database)
    report = intake(office, *JULY)
    assert (report.totals.accepted, report.totals.suspended) == (7, 1)

    bill(office, "2026-07", date(2026, 8, 3))
    assert lines(office, "INV-2026-000001") == [
        ("Line", "10.00 USD"),
        ("Line", "10.00 USD"),
        ("Calls: New York", "0.10 USD"),
        ("Calls: USA", "0.11 USD"),
    ]
    assert lines(office, "INV-2026-000002")[-1] == ("Calls: USA", "0.11 USD")
    assert late_usage(office.deployment, "MAIN") == ()

    load_deck(office, MORE, "2", date(2026, 7, 1))
    late = intake(
        office, cdr("l1", "2026-07-04 10:00:00", 120, "12125550190"), cdr("a1", "2026-08-04 10:00:00", 120, "12125550190")
    )
    assert late.totals.accepted == 2
    assert intake(office, *JULY).totals.accepted == 0
    bill(office, "2026-08", date(2026, 9, 3))
    assert len(numbers(office)) == 4
    first = lines(office, numbers(office)[2])
    assert ("Calls: United Kingdom, earlier calls", "0.32 USD") in first
    assert ("Calls: New York, earlier calls", "0.10 USD") in first
    proven(office)


def digest(office: Office) -> str:
    """Return the digest of a rehearsal of July."""
    started = office.start("2026-07", kind="rehearsal")
    assert started.run is not None
    return review_run(office.deployment, started.run.code).digest


def test_the_columns_of_the_run_and_the_reference_come_to_one_digest(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    office = open_office(database)
    intake(office, *JULY)
    fast = digest(office)
    monkeypatch.setattr(plugin, "billing_raters", reference_only)
    host = Host.build([("telecom_usage", plugin)], settings={"telecom_usage": SETTINGS})
    assert host.rater_of_kind["call"].twin is None
    office.deployment = attrs.evolve(office.deployment, host=host)

    assert fast == digest(office) != ""


@hookimpl
def reference_only() -> list[Rater]:
    return [attrs.evolve(RATER, shard=None)]


def test_an_account_waits_for_a_rate_where_the_deployment_holds(database: Database) -> None:
    office = open_office(database, attrs.evolve(SETTINGS, no_rate=NoRate.HOLD))
    intake(office, *JULY)

    assert office.start("2026-07").counts == {"drafted": 1, "held": 1}
    control = review_run(office.deployment).control
    assert (control["waiting: no rate (TEL10)"], [name for name in control if name.startswith("deferred")]) == (1, [])
    load_deck(office, MORE, "2", date(2026, 7, 1))
    assert office.start("2026-07").counts == {"drafted": 2}


def test_a_call_altered_behind_the_bill_is_found(database: Database) -> None:
    office = open_office(database)
    intake(office, *JULY)
    bill(office, "2026-07", date(2026, 8, 3))
    behind(database, "UPDATE usage_call SET billed_seconds = 600 WHERE external_id = 'u1'")

    found = explain_line(office.deployment, "INV-2026-000001/4")
    assert not found.proven
    assert found.findings


UNREADABLE = {
    "a choice that the kind does not have": "direction = 'sideways'",
    "a number that its class refuses": "billed_seconds = -60",
    "an end before the start": "end_at = start_at - 5000000",
    "an instant outside of the calendar": "end_at = 9000000000000000000",
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_a_call_that_cannot_be_read_any_more_is_told_as_such(sqlite_database: Database, change: str) -> None:
    office = open_office(sqlite_database)
    intake(office, *JULY)
    bill(office, "2026-07", date(2026, 8, 3))
    behind(sqlite_database, f"UPDATE usage_call SET {change} WHERE external_id = 'u2'")

    with pytest.raises(StorageError, match="STORAGE21") as told:
        explain_line(office.deployment, "INV-2026-000002/1")
    assert "sideways" not in str(told.value)


def test_an_account_with_an_unreadable_call_is_held_and_no_plugin_is_blamed(database: Database) -> None:
    office = open_office(database)
    intake(office, *JULY)
    behind(database, "UPDATE usage_call SET direction = 'sideways' WHERE external_id = 'u2'")

    report = office.start("2026-07")
    assert report.counts == {"drafted": 1, "held": 1}
    assert {finding.code for finding in report.findings} == {"STORAGE21", "RUN64", "TEL10"}
