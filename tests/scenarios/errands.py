"""A plugin of a trade that nobody has: errands are paid one by one, whenever told; reviewers may change what was told."""

from __future__ import annotations

import csv
import enum
import io
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import BinaryIO

import attrs

from billing_framework import (
    AgreementUsage,
    Amount,
    AnyUsage,
    BillingGroup,
    Charge,
    DateSpan,
    Quantity,
    Rater,
    Rating,
    Reader,
    ReadRequest,
    Span,
    Step,
    Usage,
    UsageKind,
    hookimpl,
)
from billing_framework.values.clock import timezone
from billing_framework.values.period import ONE_DAY


class Fate(enum.Enum):
    """What becomes of an errand: ``PAID`` by the minute, ``FREE`` of charge, ``LATER`` on a later bill."""

    PAID = "paid"
    FREE = "free"
    LATER = "later"


@attrs.frozen(kw_only=True)
class Errand:
    """An errand.

    Attributes:
        minutes: how long it took.
        note: what was done.
        fate: what becomes of it.
        rush: whether it was urgent.
        stamped: when the runner was back.
        told: what the runner said; nobody edits that.
    """

    minutes: Fraction
    note: str
    fate: Fate = Fate.PAID
    rush: bool = False
    stamped: datetime | None = None
    told: str = ""


@attrs.frozen(kw_only=True)
class ErrandRate:
    """Parameters of the component that prices errands.

    Attributes:
        price: price of a minute.
        together: whether all errands of a bill are one line.
    """

    price: Fraction
    together: bool = False


def read_errands(stream: BinaryIO, request: ReadRequest) -> Iterator[AnyUsage]:
    """Read lines of id, runner, instant, minutes, note, and optionally fate, slot and version."""
    for number, row in enumerate(csv.reader(io.TextIOWrapper(stream, "utf-8")), start=1):
        name, runner, instant, minutes, note, *rest = row
        rest += ["paid", "", "0"][len(rest) :]
        yield Usage(
            kind="errand",
            source=request.source,
            external_id=name,
            subject=runner,
            span=Span.at(datetime.fromisoformat(instant).astimezone(UTC)),
            slot=rest[1],
            version=int(rest[2]),
            body=Errand(minutes=Fraction(minutes), note=note, fate=Fate(rest[0])),
            line=number,
        )


def rate_errands(group: BillingGroup) -> Rating:
    """Return a charge for each errand, at the price of the plan version of its date."""
    zone = timezone(group.account.zone)
    charges: list[Charge] = []
    unpriced: dict[int, str] = {}
    deferred: dict[int, str] = {}
    for usage in group.agreements:
        others, charges = charges, []
        for record in usage.records:
            body: Errand = record.usage.body
            day = record.usage.start.astimezone(zone).date()
            tile = usage.tile_at(day)
            if body.fate is Fate.LATER or tile is None:
                deferred[record.key] = "not released"
                continue
            if body.fate is Fate.FREE:
                unpriced[record.key] = "free of charge"
                continue
            component = next(one for one in tile.plan.components if one.model == "errands.by_minute")
            price: Fraction = component.params.price
            amount = Amount(body.minutes * price, group.account.currency)
            charges.append(
                Charge(
                    agreement=usage.agreement.code,
                    component=component.code,
                    code=component.charge_code,
                    description=body.note,
                    service=DateSpan(day, day + ONE_DAY),
                    source=record.usage.external_id,
                    quantity=Quantity(body.minutes, "minute"),
                    amount=amount,
                    tax_category=component.tax_category,
                    plan=tile.plan.name,
                    records=(record.key,),
                    steps=(Step(label="errand", formula=f"{body.minutes} min x {price}", result=str(amount)),),
                )
            )
        charges = [*others, *_together(charges, usage)]
    return Rating(charges=tuple(charges), unpriced=unpriced, deferred=deferred)


def _together(charges: Sequence[Charge], usage: AgreementUsage) -> Sequence[Charge]:
    """Return one charge in the place of those of an agreement, where its plan says so."""
    parts = [one for tile in usage.tiles for one in tile.plan.components if one.model == "errands.by_minute"]
    if not charges or not any(part.params.together for part in parts):
        return charges
    total = sum((charge.amount.value for charge in charges), Fraction(0))
    head = attrs.evolve(charges[0], description="Errands", service=usage.period, source="", quantity=None)
    records = tuple(key for charge in charges for key in charge.records)
    return [attrs.evolve(head, amount=Amount(total, charges[0].amount.currency), records=records)]


@hookimpl
def billing_usage_kinds() -> list[UsageKind]:
    editable = ("minutes", "note", "fate", "rush", "stamped")
    return [UsageKind(name="errand", title="An errand", body=Errand, carried=True, editable=editable)]


@hookimpl
def billing_readers() -> list[Reader]:
    return [Reader(format="errands", title="Errands as CSV", kinds=("errand",), read=read_errands)]


@hookimpl
def billing_raters() -> list[Rater]:
    return [Rater(name="errands", kinds=("errand",), rate=rate_errands, models={"errands.by_minute": ErrandRate})]
