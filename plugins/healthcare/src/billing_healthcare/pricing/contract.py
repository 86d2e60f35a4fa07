"""The terms of a payer's contract, as a plan's component gives them; every choice that contracts differ in has a name here."""

from __future__ import annotations

import enum
from fractions import Fraction

import attrs

from billing_framework import RateTableName, ValueRefused, rate_table_field
from billing_healthcare.tables.kinds import CHARGE_MASTER, CONVERSION_FACTORS, FEE_SCHEDULE, LOCALITIES, RELATIVE_VALUES

MODEL = "healthcare.contract"

FACILITY_PLACES = ("02", "19", "21", "22", "23", "24", "26", "31", "34", "41", "42", "51", "52", "53", "56", "61")
"""Places of service that pay the facility rate, as far as a plan gives no list of its own."""


class Basis(enum.Enum):
    """What the contract allows is taken from: nothing agreed, a percentage of charges, a fee schedule, or relative values."""

    NONE = "none"
    PERCENT_OF_CHARGES = "percent_of_charges"
    FEE_SCHEDULE = "fee_schedule"
    MPFS = "mpfs"


class Bills(enum.Enum):
    """What the document asks for: the full ``CHARGES``, as claims do, or what the contract has ``ALLOWED``."""

    CHARGES = "charges"
    ALLOWED = "allowed"


class EndoscopyDifference(enum.Enum):
    """How the base of an endoscopy family is taken off: rounded ``FEES`` or exact ``RVU`` sums before rounding."""

    FEES = "fees"
    RVU = "rvu"


def _percents(*texts: str) -> tuple[Fraction, ...]:
    return tuple(Fraction(text) for text in texts)


@attrs.frozen(kw_only=True)
class Contract:
    """Parameters of the charge model ``healthcare.contract``. Percentages are written as percent: ``"60"``.

    Attributes:
        bills: what the document asks for.
        basis: what the contract allows is taken from.
        charge_master: table of charges for lines that come without one.
        percent: percentage of charges that is allowed.
        cap: most that is allowed for a line by percentage.
        floor: least that is allowed for a line by percentage, never above the charge under `lesser_of`.
        fee_schedule: table of fees.
        carve_outs: table of fees that win over the basis and its factor.
        relative_values: table of relative values.
        localities: table of geographic factors; without it all are 1.
        locality: contractor and number of the locality: ``13202/01``.
        conversion_factors: table of conversion factors; without it the one beside the relative values counts.
        is_qualifying: True where the clinician is a qualifying participant, which decides the conversion factor since 2026.
        factor: what the allowed amount of schedule and relative values is multiplied by.
        lesser_of: True where never more than the charge is allowed.
        default_percent: percentage of charges for a code that the schedule does not price; else a person decides.
        multiple_schedule: percentages of the first, second, ... procedure of a day; what comes after waits for a person.
        endoscopy_difference: how the base of an endoscopy family is taken off.
        assistant_percent: percentage for an assistant surgeon (80, 81, 82).
        assistant_as_percent: percentage for an assistant who is no physician (AS).
        co_surgeon_percent: percentage for each of two surgeons (62).
        reduced_percent: percentage for reduced services (52).
        discontinued_percent: percentage for discontinued services (53) without a row of their own; None waits for a person.
        therapy_percent: percentage of practice expense for every further therapy unit of a day.
        imaging_percents: percentages of the technical and professional part of every further imaging procedure of a day.
        cardiovascular_percent: percentage of the technical part of every further cardiovascular procedure.
        ophthalmology_percent: percentage of the technical part of every further ophthalmology procedure.
        facility_places: places of service that pay the facility rate.
    """

    bills: Bills = Bills.CHARGES
    basis: Basis = Basis.NONE
    charge_master: RateTableName = rate_table_field(CHARGE_MASTER, default="")
    percent: Fraction | None = None
    cap: Fraction | None = None
    floor: Fraction | None = None
    fee_schedule: RateTableName = rate_table_field(FEE_SCHEDULE, default="")
    carve_outs: RateTableName = rate_table_field(FEE_SCHEDULE, default="")
    relative_values: RateTableName = rate_table_field(RELATIVE_VALUES, default="")
    localities: RateTableName = rate_table_field(LOCALITIES, default="")
    locality: str = ""
    conversion_factors: RateTableName = rate_table_field(CONVERSION_FACTORS, default="")
    is_qualifying: bool = False
    factor: Fraction = Fraction(1)
    lesser_of: bool = True
    default_percent: Fraction | None = None
    multiple_schedule: tuple[Fraction, ...] = _percents("100", "50", "50", "50", "50")
    endoscopy_difference: EndoscopyDifference = EndoscopyDifference.FEES
    assistant_percent: Fraction = Fraction(16)
    assistant_as_percent: Fraction = Fraction("13.6")
    co_surgeon_percent: Fraction = Fraction("62.5")
    reduced_percent: Fraction = Fraction(50)
    discontinued_percent: Fraction | None = None
    therapy_percent: Fraction = Fraction(50)
    imaging_percents: tuple[Fraction, ...] = _percents("50", "95")
    cardiovascular_percent: Fraction = Fraction(75)
    ophthalmology_percent: Fraction = Fraction(80)
    facility_places: tuple[str, ...] = FACILITY_PLACES

    def __attrs_post_init__(self) -> None:
        """Refuse terms that contradict each other, when the plan is read."""
        problem = _problem(self)
        if problem is not None:
            field, what, remedy = problem
            raise ValueRefused("HEALTH25", f"{field}: {what}", remedy=remedy)


def _problem(given: Contract) -> tuple[str, str, str] | None:
    needs = {Basis.FEE_SCHEDULE: "fee_schedule", Basis.MPFS: "relative_values", Basis.PERCENT_OF_CHARGES: "percent"}
    needed = needs.get(given.basis)
    negative = next((name for name in _NUMBERS if any(number < 0 for number in _numbers(getattr(given, name)))), "")
    problems = (
        (needed and not getattr(given, needed), needed or "", f"the basis {given.basis.value} needs {needed}", "Give it"),
        (given.bills is Bills.ALLOWED and given.basis is Basis.NONE, "basis", "nothing is agreed", "Give a basis"),
        (bool(given.localities) != bool(given.locality), "locality", "it goes with localities", "Give both or neither"),
        (len(given.imaging_percents) != 2, "imaging_percents", "imaging has two parts", "Give two percentages"),
        (not given.multiple_schedule, "multiple_schedule", "the schedule is empty", "Give the percentage of the first procedure"),
        (bool(negative), negative, f"{negative} is below zero", "Give numbers from zero up"),
    )
    return next(((field, what, remedy) for is_wrong, field, what, remedy in problems if is_wrong), None)


def _numbers(value: object) -> tuple[Fraction, ...]:
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(part for part in parts if isinstance(part, Fraction))


_NUMBERS = tuple(field.name for field in attrs.fields(Contract))
