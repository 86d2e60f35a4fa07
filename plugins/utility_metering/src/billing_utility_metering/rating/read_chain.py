"""From the readings of one register to the spans between them: opening read, reads on the way, closing read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import CarriedState, DateSpan, KeyedUsage, ValueRefused, exact_text
from billing_utility_metering.kinds import ReadQuality, RegisterRead
from billing_utility_metering.rating.contribution import Context
from billing_utility_metering.rating.multiplier import capacity, multiplier


@attrs.frozen(kw_only=True)
class Reading:
    """A reading as billing sees it.

    Attributes:
        on: local date; the consumption up to it belongs to the days before.
        value: what the register shows.
        quality: how it was obtained.
        key: key of the record; None where only the carried state of an earlier bill knows the reading.
    """

    on: date
    value: Fraction
    quality: ReadQuality
    key: int | None


@attrs.frozen(kw_only=True)
class ReadSpan:
    """The consumption between two readings of one register.

    Attributes:
        first: the earlier reading.
        last: the later reading.
        difference: what the register counted, across zero where it rolled.
        rolled: True where it passed zero.
        multiplier: what one unit of the register stands for.
    """

    first: Reading
    last: Reading
    difference: Fraction
    rolled: bool
    multiplier: Fraction

    @property
    def quantity(self) -> Fraction:
        """The consumption in the register's unit."""
        return self.difference * self.multiplier

    @property
    def estimated(self) -> bool:
        """True where one of the readings is an estimate."""
        return self.first.quality.is_estimate or self.last.quality.is_estimate


def state_name(subject: str, meter: str, register: str) -> str:
    """Return the name of the state that carries the last billed reading of a register."""
    return f"read:{subject}/{meter}/{register}"


def carried(reading: Reading, context: Context, name: str) -> CarriedState:
    """Return the state that makes the next bill begin where this one ends, whatever readings are corrected in between."""
    return CarriedState(
        scope=context.usage.agreement.code,
        name=name,
        period=context.usage.period,
        values={
            "value": reading.value,
            "on": Fraction(reading.on.toordinal()),
            "trust": Fraction(reading.quality.trust),
        },
    )


def reading_of(record: KeyedUsage, context: Context) -> Reading:
    """Return a record as a reading, on its date in the account's zone."""
    body: RegisterRead = record.usage.body
    on = record.usage.start.astimezone(context.zone).date()
    return Reading(on=on, value=body.value, quality=body.quality, key=record.key)


def opening_from(state: Mapping[str, CarriedState], name: str, readings: Sequence[Reading]) -> Reading | None:
    """Return the reading with which the last bill closed, as that bill had it; None where there was none.

    Where the reading was corrected since, the difference falls into this bill: that is the true-up of an estimate.
    """
    if name not in state:
        return None
    values = state[name].values
    on, quality = date.fromordinal(int(values["on"])), list(ReadQuality)[int(values["trust"])]
    same = [one for one in readings if one.on == on and one.value == values["value"]]
    return Reading(on=on, value=values["value"], quality=quality, key=same[-1].key if same else None)


def chain(readings: Sequence[Reading], opening: Reading | None, window: DateSpan) -> list[Reading]:
    """Return the readings that bound consumption: the opening one, actual ones on the way, the closing one.

    The opening reading is the one that the last bill closed with, else the last one up to the window's first date, else the first
    one inside (a register that is new). The closing reading is the last one up to the date after the window. Estimates in between
    are passed over, because better readings around them are known.

    Args:
        readings: readings of one register in order of time.
        opening: the reading that the last bill closed with.
        window: dates to bill.
    """
    first = opening or next((one for one in reversed(readings) if one.on <= window.start), None)
    later = [one for one in readings if one.on <= window.end and (first is None or one.on > first.on)]
    if first is None:
        if not later:
            return []
        first, later = later[0], later[1:]
    if not later:
        return [first]
    return [first, *(one for one in later[:-1] if not one.quality.is_estimate), later[-1]]


def span_between(first: Reading, last: Reading, details: Mapping[str, str], rollover_factor: Fraction) -> ReadSpan:
    """Return the consumption between two readings.

    A register that shows less than before has passed zero, where its dials are known and the apparent consumption stays within
    `rollover_factor` of its capacity (Oracle CC&B's rollover threshold factor); everything else is held for an officer.

    Raises:
        ValueRefused: ``UTIL25`` where the readings cannot be two of one register, ``UTIL26`` where its facts are no numbers.
    """
    difference, full = last.value - first.value, capacity(details)
    rolled = difference < 0
    shown = f"{exact_text(first.value)} on {first.on} and {exact_text(last.value)} on {last.on}"
    if full is not None and max(first.value, last.value) >= full:
        raise ValueRefused(
            "UTIL25",
            f"the register shows more than its dials can: {shown}",
            remedy="Take the right one in with a higher version; or correct the dials",
        )
    if rolled and full is not None:
        difference += full
    if difference < 0 or (full is not None and difference > rollover_factor * full):
        raise ValueRefused(
            "UTIL25",
            f"the register shows less than before, or far more than it could have counted: {shown}",
            remedy=(
                "The earlier reading was an estimate: rebill that period with the later reading"
                if first.quality.is_estimate
                else "Take the right reading in with a higher version, or take the wrong one back; state the register's dials in"
                " the assignment; a reset meter needs a new meter number"
            ),
        )
    return ReadSpan(first=first, last=last, difference=difference, rolled=rolled, multiplier=multiplier(details))
