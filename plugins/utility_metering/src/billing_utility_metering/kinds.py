"""What a meter record says: a day of intervals, a register read at an instant, or a span between two reads."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from datetime import datetime
from fractions import Fraction
from itertools import groupby

import attrs

from billing_framework import UsageKind
from billing_utility_metering.settings import LONGEST_READ_WINDOW_DAYS


class Flow(enum.Enum):
    """Which way the counted thing flows.

    ``DELIVERED`` to the customer, ``RECEIVED`` from it, ``REACTIVE`` energy, or ``OTHER`` (voltage, power, net channels), which
    is kept but never billed as consumption.
    """

    DELIVERED = "delivered"
    RECEIVED = "received"
    REACTIVE = "reactive"
    OTHER = "other"


class ReadQuality(enum.Enum):
    """How a register value was obtained; in rising order of trust, which decides between two reads of one instant."""

    ESTIMATED = "estimated"
    CUSTOMER = "customer"
    SUBSTITUTED = "substituted"
    ACTUAL = "actual"
    FINAL = "final"

    @property
    def trust(self) -> int:
        """Position in rising order of trust."""
        return list(ReadQuality).index(self)

    @property
    def is_estimate(self) -> bool:
        """True where nobody has seen the register at that value."""
        return self in (ReadQuality.ESTIMATED, ReadQuality.SUBSTITUTED)


@attrs.frozen(kw_only=True)
class IntervalDay:
    """One channel on one day: the interval values, packed.

    Attributes:
        channel: the channel of the usage point, for example ``E1``.
        register: register that the channel counts, or empty.
        meter: serial number of the meter, or empty.
        unit: unit of the values as delivered, in canonical spelling: ``Wh``, ``kWh``, ``m3``.
        flow: which way it flows.
        interval_seconds: length of each interval; the first begins at the record's start.
        scale: decimals of the values: a value of 1111 at scale 3 is 1.111.
        values: one scaled value per interval; 0 at a missing place.
        missing: positions (from 0) that have no value.
        qualities: quality codes of the source, run-length: ``A*20,F14*4``; codes of a missing place are ``-``.
        updated: when the source last changed it, as the source writes it.
    """

    channel: str
    register: str = ""
    meter: str = ""
    unit: str
    flow: Flow
    interval_seconds: int
    scale: int
    values: tuple[int, ...]
    missing: tuple[int, ...] = ()
    qualities: str = ""
    updated: str = ""


@attrs.frozen(kw_only=True)
class RegisterRead:
    """The value of a register at an instant.

    Attributes:
        register: the register: ``1``, ``peak``. Time-of-use registers bear the name of the plan's period.
        meter: serial number of the meter.
        value: the value that the register shows, before any multiplier.
        unit: unit of the register after its multiplier: ``kWh``, ``m3``; ``kW`` for a demand register.
        quality: how it was obtained.
        flow: which way the counted thing flows.
    """

    register: str
    meter: str = ""
    value: Fraction
    unit: str
    quality: ReadQuality
    flow: Flow = Flow.DELIVERED


@attrs.frozen(kw_only=True)
class RegisterSpan:
    """A consumption between two reads, computed by the source.

    Attributes:
        register: the register.
        channel: the channel or data stream, for example ``11``.
        meter: serial number of the meter.
        unit: unit of the quantity, in canonical spelling.
        flow: which way it flows.
        previous_value: what the register showed at the start; None where the source does not say.
        previous_quality: how that was obtained.
        current_value: what it showed at the end; None where the source does not say.
        current_quality: how that was obtained.
        quantity: the consumption as the source gives it; it counts even where the reads say otherwise.
        updated: when the source last changed it, as the source writes it.
    """

    register: str
    channel: str
    meter: str = ""
    unit: str
    flow: Flow
    previous_value: Fraction | None = None
    previous_quality: str = ""
    current_value: Fraction | None = None
    current_quality: str = ""
    quantity: Fraction
    updated: str = ""


INTERVAL_DAY = UsageKind(name="interval_day", title="Interval values of one channel on one day", body=IntervalDay, divisible=True)
REGISTER_READ = UsageKind(
    name="register_read",
    title="Value of a register at an instant",
    body=RegisterRead,
    reach_days=LONGEST_READ_WINDOW_DAYS,
    reach_after_days=1,  # a reading on the date after the period closes it
)
REGISTER_SPAN = UsageKind(name="register_span", title="Consumption between two register reads", body=RegisterSpan, divisible=True)


def usage_kinds() -> tuple[UsageKind, ...]:
    """Return the kinds that the plugin offers."""
    return INTERVAL_DAY, REGISTER_READ, REGISTER_SPAN


def run_length(codes: Iterable[str]) -> str:
    """Return codes as run-length text: ``A*20,F14*4``."""
    return ",".join(f"{code or '?'}*{sum(1 for _ in run)}" for code, run in groupby(codes))


def runs(text: str) -> Iterator[tuple[str, int]]:
    """Yield code and length of each run of a run-length text."""
    for part in text.split(",") if text else ():
        code, _, length = part.rpartition("*")
        yield code, int(length)


_ESTIMATE_LETTERS = frozenset("ESF")
_ESTIMATE_NUMBERS = frozenset({"8", "9", "12", "13"})


def is_estimate(code: str) -> bool:
    """True where a quality code says that the value was not read from the meter.

    AEMO MDFF: E forward estimate, S substituted, F final substitution (the digits after it name the method). NAESB ESPI: 8
    estimated, 9 interpolated, 12 projected, 13 mixed.
    """
    return code in _ESTIMATE_NUMBERS or code[:1] in _ESTIMATE_LETTERS


def stamp(instant: datetime) -> int:
    """Return an instant as the number yyyymmddhhmmss, which orders the versions of a record."""
    return int(instant.strftime("%Y%m%d%H%M%S"))
