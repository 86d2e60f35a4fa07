"""What the components of a price plan say about time and expenses."""

from __future__ import annotations

import enum
import functools
from collections.abc import Mapping, Sequence
from fractions import Fraction

import attrs

from billing_framework import Figure, RateTableName, ValueRefused, rate_table_field
from billing_legal_timekeeping.codes_in_use import UnknownCodes, known_sets
from billing_legal_timekeeping.kinds import Cost
from billing_legal_timekeeping.tables import CODES, DIMENSIONS, EXPENSE_RATES, RATES, TIMEKEEPERS

ENTRY = "entry"
"""The level of a precedence that stands for a price written on the entry itself."""

PRECEDENCE = (
    ENTRY,
    "matter+timekeeper",
    "matter+classification",
    "matter",
    "client+timekeeper",
    "client+classification",
    "client",
    "timekeeper+task",
    "timekeeper+activity",
    "timekeeper",
    "classification+task",
    "classification",
)
"""From the most specific price to the most general one."""


class IncrementMode(enum.Enum):
    """How time becomes units: ``UP``, ``NEAREST_HALF_UP``, ``NEAREST_HALF_EVEN``, ``DOWN`` to whole steps.

    ``EXACT`` prices every second; ``PRINTED_UNITS`` prices hours with as many decimals as are printed.
    """

    UP = "up"
    NEAREST_HALF_UP = "nearest_half_up"
    NEAREST_HALF_EVEN = "nearest_half_even"
    DOWN = "down"
    EXACT = "exact"
    PRINTED_UNITS = "printed_units"


class IncrementScope(enum.Enum):
    """What is rounded at once: each ``ENTRY``, a person's time for a matter on a ``DAY``, or on the whole ``INVOICE``."""

    ENTRY = "entry"
    DAY = "day"
    INVOICE = "invoice"


class Tie(enum.Enum):
    """What happens where several rows of one level price an hour differently: ``REFUSE`` holds the bill."""

    REFUSE = "refuse"
    HIGHEST = "highest"
    LOWEST = "lowest"
    FIRST = "first"


class AboveCeiling(enum.Enum):
    """How a price above a ceiling comes down: ``LOWER`` the price, or ``ADJUST`` the line and show what was taken off."""

    LOWER = "lower"
    ADJUST = "adjust"


def _minutes(_params: object, field: attrs.Attribute[int], minutes: int) -> None:
    least = 1 if field.name == "step_minutes" else 0
    if not least <= minutes <= 1440:
        raise ValueRefused("LEGAL06", f"{field.name} must be {least} to 1440, not {minutes}", remedy="Correct the plan")


def _places(_params: object, _field: object, places: int) -> None:
    if not 0 <= places <= 4:
        raise ValueRefused("LEGAL06", f"hours are printed with 0 to 4 decimals, not {places}", remedy="Correct the plan")


@functools.lru_cache(maxsize=256)
def level_of(text: str) -> frozenset[str]:
    """Return the dimensions of a level as a precedence writes it: ``matter+timekeeper``."""
    return frozenset(text.split("+"))


def _known_levels(_params: object, field: attrs.Attribute[tuple[str, ...]], levels: tuple[str, ...]) -> None:
    for level in levels:
        parts = level.split("+")
        if level != ENTRY and (len(set(parts)) != len(parts) or not set(parts) <= set(DIMENSIONS)):
            remedy = f"Join dimensions by +: {', '.join(DIMENSIONS)}; or write {ENTRY}"
            raise ValueRefused("LEGAL06", f"{field.name}: {level!r} is no level", remedy=remedy)
    named = [level_of(level) for level in levels]
    if len(set(named)) != len(named) or not levels:
        raise ValueRefused("LEGAL06", f"{field.name} must name each level once", remedy="Correct the plan")


@attrs.frozen(kw_only=True)
class Increment:
    """How time becomes billed hours.

    Attributes:
        step_minutes: length of a unit.
        mode: where time between two units goes.
        scope: what is rounded at once; the units of a day or invoice are shared to its lines by largest remainder.
        minimum_minutes: the least that is billed where there was any time, for what is rounded at once.
        activity_minimums: activity code to the least minutes of one entry, such as an appearance in court.
        places: decimals of the hours under ``printed_units``.
    """

    step_minutes: int = attrs.field(default=6, validator=_minutes)
    mode: IncrementMode = IncrementMode.UP
    scope: IncrementScope = IncrementScope.ENTRY
    minimum_minutes: int = attrs.field(default=0, validator=_minutes)
    activity_minimums: Mapping[str, int] = attrs.field(factory=dict)
    places: int = attrs.field(default=2, validator=_places)


@attrs.frozen(kw_only=True)
class CodeRules:
    """Which codes entries may bear.

    Attributes:
        sets: sets that come with the plugin.
        table: a client's own set, which takes the place of all of them; empty without one.
        unknown: what is done about a code that is in no set.
        required: True where an entry without a task or expense code is one with an unknown code.
    """

    sets: tuple[str, ...] = attrs.field(default=(), validator=known_sets)
    table: RateTableName = rate_table_field(CODES.name, default=RateTableName(""))
    unknown: UnknownCodes = UnknownCodes.HOLD
    required: bool = False


@attrs.frozen(kw_only=True)
class Time:
    """Fees by the hour: `legal_timekeeping.time`. The first such component of a plan that takes an entry prices it.

    Attributes:
        timekeepers: the table of people.
        rates: the table of prices.
        precedence: levels from the first to the last that is asked; a level is the set of dimensions that a row fills.
        standard: levels that give the standard rate, which percents and amounts off refer to.
        tie: what happens where rows of one level differ.
        above_ceiling: how a price above a ceiling comes down.
        percent: percent of the price at which these entries are billed: 50 for travel at half the rate.
        increment: how time becomes hours.
        tasks: task codes that it takes, all where empty; ``L1*`` stands for all that begin so.
        activities: activity codes that it takes, all where empty.
        codes: which codes entries may bear.
    """

    timekeepers: RateTableName = rate_table_field(TIMEKEEPERS.name)
    rates: RateTableName = rate_table_field(RATES.name)
    precedence: tuple[str, ...] = attrs.field(default=PRECEDENCE, validator=_known_levels)
    standard: tuple[str, ...] = attrs.field(default=("timekeeper", "classification"), validator=_known_levels)
    tie: Tie = Tie.REFUSE
    above_ceiling: AboveCeiling = AboveCeiling.LOWER
    percent: Fraction = Fraction(100)
    increment: Increment = attrs.field(factory=Increment)
    tasks: tuple[str, ...] = ()
    activities: tuple[str, ...] = ()
    codes: CodeRules = attrs.field(factory=CodeRules)


@attrs.frozen(kw_only=True)
class Expenses:
    """Costs: `legal_timekeeping.expenses`. The first such component of a plan that takes an expense prices it.

    Attributes:
        rates: the table of the firm's own prices; without one the expense itself gives its unit cost.
        markup_percent: what is added to the firm's own costs; never to a third party's.
        cost: which costs it takes, both where None.
        expense_codes: expense codes that it takes, all where empty; ``E1*`` stands for all that begin so.
        codes: which codes expenses may bear.
    """

    rates: RateTableName = rate_table_field(EXPENSE_RATES.name, default=RateTableName(""))
    markup_percent: Figure = Fraction(0)
    cost: Cost | None = None
    expense_codes: tuple[str, ...] = ()
    codes: CodeRules = attrs.field(factory=CodeRules)


def matches(patterns: Sequence[str], code: str) -> bool:
    """True where a code is one of the patterns, of which one that ends in ``*`` stands for all that begin so."""
    return any(code.startswith(one[:-1]) if one.endswith("*") else code == one for one in patterns)


def takes(patterns: Sequence[str], code: str) -> bool:
    """True where there are no patterns, or the code is one of them."""
    return not patterns or matches(patterns, code)
