"""Claims made for tests, and the independent judge of their files."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from billing_healthcare.claims.claim import Claim, ClaimLine
from billing_healthcare.coverage import Coverage
from billing_healthcare.kinds import Encounter, ServiceLine, Sex
from billing_healthcare.settings import HealthcareSettings

SETTINGS = HealthcareSettings(
    submitter="DEMO CLINIC",
    submitter_id="SUB01",
    contact="BILLING OFFICE",
    phone="5555550100",
    receiver="DEMO CLEARINGHOUSE",
    receiver_id="REC01",
    provider="DEMO CLINIC",
    provider_npi="9900000016",
    provider_taxonomy="207Q00000X",
    tax_id="123456789",
    street="100 MAIN ST",
    city="DES MOINES",
    region="IA",
    postcode="503090001",
)


@pytest.fixture
def settings() -> HealthcareSettings:
    """Settings of a clinic."""
    return SETTINGS


@pytest.fixture
def claim() -> Callable[..., Claim]:
    """Make a claim; fields of encounter and coverage by their names."""

    def make(
        *lines: ClaimLine, reference: str = "CLM-1", coverage: dict[str, Any] | None = None, order: str = "P", **head: Any
    ) -> Claim:
        facts: dict[str, Any] = {
            "encounter": "E1",
            "place": "11",
            "last": "DOE",
            "first": "JANE",
            "birth": date(1980, 1, 15),
            "sex": Sex.FEMALE,
            "street": "1 ELM ST",
            "city": "DES MOINES",
            "region": "IA",
            "postcode": "503090001",
            "diagnoses": "Z0000:E119",
        }
        others = head.pop("others", ())
        numbers = {"payer": "DHP01", "member": "MEM0001", "group": "GRP01", **(coverage or {})}
        return Claim(
            reference=reference,
            encounter=Encounter(**(facts | head)),
            coverage=Coverage(**numbers),
            payer_name="DEMO HEALTH PLAN",
            order=order,
            lines=lines or (service("G0438", "200"), service("G0444", "50", number=2, pointers="1:2")),
            others=others,
        )

    return make


def service(code: str, charge: str, *, number: int = 1, pointers: str = "1", **more: Any) -> ClaimLine:
    """A line of a claim."""
    paid = more.pop("paid", ())
    facts: dict[str, Any] = {"encounter": "E1", "served_on": date(2026, 11, 2)} | more
    return ClaimLine(body=ServiceLine(number=number, code=code, pointers=pointers, **facts), charge=Fraction(charge), paid=paid)


@pytest.fixture(name="service")
def service_fixture() -> Callable[..., ClaimLine]:
    """Make a line of a claim."""
    return service
