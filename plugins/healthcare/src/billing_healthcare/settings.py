"""Settings of the plugin: table ``[plugin.healthcare]`` of ``billing.toml``: who sends claims, and where to."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from billing_framework import ValueRefused
from billing_healthcare.x12.number import is_npi


def _npi(_settings: object, field: attrs.Attribute[str], value: str) -> None:
    if value and not is_npi(value):
        raise ValueRefused("HEALTH26", f"{field.name} {value!r} has a wrong check digit", remedy="Correct the identifier")


def _usage(_settings: object, _field: attrs.Attribute[str], value: str) -> None:
    if value not in {"P", "T"}:
        raise ValueRefused("HEALTH26", f"usage must be P (production) or T (test), not {value!r}", remedy="Use one of them")


@attrs.frozen(kw_only=True)
class HealthcareSettings:
    """What claims say about the provider that bills, and about the exchange with the clearing house.

    Attributes:
        submitter: name of who submits the files.
        submitter_id: its identifier at the receiver, up to 15 characters.
        contact: name of its contact.
        phone: telephone number of the contact, digits only.
        receiver: name of the receiver, a payer or clearing house.
        receiver_id: its identifier, up to 15 characters.
        provider: name of the billing provider.
        provider_npi: its national provider identifier.
        provider_taxonomy: its taxonomy code, or empty.
        tax_id: its employer identification number, digits only.
        street: street of its address; a post box is refused by payers.
        city: town.
        region: state code.
        postcode: nine digits.
        usage: ``P`` for production or ``T`` for test files.
        payers: identifier of each payer to its name, as claims write it; needed for payers after the first.
        contractual_reasons: adjustment reasons of the provider's contract (groups CO and PI): what they take is given up.
        sequestration_reasons: reasons of a payment cut by law, which is given up under a code of its own.
        informational_reasons: reasons of group OA that only tell what an earlier payer did.
    """

    submitter: str = ""
    submitter_id: str = ""
    contact: str = ""
    phone: str = ""
    receiver: str = ""
    receiver_id: str = ""
    provider: str = ""
    provider_npi: str = attrs.field(default="", validator=_npi)
    provider_taxonomy: str = ""
    tax_id: str = ""
    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    usage: str = attrs.field(default="T", validator=_usage)
    payers: Mapping[str, str] = attrs.field(factory=dict)
    contractual_reasons: tuple[str, ...] = ("24", "42", "45", "59", "94", "97", "144", "A2")
    sequestration_reasons: tuple[str, ...] = ("253",)
    informational_reasons: tuple[str, ...] = ("23",)
