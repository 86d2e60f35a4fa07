"""The manifest of one account's draft: all that its bill depends on, and nothing else.

A draft is a pure function of its manifest. Usage stands in it by key and digest and plans by name and digest, so that it stays
small, and a replay years later can tell which of them was altered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime

import attrs

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.share import Share
from billing_framework.invoicing.edit import Edit
from billing_framework.rating.charge import Charge
from billing_framework.rating.group import Tile
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate_table import RateTable
from billing_framework.rating.state import CarriedState
from billing_framework.rating.stored_records import RecordColumns
from billing_framework.taxing.tax_rate import TaxRate
from billing_framework.usage.content import slot_key
from billing_framework.usage.record import AnyUsage, UsageKind
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan


@attrs.frozen
class UsageRef:
    """A usage record by its key, and the digest that it had.

    Attributes:
        kind: name of its kind, which names its table.
        key: its key.
        digest: digest of its content as hex.
    """

    kind: str
    key: int
    digest: str


@attrs.frozen
class TileRef:
    """A part of the period under one plan version, by name.

    Attributes:
        dates: the part.
        plan: ``code@version``.
        sha256: digest of the plan's file as hex.
    """

    dates: DateSpan
    plan: str
    sha256: str


@attrs.frozen
class TableRef:
    """A version of a rate table, by name.

    Attributes:
        table: ``code@version``.
        sha256: digest of its rows and of what is said of it, as hex.
    """

    table: str
    sha256: str


@attrs.frozen(kw_only=True)
class AgreementInput:
    """What the bill of one agreement depends on.

    Attributes:
        agreement: the agreement.
        period: the billing period cut to the agreement's life.
        full_period: the whole billing period.
        next_period: the one after it.
        tiles: plan versions in force in `period`; they add up to it.
        next_tiles: plan versions in force in `next_period`, as far as they are known.
        earlier_tiles: plan versions in force on the dates before `period` on which carried records start.
        tables: versions of the rate tables that the plans of `tiles` name and their dates need, by code and first date.
        assignments: identifiers that belonged to it, in order of subject and date.
        earlier_assignments: those that ended before `period`, of the carried records that they brought.
        neighbours: assignments of these identifiers to others, before or after; they tell whose a record beside the period is.
        usage: current records of these identifiers, ordered by kind, subject, start and key.
        state: carried state as it stood before the period, by name.
        billed_through: component to the date up to which earlier documents have billed it.
        shares: who pays what part of its charges, whatever the dates before the period's end; empty where the account does.
    """

    agreement: Agreement
    period: DateSpan
    full_period: DateSpan
    next_period: DateSpan
    tiles: tuple[TileRef, ...]
    next_tiles: tuple[TileRef, ...] = ()
    earlier_tiles: tuple[TileRef, ...] = ()
    tables: tuple[TableRef, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    earlier_assignments: tuple[Assignment, ...] = ()
    neighbours: tuple[Assignment, ...] = ()
    usage: tuple[UsageRef, ...] = ()
    state: tuple[CarriedState, ...] = ()
    billed_through: Mapping[str, date] = attrs.field(factory=dict)
    shares: tuple[Share, ...] = ()


@attrs.frozen(kw_only=True)
class LateInput:
    """A billed period of the account of which usage has come, or has changed, since; its difference is billed.

    Attributes:
        document: number of the standing document that has billed the period.
        sequence: how often the difference of the period is billed, this time included.
        account: the account as it was then.
        period: that billing period.
        before: its agreements as they were billed: by the document, or by the last difference that stands.
        usage: agreement to its usage as it is known now; agreements that are not named stay as they were.
        edits: officers' edits of records of that document, oldest first.
        holidays: the holiday calendars of that document.
    """

    document: str
    sequence: int
    account: Account
    period: DateSpan
    before: tuple[AgreementInput, ...]
    usage: Mapping[str, tuple[UsageRef, ...]]
    edits: tuple[Edit, ...] = ()
    holidays: Mapping[str, frozenset[date]] = attrs.field(factory=dict)

    @property
    def now(self) -> tuple[AgreementInput, ...]:
        """The agreements with the usage that is known now."""
        return tuple(
            attrs.evolve(one, usage=self.usage[one.agreement.code]) if one.agreement.code in self.usage else one
            for one in self.before
        )


@attrs.frozen(kw_only=True)
class BillInput:
    """What the bill of one account depends on.

    Attributes:
        document: key of the document that it becomes part of, where the account pays itself.
        account: the account as it was.
        payer: code of the account that pays.
        bearers: code of each account that shares in its charges, to the code of the one that pays for it.
        period: the billing period.
        issue_on: date of the document.
        known_at: instant up to which data were taken into account; it decides nothing once the rest is loaded.
        agreements: the agreements in order of code.
        charges: manual charges that are pending, in order of their keys.
        edits: officers' edits of the draft, oldest first.
        tax_rates: the rates that may apply.
        seller_has_tax_id: whether the book has a tax registration; some treatments must name it.
        buyer_has_tax_id: whether the account's party has one.
        holidays: holiday calendars by name, cut to the dates that matter.
        versions: name and version of all that computed: the framework, the plugins, the settings, the time zone rules.
        findings: what was wrong while the input was put together, for example a plan that does not cover a date.
        late: billed periods whose difference is billed now, in order of date.
    """

    document: int
    account: Account
    payer: str
    bearers: Mapping[str, str] = attrs.field(factory=dict)
    period: DateSpan
    issue_on: date
    known_at: datetime
    agreements: tuple[AgreementInput, ...] = ()
    charges: tuple[Charge, ...] = ()
    edits: tuple[Edit, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    seller_has_tax_id: bool = False
    buyer_has_tax_id: bool = False
    holidays: Mapping[str, frozenset[date]] = attrs.field(factory=dict)
    versions: Mapping[str, str] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()
    late: tuple[LateInput, ...] = ()

    @property
    def named(self) -> tuple[AgreementInput, ...]:
        """All agreements whose records, plans and tables stand in the manifest by name: those of the period, then late ones."""
        if not self.late:
            return self.agreements
        return (*self.agreements, *(agreement for one in self.late for agreement in (*one.before, *one.now)))


@attrs.frozen(kw_only=True)
class Material:
    """The values behind the names in manifests: usage records by key, plan versions and rate tables by ``code@version``.

    The kinds of the records are there by name, for the edits of reviewers. What is made of like parts of manifests is made once:
    `tiles` gives the same object for the same names. The records of a kind may stand in columns instead of in `usage`.
    """

    usage: Mapping[int, AnyUsage]
    plans: Mapping[str, PlanVersion]
    tables: Mapping[str, RateTable] = attrs.field(factory=dict)
    kinds: Mapping[str, UsageKind] = attrs.field(factory=dict)
    columns: Mapping[str, RecordColumns] = attrs.field(factory=dict)
    _tiles: dict[tuple[TileRef, ...], tuple[Tile, ...]] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    def tiles(self, refs: tuple[TileRef, ...]) -> tuple[Tile, ...]:
        """Return the plan versions that a manifest names, with their dates."""
        known = self._tiles.get(refs)
        if known is None:
            known = self._tiles[refs] = tuple(Tile(dates=ref.dates, plan=self.plans[ref.plan]) for ref in refs)
        return known

    def record(self, key: int) -> AnyUsage:
        """Return a record; made for whoever asks where it stands in columns."""
        for columns in self.columns.values():
            if key in columns.places:
                place = columns.places[key]
                return next(iter(columns.usages(place, place + 1)))
        return self.usage[key]

    def claims(self, keys: Iterable[int]) -> tuple[int, ...]:
        """Return what no two documents bill of each of some carried records: the key of what it speaks about, else its own."""
        if self.columns and not any(columns.has_slots for columns in self.columns.values()) and not self.usage:
            return tuple(keys)
        return tuple([self._claim(key) for key in keys])

    def _claim(self, key: int) -> int:
        for columns in self.columns.values():
            if key in columns.places:
                return columns.claim(columns.places[key])
        return slot_key(self.usage[key], carried=True) or key
