"""The contract of rating: what a rater and a charge model are given, and what they return.

A *rater* turns the usage records of a billing group into measures (quantities that plan components price) and, where the trade
prices record by record, into charges. A *charge model* turns measures, the calendar or earlier charges into charges. Both are
pure: same input, same output; they keep nothing and change nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.rating.charge import Charge, Step
from billing_framework.rating.price_plan import Component, PlanVersion
from billing_framework.rating.rate_table import RateTable, table_on
from billing_framework.rating.state import CarriedState
from billing_framework.usage.record import AnyUsage
from billing_framework.values.clock import timezone
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan
from billing_framework.values.quantity import Quantity

if TYPE_CHECKING:
    from billing_framework.rating.shard_twin import ShardTwin


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
        earlier_tiles: plan versions in force on the dates before `period` on which carried records start, in order of date.
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
        """Return the plan version in force on a date of the period, or on which a carried record starts; None without one."""
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


@attrs.frozen(kw_only=True)
class Measure:
    """A quantity that components price.

    Attributes:
        agreement: code of the agreement.
        name: name that a component's ``measure`` refers to, for example ``energy`` or ``energy.peak``.
        quantity: the exact quantity with its unit.
        dates: the tile that it was measured for.
        source: what tells apart several measures of one name and tile (a channel, a meter); empty for one.
        records: keys of the records that it rests on.
        estimated: True where a record was estimated.
        steps: how it was obtained.
        details: facts for the bill: reads, dates, multiplier, in order.
        series: optional finer structure that a plugin's own charge model understands; opaque to the core.
        state_read: names of carried state that it depends on (the read with which the last bill closed); charges take them over.
    """

    agreement: str
    name: str
    quantity: Quantity
    dates: DateSpan
    source: str = ""
    records: tuple[int, ...] = ()
    estimated: bool = False
    steps: tuple[Step, ...] = ()
    details: Mapping[str, str] = attrs.field(factory=dict)
    series: Any = attrs.field(default=None, eq=False, repr=False)
    state_read: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class Rating:
    """What a rater returns. Every record of its kinds is named by a measure, a charge, `unpriced` or `deferred`: none is lost.

    Attributes:
        measures: quantities for components to price.
        charges: charges that the rater priced itself.
        state: new carried state.
        unpriced: record key to the reason why it carries no price (zero-priced, other channel); shown in the control totals.
        deferred: key of a carried record to the reason why it is left for a later bill (no price yet, not released); such a
            record counts as not billed and is given again with the next bill.
        findings: problems; a finding whose severity stops holds the account, and nothing of it is billed.
    """

    measures: tuple[Measure, ...] = ()
    charges: tuple[Charge, ...] = ()
    state: tuple[CarriedState, ...] = ()
    unpriced: Mapping[int, str] = attrs.field(factory=dict)
    deferred: Mapping[int, str] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()


ColumnarRate = Callable[[Sequence[BillingGroup]], Sequence[Rating]]
"""The fast twin of a rater: many billing groups in, one rating for each in the same order."""


@attrs.frozen(kw_only=True)
class Rater:
    """A rater that a plugin offers.

    Attributes:
        name: unique in the deployment.
        kinds: names of the usage kinds that it rates; each kind has one rater.
        rate: the reference: one billing group in, one rating out.
        models: names of charge models that this rater prices itself, to the attrs class of their parameters; a plan component
            naming one is left to the rater.
        measures: names of the measures that it may yield, by which the check of a plan finds misspelt ones; empty where they are
            not known beforehand. ``consumption.*`` stands for all names that begin with ``consumption.``.
        rate_columns: fast twin of `rate` for volume: the groups of a whole shard at once, equal to `rate` of each, digit for
            digit. The run asks it first; explanations never do. None where the reference is fast enough.
        shard: the same over columns instead of objects, for whoever has the records as columns; see `ShardTwin`.
    """

    name: str
    kinds: tuple[str, ...]
    rate: Callable[[BillingGroup], Rating]
    models: Mapping[str, type] = attrs.field(factory=dict)
    measures: tuple[str, ...] = ()
    rate_columns: ColumnarRate | None = None
    shard: ShardTwin | None = None


@attrs.frozen(kw_only=True)
class Pricing:
    """What a charge model is given: one component on one tile of one agreement.

    Attributes:
        account: the account.
        usage: the agreement with its periods, state and what was billed before.
        tile: dates and plan version.
        component: the component; `component.params` is an instance of the model's params class.
        measures: the measures of this tile that the component names, in order; empty for calendar and derived models.
        charges: charges of this agreement and tile priced so far, in plan order (for derived models).
        holidays: holiday calendars by name.
    """

    account: Account
    usage: AgreementUsage
    tile: Tile
    component: Component
    measures: tuple[Measure, ...] = ()
    charges: tuple[Charge, ...] = ()
    holidays: Mapping[str, frozenset[date]] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Priced:
    """What a charge model returns."""

    charges: tuple[Charge, ...] = ()
    state: tuple[CarriedState, ...] = ()
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class ChargeModel:
    """A way of pricing that plan components may name.

    Attributes:
        name: unique name; a plugin's models carry its prefix: ``utility_metering.tiered_tou``.
        title: one line for people.
        params: attrs class of the parameters; the plan file's keys are structured into it and misspelt ones refused.
        price: the reference implementation.
        once: True where the model looks at the whole agreement period at once and is called for the last tile only
            (its `Pricing.measures` and `charges` then hold those of all tiles).
        check: what is wrong with a component's parameters beyond their types, as findings without a place, for the check of a
            plan before it is loaded; None where the types say it all.
        breaks: dates inside a span at which a period must be cut, because the component counts anew (a year's tiers) or charges
            otherwise (a season) from there; None where it never does. Plan versions are tiled at these dates.
        alike: True where a price follows from nothing but the component, the account's language and currency, and the agreement's
            dates, plan versions and terms and what it has been billed through: agreements that share these are priced once.
    """

    name: str
    title: str
    params: type
    price: Callable[[Pricing], Priced]
    once: bool = False
    check: Callable[[Component], tuple[Finding, ...]] | None = None
    breaks: Callable[[Component, Agreement, DateSpan], tuple[date, ...]] | None = None
    alike: bool = False
