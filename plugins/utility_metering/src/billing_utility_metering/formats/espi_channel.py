"""What a Green Button ReadingType says about the readings: unit, power of ten, direction, interval."""

from __future__ import annotations

import attrs

from billing_utility_metering.formats.espi_feed import Entry, whole
from billing_utility_metering.formats.refusal import RecordRefused
from billing_utility_metering.kinds import Flow
from billing_utility_metering.units import CONSUMPTION_UNIT, family_of

_UNITS = {
    31: "J",
    38: "W",
    42: "m3",
    61: "VA",
    63: "var",
    71: "VAh",
    72: "Wh",
    73: "varh",
    119: "ft3",
    120: "ft3",
    128: "gal",
    130: "gal_imp",
    132: "Btu",
    134: "L",
    166: "m3",
    167: "m3",
    169: "therm",
}
_DELTA = 4
_ENERGY, _VOLUME = 12, 58
_DELIVERED, _RECEIVED = 1, 19
_LARGEST_POWER = 12


@attrs.frozen(kw_only=True)
class ReadingChannel:
    """How the values of a meter reading are to be read.

    Attributes:
        unit: canonical unit.
        power: power of ten that a value is multiplied by; money is never multiplied by it.
        flow: which way it flows.
        seconds: declared interval length; 0 where none is declared.
        default_quality: quality of readings that state none, or empty.
    """

    unit: str
    power: int
    flow: Flow
    seconds: int
    default_quality: str

    @classmethod
    def of(cls, kind: Entry) -> ReadingChannel:
        """Return what a ReadingType says.

        Raises:
            RecordRefused: ``UTIL06`` for an unknown unit, ``UTIL04`` for an impossible power of ten, ``UTIL15`` for readings that
                are no consumption per interval (counters, sums).
        """
        numbers = {name: whole(kind.fields.get(name)) for name in ("uom", "kind", "flowDirection", "intervalLength")}
        behaviour = whole(kind.fields.get("accumulationBehaviour"))
        if behaviour not in (None, 0, _DELTA):
            raise RecordRefused(
                "UTIL15",
                "the readings are no consumption per interval",
                remedy="Ask the utility for delta data (accumulationBehaviour 4), or read registers by --format register_csv",
                field="accumulationBehaviour",
                value=str(behaviour),
            )
        unit = _UNITS.get(numbers["uom"] or 0)
        if unit is None:
            raise RecordRefused(
                "UTIL06",
                "the unit is not known",
                remedy="Ask the utility what it measures",
                field="uom",
                value=kind.fields.get("uom", ""),
            )
        power = whole(kind.fields.get("powerOfTenMultiplier") or "0")
        if power is None or abs(power) > _LARGEST_POWER:
            raise RecordRefused(
                "UTIL04",
                "this is no power of ten",
                remedy="Ask the utility for the file again",
                field="powerOfTenMultiplier",
                value=kind.fields["powerOfTenMultiplier"],
            )
        return cls(
            unit=unit,
            power=power,
            flow=_flow(unit, numbers["kind"], numbers["flowDirection"]),
            seconds=numbers["intervalLength"] or 0,
            default_quality=kind.fields.get("defaultQuality", ""),
        )


def _flow(unit: str, kind: int | None, direction: int | None) -> Flow:
    family = family_of(unit)
    if family == "reactive_energy":
        return Flow.REACTIVE
    if family not in CONSUMPTION_UNIT or kind not in (None, 0, _ENERGY, _VOLUME):
        return Flow.OTHER
    if direction in (None, 0, _DELIVERED):  # water and gas utilities often leave the direction out
        return Flow.DELIVERED
    return Flow.RECEIVED if direction == _RECEIVED else Flow.OTHER
