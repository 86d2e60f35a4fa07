"""A specimen: a price plan, usage records, and what they must come to, worked out by hand."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.plugin.host import Host
from billing_framework.rating.group import BillingGroup, KeyedUsage
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.plan_check import check_plan
from billing_framework.rating.plan_file import parse_plan
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.rate_table import RateTable
from billing_framework.rating.rate_table_file import RateTableHeader, read_rate_table
from billing_framework.rating.rater import Rater
from billing_framework.rating.rating import Rating
from billing_framework.run.draft.bill import rating_offers
from billing_framework.run.draft.rated_input import billing_group
from billing_framework.run.master.plans import model_params
from billing_framework.run.prove.quote import QuoteRequest, current_records, quoted_input
from billing_framework.usage.record import AnyUsage
from billing_framework.values.errors import ConfigurationError
from billing_framework.values.finding import Finding
from billing_framework.values.number import exact
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import did_you_mean


@attrs.frozen
class Figure:
    """What a component must come to over all its charges.

    Attributes:
        component: code of the component.
        amount: exact sum of its charges, such as ``14.4``.
    """

    component: str
    amount: Fraction = attrs.field(converter=exact)


@attrs.frozen(kw_only=True)
class Specimen:
    """What the checks of a rater start from; choose records that reach every branch of the rating.

    Attributes:
        plugins: name and module (or object) of each plugin, as ``billing.toml`` would name them.
        plan: text of the price plan.
        records: usage records, at least two that are priced; more shapes find more faults.
        figures: what each priced component must come to, worked out by hand and not by the code that is tested.
        period: the billing period.
        zone: IANA zone of the account.
        cycle: billing cycle.
        settings: name of a plugin to its settings.
        terms: terms of the agreement.
        details: facts about every identifier.
        holidays: holiday calendars by name.
        rate_tables: code of each rate table that the plan names to the name of its kind and the text of its file.
        bad_records: records whose content cannot be rated; each must come back as a finding, a reason without a price, or a
            reason to wait, and never as an exception.
        late_records: records of carried kinds that started before the period, for kinds whose records belong together; by default
            the contract takes a copy of one record of each carried kind.
        bad_files: format and content of files that hold at least one bad record.
    """

    plugins: Sequence[tuple[str, object]]
    plan: str
    records: Sequence[AnyUsage]
    figures: Sequence[Figure]
    period: DateSpan
    zone: str = "UTC"
    cycle: str = "monthly:1"
    settings: Mapping[str, Any] = attrs.field(factory=dict)
    terms: Mapping[str, str] = attrs.field(factory=dict)
    details: Mapping[str, str] = attrs.field(factory=dict)
    holidays: Mapping[str, frozenset[date]] = attrs.field(factory=dict)
    rate_tables: Mapping[str, tuple[str, str]] = attrs.field(factory=dict)
    bad_records: Sequence[AnyUsage] = ()
    late_records: Sequence[AnyUsage] = ()
    bad_files: Sequence[tuple[str, bytes]] = ()


@attrs.frozen(kw_only=True)
class Bench:
    """A specimen with its plugins resolved and its plan read, ready to be rated in many ways.

    Attributes:
        specimen: the specimen.
        host: its plugins.
        request: plan and circumstances.
    """

    specimen: Specimen
    host: Host = attrs.field(repr=False)
    request: QuoteRequest

    @classmethod
    def of(cls, specimen: Specimen) -> Bench:
        """Return the bench of a specimen.

        Raises:
            ConfigurationError: ``TEST06`` for a plan or rate table that its own check refuses.
        """
        host = Host.build(specimen.plugins, settings=specimen.settings)
        request = QuoteRequest(
            plans=(_plan(specimen.plan, host),),
            zone=specimen.zone,
            cycle=specimen.cycle,
            period=specimen.period,
            terms=specimen.terms,
            details=specimen.details,
            holidays=specimen.holidays,
            tables=[_table(code, kind, text, host) for code, (kind, text) in specimen.rate_tables.items()],
        )
        return cls(specimen=specimen, host=host, request=request)

    @functools.cached_property
    def offers(self) -> RatingOffers:
        """Raters and charge models of the plugins."""
        return rating_offers(self.host)

    def group(self, records: Sequence[AnyUsage] | None = None) -> BillingGroup:
        """Return the billing group of the specimen's records, or of others."""
        current, _ = current_records(self.specimen.records if records is None else records, self.host)
        given, material = quoted_input(current, self.request, self.host, self.specimen.period)
        return billing_group(given, material)

    def rated(self, group: BillingGroup, offers: RatingOffers | None = None) -> RatedGroup:
        """Return what a group comes to by the reference, with the specimen's raters or others."""
        return rate_group(group, offers or self.offers)

    def raters(self) -> tuple[Rater, ...]:
        """Return the raters that the specimen's records ask for."""
        kinds = {record.kind for record in self.specimen.records}
        return tuple(rater for rater in self.offers.raters if kinds & set(rater.kinds))

    def with_rate(self, wrapped: Callable[[Callable[[BillingGroup], Rating]], Callable[[BillingGroup], Rating]]) -> RatingOffers:
        """Return the offers with the reference of every rater wrapped, as faults are planted."""
        raters = tuple(
            attrs.evolve(rater, rate=wrapped(rater.rate), rate_columns=None, shard=None) for rater in self.offers.raters
        )
        return attrs.evolve(self.offers, raters=raters)


def _plan(text: str, host: Host) -> PlanVersion:
    plan = parse_plan(text.encode(), file="plan.toml", params=model_params(host))
    findings: Sequence[Finding] = check_plan(plan, models=host.charge_models, file="plan.toml")
    stopping = [finding for finding in findings if finding.stops]
    if stopping:
        what = f"the plan of the specimen is refused: {'; '.join(finding.what for finding in stopping)}"
        raise ConfigurationError("TEST06", what, remedy="Correct the plan until billing plan check is content")
    return plan


def _table(code: str, kind: str, text: str, host: Host) -> RateTable:
    if kind not in host.rate_tables:
        what = f"the rate table {code!r} of the specimen is of the unknown kind {kind!r}"
        raise ConfigurationError("TEST06", what, remedy=did_you_mean(kind, host.rate_tables))
    header = RateTableHeader(code=code, version="1", kind=kind, valid_from=date(1970, 1, 1))
    read = read_rate_table(text.encode(), file=f"{code}.csv", header=header, kind=host.rate_tables[kind])
    if read.table is None:
        what = f"the rate table of the specimen is refused: {'; '.join(finding.what for finding in read.findings)}"
        raise ConfigurationError("TEST06", what, remedy="Correct the table until billing rate-table check is content")
    return read.table


def with_records(group: BillingGroup, change: Callable[[tuple[KeyedUsage, ...]], Sequence[KeyedUsage]]) -> BillingGroup:
    """Return a group whose agreements have other records."""
    return attrs.evolve(
        group, agreements=tuple(attrs.evolve(usage, records=tuple(change(tuple(usage.records)))) for usage in group.agreements)
    )


def sums(rated: RatedGroup) -> dict[str, Fraction]:
    """Return the exact sum of each component's charges."""
    found: dict[str, Fraction] = {}
    for charge in rated.charges:
        found[charge.component] = found.get(charge.component, Fraction(0)) + charge.amount.value
    return found
