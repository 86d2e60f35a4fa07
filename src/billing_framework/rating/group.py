"""What is rated together: an account with its agreements, and all that rating may depend on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate_table import RateTable, table_on
from billing_framework.rating.state import CarriedState
from billing_framework.usage.record import AnyUsage
from billing_framework.values.clock import timezone
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class Tile:
    """A part of the billing period under one plan version; the tiles of a period add up to it."""

    dates: DateSpan
    plan: PlanVersion


@attrs.frozen(kw_only=True)
class KeyedUsage:
    """A usage record with the key under which the core stores it; charges and measures name records by this key.

    Attributes:
        key: its key.
        usage: the record as it is billed, after the edits of reviewers.
        assignment: the assignment that it was guided by.
        original: the record as it was delivered, where a reviewer has changed it; else None.
    """

    key: int
    usage: AnyUsage
    assignment: Assignment
    original: AnyUsage | None = None


@attrs.frozen(kw_only=True)
class AgreementUsage:
    """One agreement of the group with all that its rating may depend on.

    Attributes:
        agreement: the agreement.
        period: dates to bill: the billing period cut to the agreement's life.
        full_period: the whole billing period of the cycle, which prorated prices refer to.
        next_period: the billing period after it, which components in advance bill.
        tiles: plan versions in force; they add up to `period`.
        next_tiles: plan versions in force in `next_period`, cut to the agreement's life, as far as they are known.
        assignments: identifiers that belonged to it at any time in the period, in order of subject and date.
        earlier_tiles: plan versions in force on the dates before `period` on which carried records start, in order of date;
            charges of a rater may be priced by them, measures name `tiles` only.
        tables: versions of the rate tables that the plans of its tiles name, as far as their dates need them; see `table`.
        records: current usage records, ordered by kind, subject, start and key; divisible ones may reach over the period's edges,
            carried ones may start long before it. They equal the tuple of them, and are made where somebody asks for them.
        state: carried state by name, as it stood before the period.
        billed_through: component code to the date up to which it has been billed already, for recurring components.
    """

    agreement: Agreement
    period: DateSpan
    full_period: DateSpan
    next_period: DateSpan
    tiles: tuple[Tile, ...]
    next_tiles: tuple[Tile, ...] = ()
    earlier_tiles: tuple[Tile, ...] = ()
    tables: tuple[RateTable, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    records: Sequence[KeyedUsage] = ()
    state: Mapping[str, CarriedState] = attrs.field(factory=dict)
    billed_through: Mapping[str, date] = attrs.field(factory=dict)

    def of_kind(self, kind: str) -> tuple[KeyedUsage, ...]:
        """Return the records of one kind, in order."""
        return tuple(record for record in self.records if record.usage.kind == kind)

    def tile_at(self, day: date) -> Tile | None:
        """Return the plan version in force on a date of the period, or on which a carried record starts; None without one.

        One that lies before the period prices charges that a rater makes itself; no measure may have its dates.
        """
        return next((tile for tile in (*self.tiles, *self.earlier_tiles) if day in tile.dates), None)

    def table(self, code: str, on: date) -> RateTable | None:
        """Return the version of a rate table that prices a date, None where none does: a finding of whoever needs it."""
        return table_on(self.tables, code, on)

    def starting_in(self, tile: Tile, kind: str, zone: str) -> tuple[KeyedUsage, ...]:
        """Return the agreement's own records of one kind that start on the dates of a tile, as counted in the time zone `zone`.

        Records that only reach into the period, or that the rater sees because its kind reaches further, are left out.
        """
        span = tile.dates.instants(timezone(zone))
        return tuple(
            record
            for record in self.of_kind(kind)
            if record.assignment.agreement == self.agreement.code and span.start <= record.usage.start < span.end
        )


@attrs.frozen(kw_only=True)
class BillingGroup:
    """What is rated together: one account (or pool) with its agreements.

    Attributes:
        account: the account; its `zone` decides which instants belong to which date, its `locale` the language of descriptions.
        period: dates of the billing period.
        agreements: the agreements that are billed, in order of code.
        holidays: holiday calendars by name: the dates in or near the period.
        settings: structured settings of the rater's own plugin (an instance of its settings class), None where it has none.
    """

    account: Account
    period: DateSpan
    agreements: tuple[AgreementUsage, ...]
    holidays: Mapping[str, frozenset[date]] = attrs.field(factory=dict)
    settings: Any = None
