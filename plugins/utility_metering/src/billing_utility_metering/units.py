"""The units of the trade, and the few conversions between them that are no matter of contract.

Only multiples of one unit convert (Wh to kWh, litres to m3, cubic feet to ccf). Whatever a tariff may define otherwise (2.83 m3
per hundred cubic feet, 748 gallons per ccf, therms, calorific values) has a dimension of its own here, so that it can only be
converted by a factor that stands in the plan. Apparent and reactive energy are no energy either: kVAh never becomes kWh.
"""

from __future__ import annotations

import functools
from fractions import Fraction

import attrs

from billing_framework import UnitDefinition, Units, ValueRefused, define_units


@attrs.frozen
class _Multiple:
    """A unit as a multiple of the first unit of its family."""

    name: str
    family: str
    factor: Fraction
    aliases: tuple[str, ...] = ()


def _family(family: str, *multiples: tuple[str, str | int, tuple[str, ...]]) -> tuple[_Multiple, ...]:
    return tuple(_Multiple(name, family, Fraction(factor), aliases) for name, factor, aliases in multiples)


_UNITS = (
    *_family(
        "energy",
        ("Wh", 1, ("watt hour", "watt hours")),
        ("kWh", 1000, ("kilowatt hour", "kilowatt hours", "kWhs")),
        ("MWh", 10**6, ("megawatt hour",)),
        ("GWh", 10**9, ("gigawatt hour",)),
        ("J", "1/3600", ("joule",)),
        ("MJ", "10000/36", ("megajoule",)),
        ("GJ", "10000000/36", ("gigajoule",)),
    ),
    *_family("reactive_energy", ("varh", 1, ()), ("kvarh", 1000, ()), ("Mvarh", 10**6, ())),
    *_family("apparent_energy", ("VAh", 1, ()), ("kVAh", 1000, ()), ("MVAh", 10**6, ())),
    *_family("power", ("W", 1, ("watt",)), ("kW", 1000, ("kilowatt",)), ("MW", 10**6, ("megawatt",))),
    *_family("reactive_power", ("var", 1, ()), ("kvar", 1000, ()), ("Mvar", 10**6, ())),
    *_family("apparent_power", ("VA", 1, ()), ("kVA", 1000, ()), ("MVA", 10**6, ())),
    *_family(
        "metric_volume",
        ("m3", 1, ("m³", "cubic metre", "cubic meter", "cubic metres", "cubic meters")),
        ("L", "1/1000", ("litre", "liter", "litres", "liters")),
        ("kL", 1, ("kilolitre", "kiloliter")),
        ("ML", 1000, ("megalitre", "megaliter")),
    ),
    *_family(
        "cubic_feet",
        ("ft3", 1, ("ft³", "cf", "cuft", "cu ft", "cubic foot", "cubic feet")),
        ("ccf", 100, ("hcf", "100 ft3", "100 cu ft")),
        ("Mcf", 1000, ()),
    ),
    *_family("us_gallons", ("gal", 1, ("US gal", "gallon", "gallons")), ("kgal", 1000, ("1000 gal", "1000 gallons"))),
    *_family("imperial_gallons", ("gal_imp", 1, ("imp gal", "imperial gallon", "imperial gallons"))),
    *_family("therms", ("therm", 1, ("therms", "thm")), ("Dth", 10, ("dekatherm", "dekatherms"))),
    *_family("british_thermal_units", ("Btu", 1, ()), ("MMBtu", 10**6, ())),
)
_FAMILY_OF = {unit.name: unit.family for unit in _UNITS}

CONSUMPTION_UNIT = {
    "energy": "kWh",
    "metric_volume": "m3",
    "cubic_feet": "ccf",
    "us_gallons": "kgal",
    "imperial_gallons": "gal_imp",
    "therms": "therm",
    "british_thermal_units": "MMBtu",
}
"""Families that a meter counts and a customer consumes, with the unit in which a measure is given where the plan names none."""

OTHER_UNIT = {"reactive_energy": "kvarh", "apparent_energy": "kVAh"}
"""Families that are measured beside the consumption."""


def unit_definitions() -> tuple[UnitDefinition, ...]:
    """Return every unit for the framework's register of units."""
    first = {unit.family: unit.name for unit in reversed(_UNITS)}
    return tuple(
        UnitDefinition(
            unit.name,
            f"[{unit.family}]" if first[unit.family] == unit.name else _product(unit.factor, first[unit.family]),
            unit.aliases,
        )
        for unit in _UNITS
    )


def _product(factor: Fraction, unit: str) -> str:
    return f"{factor.numerator} * {unit}" + (f" / {factor.denominator}" if factor.denominator != 1 else "")


@functools.cache
def _units() -> Units:
    return define_units(unit_definitions())


@functools.lru_cache(maxsize=1000)
def unit_name(text: str) -> str | None:
    """Return the unit that `text` spells in any letter case, None for a spelling that the trade does not know."""
    if text in _FAMILY_OF:
        return text
    try:
        name = _units().name(" ".join(text.split()))
    except ValueRefused:
        return None
    return name if name in _FAMILY_OF else None


def family_of(unit: str) -> str:
    """Return the family that a unit belongs to; units of one family are multiples of each other. Empty for an unknown unit."""
    return _FAMILY_OF.get(unit, "")


@functools.cache
def factor(source: str, target: str) -> Fraction | None:
    """Return how many `target` units are in one `source` unit; None where only a plan's factor may convert them."""
    if source == target and source in _FAMILY_OF:
        return Fraction(1)
    try:
        return _units().factor(source, target)
    except ValueRefused:
        return None
