"""Accounts that differ in names only are billed once for all, and nobody can tell: every result is that of the reference."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from billing_framework.run.draft.alike import bill_alike
from billing_framework.run.draft.bill import bill
from billing_framework.run.draft.bill_input import BillInput, Material
from billing_framework.run.draft.likeness import STAND_INS
from billing_framework.run.draft.load_input import InputRequest, load_inputs, open_desk
from billing_framework.run.draft.manifest import ManifestWriter, manifest_from_text
from billing_framework.run.master.charges import ChargeRequest, enter_charge
from billing_framework.run.master.customers import create
from billing_framework.run.master.periods import month
from billing_framework.run.versions import computing_versions
from billing_framework.storage.engine import Database
from billing_framework.storage.master.account_rows import account_codes
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from tests.grown import grown_once
from tests.scenarios import naming, workshop
from tests.scenarios.office import Office

SEATS = """
schema = 1
[plan]
code = "seats"
version = "2026"
valid_from = 2026-01-01
currency = "USD"
[[component]]
code = "base"
title = { en = "Base", de = "Grundpreis" }
model = "MODEL"
charge_code = "base"
tax_category = "standard"
price = "9.99"
billed = "advance"
[[component]]
code = "seats"
title = { en = "Seats", de = "Plätze" }
model = "recurring"
charge_code = "seats"
tax_category = "standard"
price = "3.33"
quantity = { term = "seats" }
"""

LIKE = ("1", "10", "11", "100", "9.99", "a.b", "USD", "base", "u+7")


def subscribe(office: Office, code: str, *, starts_on: str = "2026-01-01", seats: str = "2", **fields: str) -> None:
    """Create a customer without a machine; its codes look like other parts of a bill."""
    create(office.deployment, PARTIES, {"code": f"P{code}", "name": f"Customer {code}"})
    account = {"code": code, "party": f"P{code}", "book": "MAIN", "currency": "USD", "cycle": "monthly:1", **fields}
    create(office.deployment, ACCOUNTS, account)
    agreement = {"code": f"{code}-{code}", "account": code, "plan": "seats", "starts_on": starts_on, "term.seats": seats}
    create(office.deployment, AGREEMENTS, agreement)


@grown_once
def office_of(database: Database, *, model: str = "recurring", plugin: ModuleType = workshop) -> Office:
    office = Office.of(database, plugin=plugin)
    office.load_plan(SEATS.replace("MODEL", model))
    for code in LIKE:
        subscribe(office, code)
    return office


def manifests(office: Office, period: str = "2026-02") -> tuple[list[BillInput], Material]:
    """Return the manifests of all accounts for a month."""
    with office.deployment.database.read() as connection:
        desk = open_desk(office.deployment, connection, "MAIN", versions=computing_versions(office.deployment))
        accounts = list(account_codes(connection, "MAIN"))
        dates = month(period)
        documents = {code: 7 * place + 1 for place, code in enumerate(accounts)}
        request = InputRequest(period=dates, issue_on=dates.end, documents=documents, own=accounts)
        inputs, material = load_inputs(connection, desk, accounts, request)
    return list(inputs.values()), material


def billed_of(office: Office, inputs: Sequence[BillInput], material: Material) -> list[str]:
    """Return the accounts that took the whole road, after checking that all came out as by the reference."""
    host = office.deployment.host
    asked: list[str] = []

    def each(some: Sequence[BillInput]) -> Sequence[object]:
        asked.extend(given.account.code for given in some)
        return bill(some, material, host, by_reference=True)

    results = bill_alike(inputs, material, host.charge_models, each)  # type: ignore[arg-type]
    assert results == bill(inputs, material, host, by_reference=True) == bill(inputs, material, host)
    return asked


def test_like_accounts_are_billed_once_and_come_out_as_by_the_reference(database: Database) -> None:
    office = office_of(database)
    for locale in ("de_DE", "en_GB"):
        subscribe(office, f"alone-{locale}", locale=locale)
    subscribe(office, "later", starts_on="2026-02-15")
    subscribe(office, "more", seats="3")
    office.customer("machine", "M1")
    asked = billed_of(office, *manifests(office))
    whole = [code for code in asked if code in LIKE]
    assert len(whole) == 1
    assert [code for code in asked if "\ue0ff" in code] == ["\ue0ffaccount"]
    assert {"alone-de_DE", "alone-en_GB", "later", "more", "machine"} < set(asked)


def test_what_was_billed_before_keeps_accounts_apart(database: Database) -> None:
    office = office_of(database)
    some = LIKE[:5]
    run = office.start("2026-01", accounts=some).run
    assert run is not None
    office.approve(run.code)
    office.post(run.code)
    inputs, material = manifests(office)
    asked = billed_of(office, inputs, material)
    assert len([code for code in asked if code in some]) == 1  # billed through January, and alike
    assert len([code for code in asked if code in LIKE]) == 2  # one of these, one of the others


def test_whoever_has_more_to_bill_or_stands_for_others_is_billed_alone(database: Database) -> None:
    office = office_of(database)
    subscribe(office, "child", parent="10", payer="parent")
    create(office.deployment, ASSIGNMENTS, {"subject": "M9", "agreement": "11-11", "starts_on": "2026-01-01"})
    charge = ChargeRequest(
        account="100",
        code="fee",
        amount="5.00",
        text="Fee",
        service=month("2026-02"),
        reason="asked for",
        tax_category="standard",
    )
    enter_charge(office.deployment, charge)
    asked = billed_of(office, *manifests(office))
    assert {"10", "child", "11", "100"} < set(asked)
    assert len([code for code in asked if code in LIKE]) == 4


def test_manifests_are_written_as_they_are_read(database: Database) -> None:
    office = office_of(database)
    inputs, _ = manifests(office)
    shared, alone = ManifestWriter(), [ManifestWriter().write(given) for given in inputs]
    written = [shared.write(given) for given in inputs]
    assert written == alone
    assert [manifest_from_text(one.text) for one in written] == inputs


def test_a_model_that_is_not_what_it_says_is_found_out(database: Database) -> None:
    office = office_of(database, model="naming.named", plugin=naming)
    inputs, material = manifests(office)
    alone = [result for given in inputs for result in bill([given], material, office.deployment.host, by_reference=True)]
    assert list(bill(inputs, material, office.deployment.host)) == alone


def test_a_text_that_looks_like_a_stand_in_stays_what_it_is_in_every_manifest(sqlite_database: Database) -> None:
    office = Office.of(sqlite_database)
    office.load_plan(SEATS.replace("MODEL", "recurring"))
    for code in LIKE:
        subscribe(office, code, tax_status="exempt", exemption=f"certificate {STAND_INS.document}")
    inputs, _ = manifests(office)
    writer = ManifestWriter()
    assert [writer.write(given) for given in inputs] == [ManifestWriter().write(given) for given in inputs]
