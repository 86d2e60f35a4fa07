"""Rate tables from file to explained line: versions by date and by what was known, pinned, and never altered unnoticed."""

from __future__ import annotations

import io
import zlib
from datetime import date
from hashlib import sha256
from typing import Any

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.plugin.host import Host
from billing_framework.rating.rate_table_file import RateTableHeader, pinned_digest
from billing_framework.run.draft.draft import stale_accounts
from billing_framework.run.master.books import load_book_file
from billing_framework.run.master.periods import month, open_periods
from billing_framework.run.master.plans import check_loaded, load_plan_files
from billing_framework.run.master.rate_tables import RateTableLoad, load_rate_table_file
from billing_framework.run.master.taxes import load_tax_file
from billing_framework.run.prove.explain import explain_line
from billing_framework.run.schema import check_schema, upgrade_schema
from billing_framework.run.usage.intake import take_in
from billing_framework.storage.audit import events
from billing_framework.storage.engine import Database
from billing_framework.storage.master.rate_table_rows import find_rate_table, load_rate_table, rate_table_content, rate_table_rows
from billing_framework.values.errors import Refused, StorageError
from tests.grown import grown_once
from tests.scenarios import price_list
from tests.scenarios.office import BOOK, TAXES, Office

PLAN = """
schema = 1
[plan]
code = "machine"
version = "2026"
valid_from = 2026-01-01
currency = "USD"
[[component]]
code = "trips"
title = { en = "Trips" }
model = "price_list.by_zone"
prices = "city"
charge_code = "trips"
tax_category = "standard"
"""
NORTH = "zone,price,title\nnorth,2.00,North\nsouth,3.00,South\n"
JULY = "zone,price,title\nnorth,2.50,North\nsouth,3.00,South\n"
TRIPS = (
    "t1,van,2026-06-30T23:59:59+00:00,north",
    "t2,van,2026-07-01T00:00:00+00:00,north",
    "t3,van,2026-07-15T12:00:00+00:00,south",
)


@grown_once
def office_of(database: Database) -> Office:
    """Set up an office whose plan names the price list ``city``."""
    office = Office.at(database)
    office.deployment = attrs.evolve(office.deployment, host=Host.build([("price_list", price_list)]))
    upgrade_schema(office.deployment)
    assert not load_book_file(office.deployment, "book.toml", BOOK.encode()).findings
    assert not load_tax_file(office.deployment, "taxes.toml", TAXES.encode()).findings
    office.load_plan(PLAN)
    open_periods(office.deployment, "MAIN", tuple(month(f"2026-{number:02}") for number in range(1, 13)))
    office.customer("C1", "van")
    return office


def load(office: Office, content: str, version: str, first: str, **said: Any) -> RateTableLoad:
    """Load a version of the price list ``city``."""
    header = RateTableHeader(code="city", kind="price_list.zones", version=version, valid_from=date.fromisoformat(first), **said)
    return load_rate_table_file(office.deployment, content.encode(), file=f"{version}.csv", header=header)


def trips(office: Office, *lines: str) -> None:
    """Take in trips."""
    take_in(office.deployment, io.BytesIO("\n".join(lines).encode()), file_format="trips", source="floor", name="trips.csv")


@grown_once
def posted(database: Database) -> Office:
    """Bill June and July under two versions."""
    office = office_of(database)
    assert load(office, NORTH, "v1", "2026-01-01").outcome == "loaded"
    assert load(office, JULY, "v2", "2026-07-01").outcome == "loaded"
    trips(office, *TRIPS)
    office.bill("2026-06")
    office.bill("2026-07")
    return office


def test_each_date_has_the_price_of_its_version_and_every_line_is_explained(database: Database) -> None:
    office = posted(database)
    assert office.documents() == ["INV-2026-000001 C1 2.20", "INV-2026-000002 C1 6.05"]
    assert check_schema(office.deployment) == []
    for line, details in (("INV-2026-000001/1", "city@v1"), ("INV-2026-000002/1", "city@v2"), ("INV-2026-000002/2", "city@v2")):
        explained = explain_line(office.deployment, line)
        assert explained.proven, explained.findings
        assert dict(explained.line.details) == {"prices": details}
    with office.deployment.database.read() as connection:
        event = next(iter(events(connection, object_kind="rate table", limit=1)))
        rows = {row.name: row for row in rate_table_rows(connection, ["city"])}
        kinds = office.deployment.host.rate_tables
        assert rate_table_content(connection, rows["city@v1"]) == NORTH.encode()
        assert load_rate_table(connection, rows["city@v1"], kinds) is load_rate_table(connection, rows["city@v1"], kinds)
    assert (event.action, event.object_key, event.actor) == ("rate-table load", "city@v2", "ada")


ALTERED: dict[str, dict[str, Any]] = {
    "a price": {"content": zlib.compress(JULY.replace("2.50", "1.50").encode())},
    "the first date": {"valid_from": "2026-06-01"},
    "the currency": {"currency": "EUR"},
    "the bytes": {"content": b"gone"},
    "all of it, with its digests": {},
}


@pytest.mark.parametrize("what", ALTERED)
def test_an_altered_table_is_named(sqlite_database: Database, what: str) -> None:
    office = posted(sqlite_database)
    with sqlite_database.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER rate_table_version_update"))
        changed = ALTERED[what] or _forged(connection)
        sets = ", ".join(f"{name} = :{name}" for name in changed)
        done = connection.execute(sa.text(f"UPDATE rate_table_version SET {sets} WHERE version = 'v2'"), changed)
        assert done.rowcount == 1
    explained = explain_line(office.deployment, "INV-2026-000002/1")
    assert not explained.proven
    assert next((one.code, one.subject) for one in explained.findings if one.stops) == ("EXPLAIN03", "city@v2")
    assert explain_line(office.deployment, "INV-2026-000001/1").proven


def _forged(connection: sa.Connection) -> dict[str, Any]:
    """Return what somebody would write who knows how the digests are made."""
    content = JULY.replace("2.50", "1.50").encode()
    header = find_rate_table(connection, "city", "v2").header
    digest = sha256(content)
    pinned = bytes.fromhex(pinned_digest(header, digest.hexdigest()))
    return {"content": zlib.compress(content), "file_sha256": digest.digest(), "sha256": pinned}


def test_the_database_refuses_to_change_a_loaded_table(database: Database) -> None:
    office = posted(database)
    for statement in ("UPDATE rate_table_version SET valid_from = valid_from", "DELETE FROM rate_table_version"):
        with pytest.raises(Refused, match="TABLE31"), office.deployment.database.begin() as connection:
            connection.execute(sa.text(statement))


def test_a_correction_supersedes_and_makes_drafts_stale(database: Database) -> None:
    office = office_of(database)
    load(office, NORTH, "v1", "2026-01-01")
    trips(office, *TRIPS)
    run = office.start("2026-06").run
    assert run is not None
    refused = load(office, JULY, "v1b", "2026-01-01")
    assert [one.code for one in refused.findings] == ["TABLE08"]
    unreasoned = load(office, JULY, "v1b", "2026-01-01", supersedes="v1")
    assert [one.code for one in unreasoned.findings] == ["TABLE35"]
    office.pass_days(1)
    assert load(office, JULY, "v1b", "2026-01-01", supersedes="v1", reason="north was mistyped").outcome == "loaded"
    assert stale_accounts(office.deployment, run) == {"C1": ("rate tables",)}
    trips(office)
    office.start("2026-06")
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C1 2.75"]
    assert explain_line(office.deployment, "INV-2026-000001/1").proven


def test_a_date_without_prices_holds_the_account(database: Database) -> None:
    office = office_of(database)
    load(office, JULY, "v2", "2026-07-01")
    trips(office, *TRIPS)
    assert office.start("2026-06").counts == {"held": 1}
    load(office, NORTH, "v1", "2026-01-01")
    office.start("2026-06")
    office.approve()
    office.post()
    assert office.documents() == ["INV-2026-000001 C1 2.20"]


def test_the_same_content_again_changes_nothing_and_other_content_is_refused(database: Database) -> None:
    office = office_of(database)
    assert load(office, NORTH, "v1", "2026-01-01").outcome == "loaded"
    assert load(office, NORTH, "v1", "2026-01-01").outcome == "unchanged"
    for done in (load(office, JULY, "v1", "2026-01-01"), load(office, NORTH, "v1", "2026-02-01")):
        assert (done.outcome, [one.code for one in done.findings]) == ("refused", ["TABLE31"])
    with office.deployment.database.read() as connection:
        assert [row.name for row in rate_table_rows(connection)] == ["city@v1"]


def test_what_is_wrong_with_a_file_is_told_with_its_line(sqlite_database: Database) -> None:
    office = office_of(sqlite_database)
    done = load(office, "zone,price\nnorth,1\n\nsouth,-1\n", "v1", "2026-01-01")
    assert [(one.code, one.file, one.line, one.field) for one in done.findings] == [("ZONE01", "v1.csv", 4, "price")]
    assert done.outcome == "refused"
    other = load(office, NORTH, "v1", "2026-01-01", currency="USD")
    assert other.outcome == "loaded"
    fits = load(office, NORTH, "v2", "2026-03-01", currency="EUR", supersedes="v0")
    assert [one.field for one in fits.findings] == ["supersedes", "reason", "currency"]


def test_a_plan_is_told_which_of_its_tables_are_not_there(sqlite_database: Database) -> None:
    office = office_of(sqlite_database)
    with sqlite_database.read() as connection:
        assert [(one.code, one.field, one.value) for one in check_loaded(office.deployment, connection)] == [
            ("TABLE09", "trips.prices", "city")
        ]
    told = load_plan_files(office.deployment, [("p.toml", PLAN.replace('"machine"', '"other"').encode())]).findings
    assert [(one.code, one.stops, one.file) for one in told] == [("TABLE09", False, "p.toml")]
    load(office, NORTH, "v1", "2026-01-01")
    with sqlite_database.read() as connection:
        assert check_loaded(office.deployment, connection) == []


def test_a_late_record_has_the_price_of_its_own_day(database: Database) -> None:
    office = posted(database)
    trips(office, "t4,van,2026-06-20T12:00:00+00:00,north", "t5,van,2026-08-01T00:00:00+00:00,north")
    office.bill("2026-08")
    assert office.documents()[2:] == ["INV-2026-000003 C1 4.95"]  # 2.00 of June and 2.50 of August, and the tax
    for number, name in ((1, "city@v1"), (2, "city@v2")):
        explained = explain_line(office.deployment, f"INV-2026-000003/{number}")
        assert explained.proven, explained.findings
        assert dict(explained.line.details) == {"prices": name}


@pytest.mark.parametrize("what", [{"content": zlib.compress(b"x")}, {"file_sha256": b"0" * 32}, {"valid_to": "2026-02-01"}])
def test_what_a_process_has_read_before_is_found_when_it_is_changed_afterwards(
    sqlite_database: Database, what: dict[str, Any]
) -> None:
    office = office_of(sqlite_database)
    load(office, NORTH, "v1", "2026-01-01")
    kinds = office.deployment.host.rate_tables
    with sqlite_database.read() as connection:
        load_rate_table(connection, find_rate_table(connection, "city"), kinds)
    with sqlite_database.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER rate_table_version_update"))
        ((column, value),) = what.items()
        connection.execute(sa.text(f"UPDATE rate_table_version SET {column} = :value"), {"value": value})
        with pytest.raises(StorageError, match=r"TABLE34 .* city@v1"):
            load_rate_table(connection, find_rate_table(connection, "city"), kinds)


def test_nothing_is_billed_by_a_table_that_was_changed_since_it_was_loaded(sqlite_database: Database) -> None:
    office = office_of(sqlite_database)
    load(office, NORTH, "v1", "2026-01-01")
    trips(office, *TRIPS)
    with sqlite_database.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER rate_table_version_update"))
        connection.execute(sa.text("UPDATE rate_table_version SET currency = 'EUR'"))
    with pytest.raises(StorageError, match=r"TABLE34 .* city@v1"):
        office.start("2026-06")
