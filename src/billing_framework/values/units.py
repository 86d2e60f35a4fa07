"""Units of measure: one name for each, its dimension, and one exact factor between two of them.

pint stands at the border: it reads the definitions when a deployment opens and checks their dimensions. What it found is kept as
plain rationals, so converting a million records asks pint nothing. The trades define their units themselves; a quantity that is
charged like another kind of quantity without being one (apparent power and power) gets a dimension of its own, so that neither
becomes the other in silence.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Mapping
from fractions import Fraction

import attrs

from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.quantity import Quantity
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.unit_definition import ResolvedUnit, UnitDefinition, unit_refused

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_DIMENSION = re.compile(r"\[[a-z_]+\]", re.ASCII)
_FACTORS = frozenset(string.ascii_letters + string.digits + " _.*/()-")


CORE_UNITS = (
    UnitDefinition("second", "[time]", ("s", "sec", "seconds")),
    UnitDefinition("minute", "60 * second", ("min", "minutes")),
    UnitDefinition("hour", "3600 * second", ("h", "hr", "hours")),
    UnitDefinition("day", "86400 * second", ("d", "days")),
    UnitDefinition("month", "[month]", ("mo", "months")),
    UnitDefinition("each", "[count]", ("ea", "piece", "pieces", "unit", "units")),
)
"""The units that every trade shares; a month is no number of days and has a dimension of its own."""


@attrs.frozen
class Units:
    """The units of one deployment; made by `define_units`.

    Attributes:
        known: dimension and factor to the base units, by name.
        spellings: name by exact spelling.
        folded: names by spelling without letter case; more than one where case matters.
    """

    known: Mapping[str, ResolvedUnit] = attrs.field(repr=False)
    spellings: Mapping[str, str] = attrs.field(repr=False)
    folded: Mapping[str, frozenset[str]] = attrs.field(repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self.known))

    def name(self, text: str) -> str:
        """Return the name of the unit that `text` spells: exactly, or without regard to case where only one unit fits.

        Raises:
            ValueRefused: ``VALUE22`` for an unknown spelling; the remedy offers the nearest one.
        """
        spelling = text.strip()
        if spelling in self.spellings:
            return self.spellings[spelling]
        names = self.folded.get(spelling.casefold(), frozenset())
        if len(names) == 1:
            return next(iter(names))
        raise ValueRefused("VALUE22", f"{spelling!r} is no known unit", remedy=did_you_mean(spelling, names or self.spellings))

    def dimension(self, unit: str) -> str:
        """Return the dimension of a unit in base dimensions, for example ``[length]**3``; empty for a bare ratio."""
        return self.known[self.name(unit)].dimension

    def factor(self, source: str, target: str) -> Fraction:
        """Return the exact number of `target` units in one `source` unit.

        Raises:
            UnitMismatch: ``VALUE23`` where they measure different things; the message names both.
        """
        one, other = self.known[self.name(source)], self.known[self.name(target)]
        if one.dimension != other.dimension:
            raise UnitMismatch(
                "VALUE23",
                f"{source} measures {one.dimension or 'a ratio'} and {target} {other.dimension or 'a ratio'}",
                remedy="Use a named factor of the plan where the trade has one",
            )
        return one.factor / other.factor

    def convert(self, quantity: Quantity, target: str) -> Quantity:
        """Return the same quantity in unit `target`, exactly."""
        return Quantity(quantity.value * self.factor(quantity.unit, target), self.name(target))


def define_units(definitions: Iterable[UnitDefinition]) -> Units:
    """Return the units of a deployment: the core's and those that its plugins offer, in any order.

    Raises:
        ValueRefused: ``VALUE24`` for a definition that cannot be read or is not exact, ``VALUE25`` for a name or alias that two
            units claim.
    """
    # pint takes a third of the start of a command, and few commands convert anything.
    from billing_framework.values.unit_registry import resolve  # noqa: PLC0415

    wanted = [*CORE_UNITS, *definitions]
    spellings: dict[str, str] = {}
    for definition in wanted:
        _check_spelling(definition)
        for spelling in (definition.name, *definition.aliases):
            if spelling in spellings:
                raise ValueRefused(
                    "VALUE25", f"{spelling!r} is claimed by unit {spellings[spelling]} and by unit {definition.name}"
                )
            spellings[spelling] = definition.name
    folded: dict[str, set[str]] = {}
    for spelling, name in spellings.items():
        folded.setdefault(spelling.casefold(), set()).add(name)
    return Units(resolve(wanted), spellings, {spelling: frozenset(names) for spelling, names in folded.items()})


def _check_spelling(definition: UnitDefinition) -> None:
    if not _NAME.fullmatch(definition.name):
        raise unit_refused(definition, "the name must be letters, digits and underscores; other spellings are aliases")
    if any(not alias or alias != alias.strip() for alias in definition.aliases):
        raise unit_refused(definition, "an alias must not be empty or begin or end with a blank")
    if not (_DIMENSION.fullmatch(definition.definition) or (definition.definition and set(definition.definition) <= _FACTORS)):
        raise unit_refused(definition, "it is neither a dimension nor a product of units")
