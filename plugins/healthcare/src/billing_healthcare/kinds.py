"""What an encounter says: one record about the patient, the providers and who pays, and one record for each service line.

The patient's name, birth date, address, member numbers and diagnoses stand in the encounter's record only, and are personal
data; prices never depend on them. A service line has the code and what it was done with, so that it can be priced, edited and
explained alone. Both name the encounter.
"""

from __future__ import annotations

import enum
import re
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework import UsageKind, ValueRefused, personal

MOST_POINTERS = 4
MOST_MODIFIERS = 4
CODE = re.compile(r"[A-Z0-9]{1,8}", re.ASCII)
MODIFIER = re.compile(r"[A-Z0-9]{2}", re.ASCII)
PLACE = re.compile(r"\d{2}", re.ASCII)
_POINTER = re.compile(r"[1-9]\d?", re.ASCII)


def _refused(what: str, remedy: str = "Correct it") -> ValueRefused:
    return ValueRefused("HEALTH11", what, remedy=remedy)


def _is_place(_body: object, _field: object, place: str) -> None:
    if not PLACE.fullmatch(place):
        raise _refused("place is not two digits")


def _is_place_or_empty(body: object, field: object, place: str) -> None:
    if place:
        _is_place(body, field, place)


def _is_code(_line: object, _field: object, code: str) -> None:
    if not CODE.fullmatch(code):
        raise _refused("code is not a procedure code")


def _are_modifiers(_line: object, _field: object, joined: str) -> None:
    found = joined.split(":") if joined else []
    if len(found) > MOST_MODIFIERS or not all(map(MODIFIER.fullmatch, found)):
        raise _refused(f"modifiers are not up to {MOST_MODIFIERS} of two letters or digits", "Join them by a colon: 25:59")


def _are_pointers(_line: object, _field: object, joined: str) -> None:
    found = joined.split(":") if joined else []
    if len(found) > MOST_POINTERS or not all(map(_POINTER.fullmatch, found)):
        raise _refused(f"pointers are not up to {MOST_POINTERS} numbers of diagnoses", "Join them by a colon: 1:2")


def _is_above_zero(_line: object, field: attrs.Attribute[Any], value: Fraction) -> None:
    if value <= 0:
        raise _refused(f"{field.name} is not above zero")


def _is_from_zero_up(_line: object, field: attrs.Attribute[Any], value: Fraction | None) -> None:
    if value is not None and value < 0:
        raise _refused(f"{field.name} is no number from zero up")


def _is_frequency(_encounter: object, _field: object, frequency: str) -> None:
    if frequency not in {"1", "7"}:
        raise _refused(f"the claim frequency {frequency!r} is unknown", "Use 1 original or 7 replacement")


class Sex(enum.Enum):
    """Administrative sex as claims write it."""

    FEMALE = "F"
    MALE = "M"
    UNKNOWN = "U"


@attrs.frozen(kw_only=True)
class Encounter:
    """A visit or stay of one patient: what all its lines share.

    Attributes:
        encounter: identifier at the source; the lines name it.
        place: place of service code: ``11`` office, ``22`` outpatient hospital.
        lines: how many service lines it has; it is billed when all are there. 0 where that is not known.
        last: last name of the patient.
        first: first name.
        middle: middle name or initial.
        birth: date of birth.
        sex: administrative sex.
        street: street of the patient's address.
        city: town.
        region: state code.
        postcode: ZIP code without hyphen.
        diagnoses: diagnosis codes in order, without decimal point, joined by ``:``; the first is the principal one.
        coverage: who pays, in order, as JSON; `coverage.read_coverages` reads it. Empty for a patient who pays alone.
        rendering_npi: identifier of who rendered the service, empty where the billing provider did.
        rendering_last: name of the renderer.
        rendering_first: first name, empty for an organisation.
        rendering_taxonomy: taxonomy code of the renderer.
        referring_npi: identifier of who referred, or empty.
        referring_last: name of the referrer.
        referring_first: first name.
        authorisation: number of the payer's prior authorisation, or empty.
        frequency: ``1`` original, ``7`` replacement of an earlier claim.
        payer_control: the payer's number of the earlier claim; required with 7.
        patient_paid: what the patient paid at the desk; told to the payer, booked as a payment of its own.
    """

    encounter: str
    place: str = attrs.field(validator=_is_place)
    lines: int = 0
    last: str = personal()
    first: str = personal("")
    middle: str = personal("")
    birth: date | None = personal(None)
    sex: Sex = Sex.UNKNOWN
    street: str = personal("")
    city: str = personal("")
    region: str = personal("")
    postcode: str = personal("")
    diagnoses: str = personal("")
    coverage: str = personal("")
    rendering_npi: str = ""
    rendering_last: str = ""
    rendering_first: str = ""
    rendering_taxonomy: str = ""
    referring_npi: str = ""
    referring_last: str = ""
    referring_first: str = ""
    authorisation: str = ""
    frequency: str = attrs.field(default="1", validator=_is_frequency)
    payer_control: str = ""
    patient_paid: Fraction = Fraction(0)


@attrs.frozen(kw_only=True)
class ServiceLine:
    """One service of an encounter.

    Attributes:
        encounter: the encounter that it belongs to.
        number: its number there, from 1.
        code: procedure code, opaque text.
        modifiers: up to four modifiers in order, joined by ``:``.
        units: how many.
        measure: ``UN`` units or ``MJ`` minutes.
        charge: what is charged for the line as a whole; None takes it from the charge master.
        pointers: numbers of the diagnoses that it is for, in order, joined by ``:``.
        served_on: date of service, or the first of several.
        served_through: last date of service, None for a single date.
        place: place of service where it differs from the encounter's.
        renderer: identifier of who rendered it, taken over from the encounter; procedures are ranked for each renderer.
        drug: national drug code, 11 digits, or empty.
        drug_quantity: quantity of the drug.
        drug_unit: its unit: ``F2``, ``GR``, ``ME``, ``ML``, ``UN``.
    """

    encounter: str
    number: int
    code: str = attrs.field(validator=_is_code)
    modifiers: str = attrs.field(default="", validator=_are_modifiers)
    units: Fraction = attrs.field(default=Fraction(1), validator=_is_above_zero)
    measure: str = "UN"
    charge: Fraction | None = attrs.field(default=None, validator=_is_from_zero_up)
    pointers: str = attrs.field(default="", validator=_are_pointers)
    served_on: date
    served_through: date | None = None
    place: str = attrs.field(default="", validator=_is_place_or_empty)
    renderer: str = ""
    drug: str = ""
    drug_quantity: Fraction | None = None
    drug_unit: str = ""

    @property
    def modifier_list(self) -> tuple[str, ...]:
        """The modifiers one by one."""
        return tuple(self.modifiers.split(":")) if self.modifiers else ()

    @property
    def last_on(self) -> date:
        """Last date of service."""
        return self.served_through or self.served_on

    @property
    def control(self) -> str:
        """Line control number: what a remittance names the line by."""
        return f"{self.encounter}L{self.number}"


ENCOUNTER = UsageKind(
    name="encounter",
    title="A visit or stay of one patient",
    body=Encounter,
    carried=True,
    editable=("place", "authorisation", "frequency", "payer_control"),
)
SERVICE_LINE = UsageKind(
    name="service_line",
    title="One coded service of an encounter",
    body=ServiceLine,
    carried=True,
    editable=("code", "modifiers", "units", "charge", "pointers", "place"),
)


def usage_kinds() -> tuple[UsageKind, ...]:
    """Return the kinds that the plugin offers."""
    return ENCOUNTER, SERVICE_LINE
