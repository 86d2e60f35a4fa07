"""A usage kind with a field of every sort, and short ways to make its records."""

import enum
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.usage.record import Usage, UsageKind
from billing_framework.usage.requirements import kind_rules
from billing_framework.values.period import Span


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@attrs.frozen(kw_only=True)
class Stay:
    """A parked car.

    Attributes:
        minutes: how long it stood,
            in whole minutes.
        fee: what the machine asked for.
    """

    minutes: int
    plate: str = ""
    paid: bool = False
    fee: Fraction | None = None
    day: date | None = None
    left: datetime | None = None
    size: Size = Size.SMALL
    weights: tuple[int, ...] = ()


STAY = UsageKind(name="stay", title="A parked car, from entry to exit", body=Stay)
RULES = kind_rules({"stay": STAY})
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


def stay(external_id: Any = "T1", subject: str = "CARD-1", minutes: Any = 30, **fields: Any) -> Usage[Any]:
    """Return a stay; envelope fields by their names, the rest goes to its body."""
    envelope: dict[str, Any] = {
        name: fields.pop(name) for name in ("slot", "version", "line", "source", "kind", "span", "deleted") if name in fields
    }
    defaults: dict[str, Any] = {"kind": "stay", "source": "gate", "span": Span.at(NOON), "line": 1}
    body = Stay(minutes=minutes, **fields)
    return Usage(external_id=external_id, subject=subject, body=body, **(defaults | envelope))
