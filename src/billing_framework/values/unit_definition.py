"""A unit as the core or a plugin defines it, and what is found of it."""

from __future__ import annotations

from fractions import Fraction

import attrs

from billing_framework.values.errors import ValueRefused


@attrs.frozen
class UnitDefinition:
    """One unit that the core or a plugin offers.

    Attributes:
        name: how records, plans and documents write it: letters, digits and underscores, for example ``GB``.
        definition: ``[dimension]`` for the base unit of a dimension, else an exact factor of defined units such as
            ``1000 * metre ** 3`` or ``60 * second``.
        aliases: other spellings that sources use, of any characters; letter case is ignored where that leaves no doubt.
    """

    name: str
    definition: str
    aliases: tuple[str, ...] = ()


@attrs.frozen
class ResolvedUnit:
    """Dimension of a unit in base dimensions, and its exact factor to the base unit."""

    dimension: str
    factor: Fraction


def unit_refused(definition: UnitDefinition, why: str) -> ValueRefused:
    """Return the error of a definition that cannot be used, with the reason."""
    return ValueRefused(
        "VALUE24",
        f"unit {definition.name!r} = {definition.definition!r}: {why}",
        remedy='Define it as "[dimension]" or as an exact factor of defined units, for example "60 * second"',
    )
