"""Ranges of identifiers as customer data: one agreement at a time for each identifier in them; on both databases."""

from __future__ import annotations

import threading
from datetime import date

import pytest

from billing_framework.run.deployment import Deployment
from billing_framework.run.master.customer_change import change_assignment
from billing_framework.run.master.customers import create, import_file
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES
from billing_framework.storage.master.range_rows import guiding_assignments, resolved
from billing_framework.storage.usage.rows import load_guide
from billing_framework.storage.usage.tables import usage_subject
from billing_framework.values.clock import timezone
from billing_framework.values.errors import Refused
from billing_framework.values.period import midnight


@pytest.fixture
def customer(deployment: Deployment) -> Deployment:
    """Two agreements, one of which holds the block EX-100..EX-199 from January to March."""
    create(deployment, PARTIES, {"code": "P-1", "name": "Ada Ohm"})
    create(deployment, ACCOUNTS, {"code": "A-1", "party": "P-1", "book": "US", "currency": "USD"})
    for code in ("G-1", "G-2"):
        create(deployment, AGREEMENTS, {"code": code, "account": "A-1", "plan": "basic", "starts_on": "2026-01-01"})
    assign(deployment, "EX-100..EX-199", "G-1", "2026-01-01", "2026-04-01")
    return deployment


def assign(deployment: Deployment, subject: str, agreement: str, starts_on: str, ends_on: str = "") -> None:
    create(deployment, ASSIGNMENTS, {"subject": subject, "agreement": agreement, "starts_on": starts_on, "ends_on": ends_on})


@pytest.mark.parametrize("subject", ["EX-100", "EX-199", "EX-150..EX-160", "EX-190..EX-209", "EX-000..EX-999"])
def test_what_is_in_a_range_is_refused_to_others_while_it_lasts(customer: Deployment, subject: str) -> None:
    with pytest.raises(Refused, match="ACCOUNT07"):
        assign(customer, subject, "G-2", "2026-03-31")

    assign(customer, subject, "G-2", "2026-04-01")


def test_a_range_is_refused_over_an_identifier_in_it(customer: Deployment) -> None:
    assign(customer, "EX-205", "G-1", "2026-01-01")

    with pytest.raises(Refused, match="ACCOUNT07") as refused:
        assign(customer, "EX-200..EX-299", "G-2", "2026-02-01")
    assert "EX-205 belongs to agreement G-1" in refused.value.what
    assign(customer, "EX-2000..EX-2999", "G-2", "2026-02-01")
    assign(customer, "EX-210..EX-299", "G-2", "2026-02-01")


def test_lengthening_a_range_meets_what_came_after_it(customer: Deployment) -> None:
    assign(customer, "EX-120", "G-2", "2026-05-01")

    with pytest.raises(Refused, match="ACCOUNT07"):
        change_assignment(customer, "EX-100..EX-199", None, {"ends_on": ""}, reason="kept")
    change_assignment(customer, "EX-100..EX-199", None, {"ends_on": "2026-05-01"}, reason="kept until May")


def test_a_malformed_range_is_refused_with_its_line(customer: Deployment) -> None:
    text = b"subject,agreement,starts_on\nEX-300..EX-3999,G-1,2026-01-01\n"

    report = import_file(customer, ASSIGNMENTS, text, file="assignments.csv", update=False, check_only=False)

    assert [(finding.code, finding.line, finding.field) for finding in report.findings] == [("ACCOUNT21", 2, "subject")]


def test_two_officers_at_once_cannot_both_have_an_identifier(customer: Deployment) -> None:
    told: list[str] = []

    def take(subject: str) -> None:
        try:
            assign(customer, subject, "G-2", "2026-06-01")
            told.append("written")
        except Refused as refused:
            told.append(refused.code)

    officers = [threading.Thread(target=take, args=(subject,)) for subject in ("EX-300..EX-399", "EX-333")]
    for officer in officers:
        officer.start()
    for officer in officers:
        officer.join()

    assert sorted(told) == ["ACCOUNT07", "written"]


def test_identifiers_of_a_range_are_guided_by_it(customer: Deployment) -> None:
    assign(customer, "EX-142", "G-2", "2026-04-01")
    noon, april = (midnight(date(2026, month, 1), timezone("America/Chicago")) for month in (2, 4))

    with customer.database.read() as connection:
        guide = load_guide(connection, ["EX-142", "EX-199", "EX-200", "EX-1420"])
        found = guiding_assignments(connection, ["EX-142"])

    assert [(name, held.agreement) for name in ("EX-142", "EX-199", "EX-200") if (held := guide.at(name, noon))] == [
        ("EX-142", "G-1"),
        ("EX-199", "G-1"),
    ]
    later = guide.at("EX-142", april)
    assert later is not None
    assert (later.agreement, guide.at("EX-199", april)) == ("G-2", None)
    assert [(one.agreement, one.within) for one in found["EX-142"]] == [("G-1", "EX-100..EX-199"), ("G-2", "")]


def test_a_range_is_resolved_into_what_has_delivered(customer: Deployment) -> None:
    names = ["EX-1", "EX-142", "EX-200"]
    with customer.database.begin() as connection:
        bulk_insert(connection, usage_subject, ("id", "identifier"), sorted((subject_id(name), name) for name in names))
        stored = {"G-1": tuple(one for one in guiding_assignments(connection, ["EX-100..EX-199"])["EX-100..EX-199"])}
        found = resolved(connection, stored)

    assert [(one.subject, one.within) for one in found["G-1"]] == [("EX-100..EX-199", ""), ("EX-142", "EX-100..EX-199")]
