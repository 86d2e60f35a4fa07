"""Settings of the plugin: table ``[plugin.telecom_usage]`` of ``billing.toml``."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from billing_framework import RoundingMode, ValueRefused
from billing_telecom_usage.kinds import Direction
from billing_telecom_usage.numbers import NumberPlan


class NoRate(enum.Enum):
    """What is done with a call that no price is found for.

    ``HOLD`` holds the account until the price is there; ``DEFER`` bills the rest and leaves the call for a later bill, which is
    told in the review.
    """

    HOLD = "hold"
    DEFER = "defer"


class Start(enum.Enum):
    """Which stamp decides owner, price version and period of a call: ``SETUP`` or ``ANSWER`` (setup where nobody answered)."""

    SETUP = "setup"
    ANSWER = "answer"


class RepeatedHour(enum.Enum):
    """How a local time that occurs twice is read where the record's other stamps do not tell.

    ``FIRST`` and ``SECOND`` passing of the hour; ``SUSPEND`` leaves the record in suspense.
    """

    FIRST = "first"
    SECOND = "second"
    SUSPEND = "suspend"


FIELDS = (
    "caller",
    "called",
    "start",
    "answer",
    "end",
    "duration",
    "billed",
    "disposition",
    "account_code",
    "direction",
    "continuation",
    "version",
    "deleted",
)
"""What a column of a file may be mapped to."""

_NEEDED = ("caller", "called", "start")


@attrs.frozen(kw_only=True)
class ColumnMapping:
    """How a delimited file of calls is laid out, for the format ``mapped_csv``.

    Attributes:
        columns: field to column: its name in the header, or its number from 1 where there is no header. Fields are ``caller``,
            ``called``, ``start``, ``answer``, ``end``, ``duration``, ``billed``, ``disposition``, ``account_code``,
            ``direction`` and ``continuation``; the first three are needed, and ``billed`` or ``duration``. With ``version``,
            a whole number, the line of a record with the highest one counts; where it is ``deleted``, none of them does.
        record_id: columns whose values together name a record for ever.
        deletion: what the column of ``deleted`` says where a call is taken back, such as ``D``; 1, true or yes where empty.
        header: whether the first line names the columns.
        delimiter: the character between cells.
        time_format: `strptime` format of stamps; ISO 8601 where empty. ``epoch`` for seconds since 1970.
        answered: dispositions of answered calls, where there is no column ``answer``; empty takes any with billed seconds.
        per_second: how many of the file's units of time make a second: 1, or 1000 for milliseconds.
    """

    columns: Mapping[str, str]
    record_id: tuple[str, ...]
    deletion: str = ""
    header: bool = True
    delimiter: str = attrs.field(default=",", validator=attrs.validators.matches_re(r"[^\"\r\n]"))
    time_format: str = ""
    answered: tuple[str, ...] = ()
    per_second: int = attrs.field(default=1, validator=attrs.validators.ge(1))

    def __attrs_post_init__(self) -> None:
        """Refuse a mapping that names unknown fields or leaves out what every call needs."""
        unknown = [name for name in self.columns if name not in FIELDS]
        if unknown:
            raise ValueRefused("TEL07", f"{unknown[0]!r} is no field of a call", remedy=f"Known are {', '.join(FIELDS)}")
        missing = [name for name in _NEEDED if name not in self.columns]
        if missing or not self.record_id or not {"billed", "duration"} & self.columns.keys():
            what = f"{missing[0]!r} is not mapped" if missing else "record_id, or billed or duration, is not mapped"
            raise ValueRefused("TEL07", what, remedy="Name the columns that hold it")
        if "deleted" in self.columns and "version" not in self.columns:
            what = "a column says what is deleted, but none which version that is"
            raise ValueRefused("TEL07", what, remedy="Map 'version' too")
        if not self.header and not all(text.isdecimal() for text in (*self.columns.values(), *self.record_id)):
            raise ValueRefused("TEL07", "without a header columns are numbers from 1", remedy='Write "3" for the third column')


@attrs.frozen(kw_only=True)
class Source:
    """One switch: how it dials, and how its files are read. The key of the table is the name given by ``--source``.

    Attributes:
        numbers: how its numbers are dialled.
        direction: which way its calls go, where no column says so.
        start: which stamp is the start of a call.
        record_id: columns of an Asterisk or FreeSWITCH file that together name a record, where not the usual ones.
        repeated_hour: how a local time that occurs twice is read.
        subseconds: how parts of a second are rounded before anything else.
        encoding: encoding of its files.
        mapping: columns of the format ``mapped_csv``.
    """

    numbers: NumberPlan = attrs.field(factory=NumberPlan)
    direction: Direction = Direction.OUTGOING
    start: Start = Start.SETUP
    record_id: tuple[str, ...] = ()
    repeated_hour: RepeatedHour = RepeatedHour.FIRST
    subseconds: RoundingMode = RoundingMode.UP
    encoding: str = "utf-8"
    mapping: ColumnMapping | None = None


@attrs.frozen(kw_only=True)
class TelecomSettings:
    """What a deployment decides about calls.

    Attributes:
        no_rate: what is done with a call that no price is found for.
        longest_call_hours: a longer call is shown to the reviewer.
        hidden_digits: how many last digits of the called number the itemisation hides.
        source: the switches by the name of their source.
    """

    no_rate: NoRate = NoRate.HOLD
    longest_call_hours: int = attrs.field(default=12, validator=attrs.validators.ge(1))
    hidden_digits: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(15)])
    source: Mapping[str, Source] = attrs.field(factory=dict)
