"""Stamps of a call: local times of the switch become instants, also in the hour that a clock change repeats."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import attrs

from billing_telecom_usage.formats.refusal import RecordRefused
from billing_telecom_usage.settings import RepeatedHour

TOLERANCE = timedelta(seconds=2)
"""Stamps are cut to seconds each, so a duration may differ from them by so much."""


@attrs.frozen
class Stamps:
    """When a call was set up and answered.

    Attributes:
        start: instant of the setup.
        answer: instant of the answer, None where there was none.
        is_guess: True where only the rule for repeated hours decided which instant is meant.
    """

    start: datetime
    answer: datetime | None
    is_guess: bool = False


def parsed(text: str, time_format: str, field: str) -> datetime:
    """Return the time that a cell says, with its zone where it has one.

    Raises:
        RecordRefused: ``TEL04`` for text that is no time.
    """
    try:
        if time_format == "epoch":
            return datetime.fromtimestamp(int(text), tz=UTC)
        if time_format:
            return datetime.strptime(text, time_format)  # noqa: DTZ007  the zone is that of the source
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        remedy = "Correct the record, or name the format of the stamps in the settings of the source"
        raise RecordRefused("TEL04", "this is no date and time", remedy=remedy, field=field, value=text) from error


def instants(local: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Return the instants that a time may mean: one; two in a repeated hour; none where the clocks were put forward."""
    try:
        if local.tzinfo is not None:
            return (local.astimezone(UTC),)
        early, late = (local.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    except OverflowError:
        return ()
    if early == late:
        return (early,)
    return (early, late) if early.astimezone(zone).replace(tzinfo=None) == local else ()


def resolved(
    start: datetime,
    answer: datetime | None,
    end: datetime | None,
    *,
    seconds: int,
    zone: ZoneInfo,
    rule: RepeatedHour,
) -> Stamps:
    """Return the instants of a call; in a repeated hour the one that fits end and duration, else by the rule of the source.

    A call may end at an earlier local time than it began, because the clock went back meanwhile.

    Args:
        start: stamp of the setup.
        answer: stamp of the answer.
        end: stamp of the end.
        seconds: duration from setup to end.
        zone: zone of stamps without one.
        rule: what decides where nothing else does.

    Raises:
        RecordRefused: ``TEL04`` for a time that does not exist, an order that no clock change explains, or an undecided hour.
    """
    starts = _existing(start, zone, "start")
    ends = _existing(end, zone, "end") if end is not None else ()
    fitting = [one for one in starts if any(abs(last - one - timedelta(seconds=seconds)) <= TOLERANCE for last in ends)]
    left = fitting or list(starts)
    if len(left) > 1 and rule is RepeatedHour.SUSPEND:
        remedy = "Find out which passing of the hour is meant, and correct the record with an offset"
        raise RecordRefused("TEL04", "this local time occurs twice", remedy=remedy, field="start", value=start.isoformat(" "))
    begun = left[-1] if rule is RepeatedHour.SECOND else left[0]
    if ends and max(ends) < begun:
        remedy = "Correct the record at its source"
        raise RecordRefused("TEL04", "the call ends before it begins", remedy=remedy, field="end", value=str(end))
    answered = None
    if answer is not None:
        answered = _after(_existing(answer, zone, "answer"), begun)
        if answered is None:
            remedy = "Correct the record at its source"
            raise RecordRefused(
                "TEL04", "the call is answered before it begins", remedy=remedy, field="answer", value=str(answer)
            )
    return Stamps(begun, answered, is_guess=len(left) > 1)


def _existing(local: datetime, zone: ZoneInfo, field: str) -> tuple[datetime, ...]:
    found = instants(local, zone)
    if not found:
        remedy = "Check the zone of the source; the clocks were put forward over this time"
        raise RecordRefused("TEL04", "this local time does not exist", remedy=remedy, field=field, value=local.isoformat(" "))
    return found


def _after(found: Sequence[datetime], begun: datetime) -> datetime | None:
    return next((one for one in sorted(found) if one >= begun - TOLERANCE), None)
