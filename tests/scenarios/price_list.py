"""A plugin of a trade that nobody has, with a rate table: machines are let by the job, at the price of their zone."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import BinaryIO

import attrs

from billing_framework import (
    Amount,
    AnyUsage,
    BillingGroup,
    Charge,
    CodePage,
    Component,
    DateSpan,
    Finding,
    Rater,
    RateTable,
    RateTableKind,
    RateTableName,
    Rating,
    Reader,
    ReadRequest,
    Span,
    Tile,
    Usage,
    UsageKind,
    hookimpl,
    rate_table_field,
    timezone,
)


@attrs.frozen(kw_only=True)
class Trip:
    """A trip.

    Attributes:
        zone: where it went.
    """

    zone: str


@attrs.frozen(kw_only=True)
class ZonePrice:
    """The price of a zone.

    Attributes:
        zone: the zone.
        price: price of a trip.
        title: name of the zone.
    """

    zone: str
    price: Fraction
    title: str = ""


@attrs.frozen(kw_only=True)
class ByZone:
    """Parameters: which price list."""

    prices: RateTableName = rate_table_field("price_list.zones")


def _check(table: RateTable) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            code="ZONE01", what="the price is below zero", remedy="Correct it", line=place, field="price", value=str(row.price)
        )
        for place, row in enumerate(table.rows, start=1)
        if row.price < 0
    )


ZONES = RateTableKind(
    name="price_list.zones", title="Prices by zone", row=ZonePrice, key=("zone",), prices=("price",), check=_check
)


def read_trips(stream: BinaryIO, request: ReadRequest) -> Iterator[AnyUsage]:
    """Read lines of id, machine, instant, zone."""
    for number, (name, machine, instant, zone) in enumerate(csv.reader(io.TextIOWrapper(stream, "utf-8")), start=1):
        at = datetime.fromisoformat(instant).astimezone(UTC)
        yield Usage(
            kind="trip",
            source=request.source,
            external_id=name,
            subject=machine,
            span=Span.at(at),
            body=Trip(zone=zone),
            line=number,
        )


def rate(group: BillingGroup) -> Rating:
    """Price every trip by the list that holds on its day."""
    charges, findings, unpriced = [], [], {}
    for usage in group.agreements:
        for tile in (*usage.earlier_tiles, *usage.tiles):
            for component in tile.plan.components:
                if component.model != "price_list.by_zone":
                    continue
                for record in usage.starting_in(tile, "trip", group.account.zone):
                    day = record.usage.start.astimezone(timezone(group.account.zone)).date()
                    table = usage.table(component.params.prices, day)
                    row = next((row for row in table.rows if row.zone == record.usage.body.zone), None) if table else None
                    if row is None or table is None:
                        unpriced[record.key] = "no price"
                        what = f"no price for zone {record.usage.body.zone} on {day}"
                        findings.append(Finding(code="ZONE02", what=what, remedy="Load a price", subject=usage.agreement.code))
                        continue
                    charges.append(_charge(usage.agreement.code, component, tile, record.key, (day, table.name, row)))
    return Rating(charges=tuple(charges), findings=tuple(findings), unpriced=unpriced)


def _charge(agreement: str, component: Component, tile: Tile, key: int, found: tuple[date, str, ZonePrice]) -> Charge:
    day, name, row = found
    return Charge(
        agreement=agreement,
        component=component.code,
        code=component.charge_code,
        description=f"Trip to {row.title or row.zone}",
        service=DateSpan.inclusive(day, day),
        source=str(key),
        amount=Amount(row.price, tile.plan.currency),
        tax_category=component.tax_category,
        plan=tile.plan.name,
        records=(key,),
        details={"prices": name},
    )


@hookimpl
def billing_codes() -> list[CodePage]:
    return [CodePage(code=f"ZONE0{number}", title="t", meaning="m", remedy="r") for number in (1, 2)]


@hookimpl
def billing_usage_kinds() -> list[UsageKind]:
    return [UsageKind(name="trip", title="A trip", body=Trip, carried=True)]


@hookimpl
def billing_readers() -> list[Reader]:
    return [Reader(format="trips", title="Trips as CSV", kinds=("trip",), read=read_trips)]


@hookimpl
def billing_rate_tables() -> list[RateTableKind]:
    return [ZONES]


@hookimpl
def billing_raters() -> list[Rater]:
    return [Rater(name="trips", kinds=("trip",), rate=rate, models={"price_list.by_zone": ByZone})]
