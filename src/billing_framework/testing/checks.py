"""What every rater must keep, each rule as a function that returns in what way it is broken; empty where it holds."""

from __future__ import annotations

import contextlib
import copy
import decimal
import io
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from functools import partial
from types import MappingProxyType

import attrs

from billing_framework.rating.group import BillingGroup, KeyedUsage, Tile
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rate import RatedGroup, rate_groups
from billing_framework.rating.rater import ColumnarRate, Rater
from billing_framework.rating.rating import Rating
from billing_framework.rating.shard_twin import LEFT, ShardTwin, rate_by_columns
from billing_framework.testing.specimen import Bench, sums, with_records
from billing_framework.usage.content import usage_key
from billing_framework.usage.reader import BadRecord, ReadRequest
from billing_framework.usage.record import AnyUsage
from billing_framework.values.clock import timezone
from billing_framework.values.errors import BillingError
from billing_framework.values.finding import Finding
from billing_framework.values.number import exact_text
from billing_framework.values.period import DateSpan, Span

Check = Callable[[Bench, RatingOffers], list[str]]
"""A rule: the specimen and the raters that are tested in; what is wrong out."""

_HOSTILE = (
    decimal.Context(prec=1, rounding=decimal.ROUND_UP),
    decimal.Context(prec=3, rounding=decimal.ROUND_FLOOR),
    decimal.Context(prec=28, traps=[decimal.Inexact, decimal.FloatOperation]),
)
_ELSEWHERE = ("Pacific/Kiritimati", "America/Anchorage")


def figures(bench: Bench, offers: RatingOffers) -> list[str]:
    """Components come to the figures that were worked out by hand, and nothing holds the account."""
    rated = bench.rated(bench.group(), offers)
    found = sums(rated)
    wanted = {figure.component: figure.amount for figure in bench.specimen.figures}
    wrong = [
        f"component {name} comes to {exact_text(found[name]) if name in found else 'nothing'}, not to {exact_text(amount)}"
        for name, amount in wanted.items()
        if found.get(name) != amount
    ]
    return [*wrong, *(f"{one.code}: {one.what}" for one in rated.findings if one.stops)]


def determinism(bench: Bench, offers: RatingOffers) -> list[str]:
    """The same input gives the same result, however often and whatever was rated in between."""
    group, others = bench.group(), bench.group(bench.specimen.records[:1])
    first = bench.rated(group, offers)
    bench.rated(others, offers)
    return [] if content(bench.rated(group, offers)) == content(first) else ["the second rating of the same group differs"]


def order(bench: Bench, offers: RatingOffers) -> list[str]:
    """The order in which records were delivered does not matter."""
    group = bench.group()
    wanted = content(bench.rated(group, offers))
    shuffler = random.Random(1)  # noqa: S311  a shuffle, not a secret
    problems = []
    for name, shuffled in (
        ("reversed", lambda records: records[::-1]),
        ("rotated", lambda records: (*records[1:], *records[:1])),
        ("shuffled", lambda records: shuffler.sample(records, len(records))),
    ):
        if content(bench.rated(with_records(group, shuffled), offers)) != wanted:
            problems.append(f"records in {name} order come to another result")
    return problems


def surroundings(bench: Bench, offers: RatingOffers) -> list[str]:
    """Neither the ambient decimal context nor the time zone of the machine matters."""
    group = bench.group()
    wanted = content(bench.rated(group, offers))
    problems = []
    for context in _HOSTILE:
        with decimal.localcontext(context):
            if content(bench.rated(group, offers)) != wanted:
                problems.append(f"another decimal context (precision {context.prec}, {context.rounding}) changes the result")
    for zone in _ELSEWHERE:
        with _machine_in(zone):
            if content(bench.rated(group, offers)) != wanted:
                problems.append(f"a machine in the time zone {zone} comes to another result")
    return problems


@contextlib.contextmanager
def _machine_in(zone: str) -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = zone
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def sources(bench: Bench, offers: RatingOffers) -> list[str]:
    """Every measure and charge of a rater names the records, or the carried state, that it rests on."""
    return [
        f"rater {rater.name}: {what} names no record" for rater, rating in _ratings(bench, offers) for what in _nameless(rating)
    ]


def _nameless(rating: Rating) -> Iterator[str]:
    for measure in rating.measures:
        if measure.quantity.value and not measure.records and not measure.state_read:
            yield f"the measure {measure.name} of {measure.dates}"
    for charge in rating.charges:
        if charge.amount.value and not charge.records and not charge.state_read:
            yield f"the charge {charge.natural_key}"


def conservation(bench: Bench, offers: RatingOffers) -> list[str]:
    """Every record is priced, has a reason for no price, or waits: none is lost, and none that is not there is named."""
    problems = []
    group = bench.group()
    rated = bench.rated(group, offers)
    if rated.control.lost:
        problems.append(f"{rated.control.lost} of {rated.control.records} records are accounted for nowhere")
    keys = {record.key for usage in group.agreements for record in usage.records}
    for gone in sorted(keys):
        less = with_records(group, lambda records, gone=gone: [one for one in records if one.key != gone])  # type: ignore[misc]
        left = bench.rated(less, offers)
        if any(gone in charge.records for charge in left.charges) or gone in left.unpriced:
            problems.append(f"the record {gone} is named although it was not delivered")
    return problems


def input_kept(bench: Bench, offers: RatingOffers) -> list[str]:
    """The rater changes nothing of what it is given."""
    group = bench.group()
    # Versions of rate tables are equal only where they are one object; their rows are frozen.
    tables: dict[int, object] = {id(table): table for usage in group.agreements for table in usage.tables}
    before = copy.deepcopy(group, tables)
    bench.rated(group, offers)
    return [] if group == before else ["the rater has changed the group that it was given"]


def twin(bench: Bench, offers: RatingOffers) -> list[str]:
    """Each columnar twin equals the reference for every group of a shard, whatever the shard's size and order."""
    groups = [bench.group(), *(bench.group(part) for part in _parts(bench.specimen.records))]
    problems = []
    for rater in offers.raters:
        own = [_own(rater, group, offers) for group in groups]
        wanted = [_plain(rater.rate(group)) for group in own]
        for rate_columns in _twins(rater):
            for name, place in (("whole", slice(None)), ("reversed", slice(None, None, -1)), ("halved", slice(None, None, 2))):
                if _differ(rate_columns(own[place]), wanted[place]):
                    problems.append(f"the columnar twin of {rater.name} differs from its reference on the {name} shard")
            if _differ([rate_columns([group])[0] for group in own], wanted):
                problems.append(f"the columnar twin of {rater.name} differs from its reference group by group")
    return problems


def _differ(ratings: Sequence[Rating], wanted: Sequence[object]) -> bool:
    """Return whether one of a twin's ratings is not that of the reference; groups that it leaves are the reference's own."""
    return len(ratings) != len(wanted) or any(
        one is not LEFT and _plain(one) != other for one, other in zip(ratings, wanted, strict=True)
    )


def _twins(rater: Rater) -> Iterator[ColumnarRate]:
    """Yield the twin that a run asks, and the shard that is given beside it."""
    if rater.twin is not None:
        yield rater.twin
    if rater.rate_columns is not None and rater.shard is not None:
        yield partial(rate_by_columns, twin=rater.shard, rate=rater.rate)


def columns(bench: Bench, offers: RatingOffers) -> list[str]:
    """The columns of a columnar twin are sound, and its charges say what its columns say."""
    groups = [bench.group(), *(bench.group(part) for part in _parts(bench.specimen.records))]
    problems = []
    for rater in offers.raters:
        if rater.shard is not None:
            own = [_own(rater, group, offers) for group in groups]
            problems += [f"the columnar twin of {rater.name} {fault}" for fault in _column_faults(rater.shard, own)]
    return problems


def _column_faults(shard: ShardTwin, groups: Sequence[BillingGroup]) -> Iterator[str]:
    from billing_framework.rating.gather_columns import columns_of  # noqa: PLC0415  numpy, only where columns are used
    from billing_framework.rating.rated_columns import columns_faults  # noqa: PLC0415

    given = columns_of(groups, shard.kind, shard.fields)
    rated = shard.rate(given)
    faults = list(columns_faults(given, rated))
    yield from faults
    if faults:
        return
    lines = rated.lines
    totals, amounts, quantities = lines.totals.fractions(), lines.amounts.fractions(), lines.quantities.fractions()
    for place, total in enumerate(totals):
        charge = rated.charge(place)
        first, last = lines.firsts[place : place + 2].tolist()
        keys = tuple(given.keys[lines.rows[first:last]].tolist())
        quantity = sum(quantities[first:last], Fraction(0))
        if charge.amount.value != total or charge.records != keys or (charge.quantity and charge.quantity.value != quantity):
            yield f"makes a charge of {charge.amount} of {exact_text(total)}, or of other records or quantities"
        if charge.items and [item.amount.value for item in charge.items] != amounts[first:last]:
            yield f"lists items of {charge.natural_key} at other prices than its columns"


def shards(bench: Bench, offers: RatingOffers) -> list[str]:
    """How accounts are cut into shards does not matter."""
    groups = [bench.group(), *(bench.group(part) for part in _parts(bench.specimen.records))]
    alone = [content(rated) for group in groups for rated in rate_groups([group], offers)]
    problems = []
    for size in (2, len(groups)):
        cut = [groups[start : start + size] for start in range(0, len(groups), size)]
        if [content(rated) for shard in cut for rated in rate_groups(shard, offers)] != alone:
            problems.append(f"shards of {size} accounts come to other results than accounts alone")
    return problems


def bad_records(bench: Bench, offers: RatingOffers) -> list[str]:
    """A record that cannot be rated is told: by a finding, a reason without a price, or a reason to wait; never by a failure."""
    problems = []
    for bad in bench.specimen.bad_records:
        group = bench.group([*bench.specimen.records, bad])
        rated = bench.rated(group, offers)
        broken = [finding for finding in rated.findings if finding.code in {"RATE01", "RATE02", "RATE03", "RATE04"}]
        problems += [f"the bad record {bad.external_id}: {finding.what}" for finding in broken]
        keys = {one.key for usage in group.agreements for one in usage.records if one.usage.external_id == bad.external_id}
        waiting = {*rated.unpriced, *getattr(rated, "deferred", {})}
        if not broken and not rated.findings and not keys & waiting:
            problems.append(f"the bad record {bad.external_id} is rated like any other")
    return problems


def late_records(bench: Bench, offers: RatingOffers) -> list[str]:
    """A record of a carried kind that comes after its own period is priced, has a reason for no price, or waits; none is lost."""
    given = bench.specimen.late_records
    batches = [given] if given else [[late] for late in _late_copies(bench)]
    problems = []
    for batch in batches:
        rated = bench.rated(_with_late(bench.group(), batch), offers)
        names = ", ".join(record.external_id for record in batch)
        broken = [finding.what for finding in rated.findings if finding.code in {"RATE01", "RATE03"}]
        if broken:  # what was returned is not looked at then, so that all records seem to be lost
            problems += [f"{names} came after its period: {what}" for what in broken]
        elif rated.control.lost or any(finding.code == "RATE02" for finding in rated.findings):
            how = "measure it for a tile of the period, charge it by the plan of AgreementUsage.tile_at, or say why not"
            problems.append(f"{names} came after its period and is accounted for nowhere; {how}")
    return problems


def _late_copies(bench: Bench) -> Iterator[AnyUsage]:
    """Yield a copy of one record of each carried kind that starts a period and three days too early."""
    late = timedelta(days=bench.specimen.period.days + 3)
    for kind in sorted({record.kind for record in bench.specimen.records}):
        if bench.host.kinds[kind].carried:
            like = next(record for record in bench.specimen.records if record.kind == kind)
            name = f"{like.external_id}-late"
            slot = f"{like.slot}-late" if like.slot else ""
            yield attrs.evolve(like, external_id=name, slot=slot, span=Span(like.span.start - late, like.span.end - late))


def _with_late(group: BillingGroup, late: Sequence[AnyUsage]) -> BillingGroup:
    """Return a group with more records, which started before its period, and the plan that was in force then."""
    (own,) = group.agreements
    plan = own.tiles[0].plan
    zone = timezone(group.account.zone)
    days = sorted({record.start.astimezone(zone).date() for record in late})
    tiles = tuple(Tile(dates=DateSpan(day, day + timedelta(days=1)), plan=plan) for day in days if plan.valid_from <= day)
    like = own.records[0].assignment
    records = [
        KeyedUsage(key=usage_key(one.source, one.external_id), usage=one, assignment=attrs.evolve(like, subject=one.subject))
        for one in late
    ]
    with_them = attrs.evolve(own, records=(*records, *own.records), earlier_tiles=(*tiles, *own.earlier_tiles))
    return attrs.evolve(group, agreements=(with_them,))


def bad_files(bench: Bench, offers: RatingOffers) -> list[str]:
    """A file with a bad record is told, with its line, and its good records are read."""
    del offers
    problems = []
    for name, data in bench.specimen.bad_files:
        request = ReadRequest(file=f"bad.{name}", source="contract", zone=bench.specimen.zone)
        try:
            items = list(bench.host.reader(name).read(io.BytesIO(data), request))
        except BillingError:
            continue  # refused as a whole, with its place: nothing of it is taken in
        except Exception as error:  # noqa: BLE001  any other exception is the fault that is looked for
            problems.append(f"the reader {name} failed: {type(error).__name__}: {error}")
            continue
        told = [item for item in items if isinstance(item, BadRecord | Finding)]
        if not told:
            problems.append(f"the reader {name} read a bad file without a word")
    return problems


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        one.__name__: one
        for one in (
            figures,
            determinism,
            order,
            surroundings,
            sources,
            conservation,
            input_kept,
            twin,
            columns,
            shards,
            bad_records,
            late_records,
            bad_files,
        )
    }
)
"""All rules by name."""


def content(rated: RatedGroup) -> object:
    """Return what a rating says, without the order in which charges name their records."""
    charges = [
        (one.natural_key, one.code, one.amount, one.quantity, one.unit_price, one.estimated, tuple(sorted(one.records)))
        for one in rated.charges
    ]
    findings = sorted((one.code, one.what, one.subject) for one in rated.findings)
    return sorted(charges, key=str), findings, sorted(rated.unpriced.items()), rated.control


def _plain(rating: Rating) -> object:
    charges = sorted(((one.natural_key, one.amount, one.quantity, sorted(one.records)) for one in rating.charges), key=str)
    measured = ((one.agreement, one.name, one.source, one.dates, one.quantity, sorted(one.records)) for one in rating.measures)
    measures = sorted(measured, key=str)
    findings = sorted((one.code, one.what, one.subject) for one in rating.findings)
    return charges, measures, sorted(rating.unpriced.items()), sorted(map(str, rating.state)), findings


def _own(rater: Rater, group: BillingGroup, offers: RatingOffers) -> BillingGroup:
    """Return a group as the core gives it to a rater."""
    own = with_records(group, lambda records: [one for one in records if one.usage.kind in rater.kinds])
    return attrs.evolve(own, settings=offers.settings_of(rater.name))


def _ratings(bench: Bench, offers: RatingOffers) -> Iterator[tuple[Rater, Rating]]:
    group = bench.group()
    for rater in offers.raters:
        yield rater, rater.rate(_own(rater, group, offers))


def _parts(records: Sequence[AnyUsage]) -> Iterator[Sequence[AnyUsage]]:
    """Yield parts of the records: none, the first, the rest, each half."""
    middle = len(records) // 2
    yield from ([], records[:1], records[1:], records[:middle], records[middle:])
