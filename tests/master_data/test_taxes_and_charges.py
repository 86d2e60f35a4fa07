from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from billing_framework.rating.charge import Origin
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.charges import ChargeRequest, charge_states, enter_charge, withdraw
from billing_framework.run.master.customers import create
from billing_framework.run.master.taxes import check_loaded_taxes, load_tax_file
from billing_framework.storage.audit import events
from billing_framework.storage.master.manual_rows import pending_charges
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, PARTIES
from billing_framework.storage.master.tax_rows import load_tax_rates
from billing_framework.values.clock import MovableClock
from billing_framework.values.errors import InputRefused, NotFound, Refused, ValueRefused
from billing_framework.values.period import DateSpan

TAXES = """
schema = 1

[[tax]]
code = "sales"
title = { en = "Sales tax" }
jurisdiction = "US-TX"
category = "standard"
percent = "8.25"
valid_from = 2020-01-01
"""
JULY = DateSpan(date(2026, 7, 1), date(2026, 8, 1))


def test_the_newest_version_of_a_file_of_rates_holds_and_the_earlier_stays_known(
    deployment: Deployment, clock: MovableClock
) -> None:
    first = load_tax_file(deployment, "texas.toml", TAXES.encode())
    loaded_at = clock.now()
    clock.advance(timedelta(days=1))
    ended = TAXES.replace("2020-01-01", "2020-01-01\nvalid_to = 2027-01-01")

    again = load_tax_file(deployment, "texas.toml", TAXES.encode())
    without_reason = load_tax_file(deployment, "texas.toml", ended.encode())
    changed = load_tax_file(deployment, "texas.toml", ended.encode(), reason="rate of 2027")

    assert (first.outcome, again.outcome, changed.outcome, changed.version) == ("created", "unchanged", "changed", 2)
    assert [one.code for one in without_reason.findings] == ["TAX32"]
    with deployment.database.read() as connection:
        [now] = load_tax_rates(connection)
        [before] = load_tax_rates(connection, known_at=loaded_at)
        assert len(list(events(connection, object_kind="tax", object_key="texas"))) == 2
    assert (now.valid_to, before.valid_to) == (date(2027, 1, 1), None)


def test_rates_of_another_file_must_stand_beside_these(deployment: Deployment) -> None:
    load_tax_file(deployment, "texas.toml", TAXES.encode())

    done = load_tax_file(deployment, "again.toml", TAXES.replace("8.25", "9").encode())
    other = load_tax_file(deployment, "ohio.toml", TAXES.replace("US-TX", "US-OH").encode())

    assert [(one.code, one.file) for one in done.findings] == [("TAX02", "again.toml")]
    assert other.outcome == "created"
    with deployment.database.read() as connection:
        assert check_loaded_taxes(connection) == []
        assert [rate.jurisdiction for rate in load_tax_rates(connection)] == ["US-OH", "US-TX"]


@pytest.mark.parametrize(("old", "new", "code"), [('"8.25"', "8.25", "TAX13"), ("percent", "percentage", "TAX11")])
def test_a_wrong_file_of_rates_is_refused(deployment: Deployment, old: str, new: str, code: str) -> None:
    done = load_tax_file(deployment, "texas.toml", TAXES.replace(old, new).encode())

    assert done.outcome == "refused"
    assert code in [one.code for one in done.findings]


@pytest.fixture
def customer(deployment: Deployment) -> Deployment:
    """Two accounts, the first with an agreement."""
    create(deployment, PARTIES, {"code": "P-1", "name": "Ada Ohm"})
    for code in ("A-1", "A-2"):
        create(deployment, ACCOUNTS, {"code": code, "party": "P-1", "book": "US", "currency": "USD"})
    create(deployment, AGREEMENTS, {"code": "G-1", "account": "A-1", "plan": "basic", "starts_on": "2026-01-01"})
    return deployment


def request(account: str = "A-1", amount: str = "-25.005", **other: str) -> ChargeRequest:
    fields: dict[str, Any] = {
        "code": "service.goodwill",
        "text": "Goodwill",
        "tax_category": "standard",
        "reason": "late read",
    } | other
    return ChargeRequest(account=account, amount=amount, service=DateSpan(date(2026, 7, 14), date(2026, 7, 15)), **fields)


def test_a_charge_waits_for_the_first_bill_whose_period_ends_after_it(customer: Deployment) -> None:
    first = enter_charge(customer, request(agreement="G-1"))
    second = enter_charge(customer, request(amount="3"))
    enter_charge(customer, request("A-2"))

    with customer.database.read() as connection:
        june = pending_charges(connection, {"A-1": 1}, date(2026, 7, 14))
        july = pending_charges(connection, {"A-1": 1}, JULY.end)
    assert (first.id, second.id) == ("A-1-M1", "A-1-M2")
    assert june == {}
    assert list(july) == ["A-1"]
    charge = july["A-1"][0]
    assert (charge.agreement, charge.origin, str(charge.amount), charge.source) == ("G-1", Origin.MANUAL, "-25.005 USD", "A-1-M1")
    assert len({one.natural_key for one in july["A-1"]}) == 2


def test_a_withdrawn_charge_waits_no_longer_and_stays_visible(customer: Deployment) -> None:
    entered = enter_charge(customer, request())
    withdraw(customer, entered.id, reason="entered twice")

    with pytest.raises(Refused, match="MANUAL04"):
        withdraw(customer, entered.id, reason="again")
    with customer.database.read() as connection:
        assert pending_charges(connection, {"A-1": 1}, JULY.end) == {}
        [(shown, state)] = charge_states(connection, "A-1")
        assert [event.action for event in events(connection, object_kind="charge")] == ["charge withdraw", "charge add"]
    assert (shown.withdrawn_reason, state) == ("entered twice", "withdrawn")


@pytest.mark.parametrize(
    ("wrong", "error", "code"),
    [
        ({"amount": "0"}, InputRefused, "MANUAL01"),
        ({"amount": "12,50"}, ValueRefused, "VALUE01"),
        ({"code": "energy.x"}, InputRefused, "BOOK06"),
        ({"account": "A-9"}, NotFound, "ACCOUNT09"),
        ({"agreement": "G-9"}, NotFound, "ACCOUNT09"),
        ({"account": "A-2", "agreement": "G-1"}, Refused, "MANUAL02"),
        ({"reason": " "}, InputRefused, "ACCOUNT16"),
        ({"text": "two\nlines"}, ValueRefused, "ACCOUNT02"),
    ],
)
def test_a_charge_that_cannot_be_billed_is_refused(
    customer: Deployment, wrong: dict[str, str], error: type[Exception], code: str
) -> None:
    with pytest.raises(error, match=code):
        enter_charge(customer, request(**wrong))
    with customer.database.read() as connection:
        assert charge_states(connection) == []


def test_an_unknown_charge_offers_the_nearest(customer: Deployment) -> None:
    enter_charge(customer, request())

    with pytest.raises(NotFound, match="A-1-M1"):
        withdraw(customer, "A-1-M7", reason="x")
