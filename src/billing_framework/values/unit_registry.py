"""Reads unit definitions by pint, once per deployment, and keeps what it found as plain rationals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import pint

from billing_framework.values.unit_definition import ResolvedUnit, UnitDefinition, unit_refused


def resolve(definitions: Sequence[UnitDefinition]) -> Mapping[str, ResolvedUnit]:
    """Return dimension and factor of every unit by name; the names must be known to be different.

    Raises:
        ValueRefused: ``VALUE24`` for a definition that cannot be read or is not exact.
    """
    registry: pint.UnitRegistry[Fraction] = pint.UnitRegistry(None, non_int_type=Fraction, on_redefinition="raise")
    for definition in definitions:
        _define(registry, definition)
    return {definition.name: _resolved(registry, definition) for definition in definitions}


_PARSER_TRIPS = (pint.PintError, RecursionError, ArithmeticError, ValueError, TypeError, AttributeError)
"""What pint raises for a definition without sense: whatever its parser trips over."""


def _define(registry: pint.UnitRegistry[Fraction], definition: UnitDefinition) -> None:
    try:
        registry.define(f"{definition.name} = {definition.definition}")
    except _PARSER_TRIPS as error:
        raise unit_refused(definition, "it cannot be read") from error


def _resolved(registry: pint.UnitRegistry[Fraction], definition: UnitDefinition) -> ResolvedUnit:
    try:
        factor, _ = registry.get_root_units(definition.name)
        powers = registry.get_dimensionality(definition.name)
    except _PARSER_TRIPS as error:
        raise unit_refused(definition, "it is defined by itself" if isinstance(error, RecursionError) else str(error)) from error
    if not isinstance(factor, int | Fraction) or factor <= 0:
        raise unit_refused(definition, f"its factor {factor} is not an exact number above zero")
    exponents = sorted((str(dimension), str(power)) for dimension, power in powers.items())
    shown = " ".join(dimension if power == "1" else f"{dimension}**{power}" for dimension, power in exponents)
    return ResolvedUnit(shown, Fraction(factor))
