"""What a time entry and an expense say: the values that were worked, entered and billed, and what they were for."""

from __future__ import annotations

import enum
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework import UsageKind, ValueRefused


class Status(enum.Enum):
    """Whether an entry is billed: ``BILLABLE``; ``NO_CHARGE`` shown at nothing; ``NON_BILLABLE`` kept, but not shown."""

    BILLABLE = "billable"
    NO_CHARGE = "no_charge"
    NON_BILLABLE = "non_billable"


class Cost(enum.Enum):
    """Whose price an expense bears: ``HARD`` a third party's, billed at cost; ``SOFT`` the firm's own, by rate and quantity."""

    HARD = "hard"
    SOFT = "soft"


def _has_time(entry: TimeEntry, _field: object, hours: Fraction | None) -> None:
    if hours is None and entry.worked_seconds is None:
        raise ValueRefused("LEGAL04", "the entry has neither hours nor worked seconds", remedy="Give one of them")
    if hours is not None and not 0 <= hours <= 24:
        raise ValueRefused("LEGAL04", f"an entry is of 0 to 24 hours, not {hours}", remedy="Make an entry for each day")


def _is_no_less_than_nothing(_entry: object, field: attrs.Attribute[Any], value: Fraction | None) -> None:
    if value is not None and value < 0:
        raise ValueRefused("LEGAL04", f"{field.name} cannot be below zero", remedy="Take something off by an adjustment")


def _of_a_day(_entry: object, _field: object, seconds: int | None) -> None:
    if seconds is not None and not 0 <= seconds <= 86_400:
        raise ValueRefused("LEGAL04", f"an entry is of 0 to 86400 seconds, not {seconds}", remedy="Make an entry for each day")


@attrs.frozen(kw_only=True)
class TimeEntry:
    """Time that a person worked on a matter.

    Attributes:
        timekeeper: code of the person, as in the table of timekeepers.
        worked_seconds: what the clock measured, in seconds; None where nobody measured.
        hours: what the person entered, in hours; None takes the worked seconds.
        narrative: what was done, as the client reads it.
        task: task code, or empty.
        activity: activity code, or empty.
        status: whether it is billed.
        rate: price of an hour for this entry alone, in major units of the plan's currency; None leaves it to the rate table.
        adjustment: what is added to the value of the entry, in major units; below zero for a write-down.
        classification: class of the person for this entry alone; empty takes that of the table of timekeepers.
        entered_on: date on which it was entered, None where the source does not say.
    """

    timekeeper: str
    worked_seconds: int | None = attrs.field(default=None, validator=_of_a_day)
    hours: Fraction | None = attrs.field(default=None, validator=_has_time)
    narrative: str = ""
    task: str = ""
    activity: str = ""
    status: Status = Status.BILLABLE
    rate: Fraction | None = attrs.field(default=None, validator=_is_no_less_than_nothing)
    adjustment: Fraction | None = None
    classification: str = ""
    entered_on: date | None = None

    @property
    def entered_hours(self) -> Fraction:
        """The hours as entered, else as worked."""
        return self.hours if self.hours is not None else Fraction(self.worked_seconds or 0, 3600)


def _has_price(expense: Expense, _field: object, amount: Fraction | None) -> None:
    if expense.cost is Cost.HARD and amount is None and expense.unit_cost is None:
        raise ValueRefused("LEGAL05", "a third party's cost needs its amount", remedy="Give the amount of its invoice")


@attrs.frozen(kw_only=True)
class Expense:
    """Money spent, or a service of the firm used, for a matter.

    Attributes:
        code: expense code.
        narrative: what it was for, as the client reads it.
        quantity: how many: pages, miles; one where the source does not say.
        unit_cost: price of one, in major units; the firm's own costs take it from their rate table where the plan names one.
        cost: whose price it bears.
        amount: what the third party asked, in major units; counts before quantity and unit cost. None where there are those.
        status: whether it is billed.
        adjustment: what is added, in major units; below zero for a write-down.
        timekeeper: code of the person who spent it, or empty.
        vendor: the third party, or empty.
        receipt: reference of the receipt, or empty.
    """

    code: str
    narrative: str = ""
    quantity: Fraction = attrs.field(default=Fraction(1), validator=_is_no_less_than_nothing)
    unit_cost: Fraction | None = None
    cost: Cost = Cost.HARD
    amount: Fraction | None = attrs.field(default=None, validator=_has_price)
    status: Status = Status.BILLABLE
    adjustment: Fraction | None = None
    timekeeper: str = ""
    vendor: str = ""
    receipt: str = ""


TIME_ENTRY = UsageKind(
    name="time_entry",
    title="Time that a person worked on a matter",
    body=TimeEntry,
    carried=True,
    editable=("timekeeper", "hours", "narrative", "task", "activity", "status", "rate", "adjustment", "classification"),
)
EXPENSE = UsageKind(
    name="expense",
    title="Money spent, or a service of the firm used, for a matter",
    body=Expense,
    carried=True,
    editable=("code", "narrative", "quantity", "unit_cost", "amount", "status", "adjustment"),
)
