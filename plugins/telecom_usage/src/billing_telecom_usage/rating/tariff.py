"""The parameters of ``telecom_usage.calls``: deck, tariff periods, policies and allowances of one plan component."""

from __future__ import annotations

import enum
import re
from collections.abc import Callable
from fractions import Fraction

import attrs

from billing_framework import RateTableName, RoundingMode, ValueRefused, rate_table_field, timezone
from billing_telecom_usage.deck.table import DECK
from billing_telecom_usage.kinds import Direction

MODEL = "telecom_usage.calls"
_MOST_PLACES = 12
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?", re.ASCII)
_DAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1)}


class Length(enum.Enum):
    """Which seconds are charged: ``BILLED`` from answer to end, ``DURATION`` from setup to end."""

    BILLED = "billed"
    DURATION = "duration"


class Boundary(enum.Enum):
    """What happens to a call that begins in one tariff period and ends in another.

    ``START_PERIOD``: the whole call at the period in which it starts. ``INCREMENT_START``: every increment at the period in which
    it starts; one that has begun reaches into the next period. ``ROUND_EACH_SEGMENT``: the call is cut at the boundary and each
    piece rounded up by itself. ``PRO_RATA``: exact seconds of each period, no increments.
    """

    START_PERIOD = "start_period"
    INCREMENT_START = "increment_start"
    ROUND_EACH_SEGMENT = "round_each_segment"
    PRO_RATA = "pro_rata"


def second_of(text: str) -> int:
    """Return the second of the day that ``08:00`` or ``08:00:30`` says.

    Raises:
        ValueRefused: ``TEL21`` for anything else.
    """
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueRefused("TEL21", f"{text!r} is no time of day", remedy="Write it as 08:00")
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)


def _is_clock(_period: object, _field: object, text: str) -> None:
    second_of(text)


def _are_days(_period: object, _field: object, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in _DAYS:
            raise ValueRefused("TEL21", f"{name!r} is no day of the week", remedy=f"Write {', '.join(_DAYS)}")


def _within(low: int, high: int, what: str) -> Callable[[object, object, tuple[int, ...]], None]:
    def check(_period: object, _field: object, numbers: tuple[int, ...]) -> None:
        for number in numbers:
            if not low <= number <= high:
                raise ValueRefused("TEL21", f"{number} is no {what}", remedy=f"Give {low} to {high}")

    return check


@attrs.frozen(kw_only=True)
class TariffPeriod:
    """A time of day on some days with prices of its own: peak, off-peak, weekend.

    Of the periods that match a local time the one of the highest weight holds, among these the one that began last. It holds
    until another one does, at most to midnight.

    Attributes:
        name: its name; rows of the deck with this ``period`` are for it. Times that are priced alike share one name.
        days: days of the week, ``mon`` to ``sun``; all where not given.
        months: months 1 to 12; all where not given.
        month_days: days of the month 1 to 31; all where not given.
        holidays: True where it holds on holidays of the component's calendar only; False, only on other days; None, on both.
        start: local time at which it begins.
        weight: a period of more weight stands before one of less.
    """

    name: str
    days: tuple[str, ...] = attrs.field(default=(), validator=_are_days)
    months: tuple[int, ...] = attrs.field(default=(), validator=_within(1, 12, "month"))
    month_days: tuple[int, ...] = attrs.field(default=(), validator=_within(1, 31, "day of a month"))
    holidays: bool | None = None
    start: str = attrs.field(default="00:00", validator=_is_clock)
    weight: int = 10

    @property
    def weekdays(self) -> frozenset[int]:
        """ISO numbers of its days of the week, empty for all."""
        return frozenset(_DAYS[name] for name in self.days)


@attrs.frozen(kw_only=True)
class Allowance:
    """Included minutes: so many of a billing period are free.

    Attributes:
        name: unique in the component; the unused rest of late calls' periods is kept under it.
        minutes: how many minutes of each billing period.
        prefixes: prefixes of the called numbers that it covers; all where not given.
        priority: of two that cover a call, that of the higher one is used first; of equals the one that the plan names first.
        increment_s: it is used in whole steps of so many seconds.
        prorate: whether a part of a billing period gets a part of it, by days, cut to whole seconds.
        connect_fee: whether a call that it covers wholly still bears the connection fee.
    """

    name: str = attrs.field(validator=attrs.validators.matches_re(r"[a-z0-9][a-z0-9_-]*"))
    minutes: Fraction
    prefixes: tuple[str, ...] = ()
    priority: int = 10
    increment_s: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    prorate: bool = False
    connect_fee: bool = False

    def covers(self, number: str) -> bool:
        """Return whether calls to a number are covered."""
        return not self.prefixes or number.startswith(self.prefixes)


def _are_places(_params: object, _field: object, places: int | None) -> None:
    if places is not None and not 0 <= places <= _MOST_PLACES:
        raise ValueRefused("TEL22", f"calls are rounded to 0 to {_MOST_PLACES} decimals, not {places}")


@attrs.frozen(kw_only=True)
class CallPricing:
    """Calls at the prices of a deck.

    Attributes:
        deck: code of the rate table with the prices.
        direction: which calls it prices.
        length: which seconds are charged.
        boundary: what happens to calls that begin in one tariff period and end in another.
        places: decimals to which the price of each call is rounded once; None keeps it exact.
        mode: how it is rounded.
        zone: zone by whose local time periods are told; that of the account where empty.
        periods: tariff periods; none where prices do not depend on the time.
        holidays: name of the calendar that periods speak of.
        attempt_fee: price of a call that nobody answered.
        minimum_s: least seconds that are charged, where a row of the deck has none of its own.
        minimum_charge: least price of a call that is not free, where the row has none.
        maximum_charge: highest price of a call, where the row has none.
        allowances: included minutes.
        itemised: whether every call is listed below the bill.
    """

    deck: RateTableName = rate_table_field(DECK.name)
    direction: Direction = Direction.OUTGOING
    length: Length = Length.BILLED
    boundary: Boundary = Boundary.INCREMENT_START
    places: int | None = attrs.field(default=4, validator=_are_places)
    mode: RoundingMode = RoundingMode.HALF_UP
    zone: str = ""
    periods: tuple[TariffPeriod, ...] = ()
    holidays: str = ""
    attempt_fee: Fraction = Fraction(0)
    minimum_s: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    minimum_charge: Fraction | None = None
    maximum_charge: Fraction | None = None
    allowances: tuple[Allowance, ...] = ()
    itemised: bool = True

    def __attrs_post_init__(self) -> None:
        """Refuse what the types allow and no tariff means."""
        names = [one.name for one in self.allowances]
        if len(names) != len(set(names)):
            raise ValueRefused("TEL22", "two allowances have one name", remedy="Give each its own")
        if any(one.holidays is not None for one in self.periods) and not self.holidays:
            raise ValueRefused("TEL22", "a period speaks of holidays, but no calendar is named", remedy="Name it by holidays")
        prices = (self.attempt_fee, self.minimum_charge, self.maximum_charge, *(one.minutes for one in self.allowances))
        if any(price is not None and price < 0 for price in prices):
            raise ValueRefused("TEL22", "a price or number of minutes is negative", remedy="Give zero or more")
        if self.zone:
            timezone(self.zone)
