"""Sorts the calls of a billing group: which plan component and deck price a call, and which calls bear no price."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime

import attrs

from billing_framework import AgreementUsage, BillingGroup, Component, DateSpan, KeyedUsage, RateTable, Tile, timezone
from billing_telecom_usage.kinds import CALL, Call, Direction
from billing_telecom_usage.numbers import NumberClass
from billing_telecom_usage.rating.tariff import MODEL, CallPricing, Length

UNANSWERED = "not answered"
INTERNAL = "internal or short number"


@attrs.frozen(kw_only=True)
class Task:
    """A call that is to be priced.

    Attributes:
        record: the call.
        usage: the agreement that it belongs to.
        tile: plan version in force when it starts.
        component: component of the plan that prices it.
        deck: deck in force when it starts.
        billed: the billing period of the bill that the call stands on.
        local: start by the clock of the account.
        seconds: seconds to charge; 0 for a call that nobody answered and that bears an attempt fee.
    """

    record: KeyedUsage
    usage: AgreementUsage
    tile: Tile
    component: Component
    deck: RateTable
    billed: DateSpan
    local: datetime
    seconds: int

    @property
    def call(self) -> Call:
        """The body of the record."""
        body: Call = self.record.usage.body
        return body

    @property
    def params(self) -> CallPricing:
        """The parameters of the component."""
        params: CallPricing = self.component.params
        return params


@attrs.frozen(kw_only=True)
class Unpriced:
    """A call that bears no price, and why.

    Attributes:
        key: key of its record.
        reason: why.
    """

    key: int
    reason: str


@attrs.frozen(kw_only=True)
class Unrated:
    """A call that should bear a price, but nothing says which.

    Attributes:
        record: the call.
        usage: the agreement that it belongs to.
        on: local date on which it starts.
        code: ``TEL10`` no price for the number, ``TEL11`` no deck, ``TEL12`` no plan or component.
        what: what is missing.
    """

    record: KeyedUsage
    usage: AgreementUsage
    on: date
    code: str
    what: str


def sorted_calls(group: BillingGroup) -> Iterator[Task | Unpriced | Unrated]:
    """Yield what is to be done with each call of the agreements of a group, in order of agreement, start and key."""
    zone = timezone(group.account.zone)
    for usage in group.agreements:
        own = [one for one in usage.of_kind(CALL.name) if one.assignment.agreement == usage.agreement.code]
        for record in sorted(own, key=lambda one: (one.usage.start, one.key)):
            yield _sorted(record, usage, group.period, record.usage.start.astimezone(zone))


def _sorted(record: KeyedUsage, usage: AgreementUsage, billed: DateSpan, local: datetime) -> Task | Unpriced | Unrated:
    call: Call = record.usage.body
    day = local.date()
    if call.b_class is NumberClass.SHORT and call.is_answered:
        return Unpriced(key=record.key, reason=INTERNAL)
    tile = usage.tile_at(day)
    component = component_for(tile, call.direction) if tile is not None else None
    if tile is None or component is None:
        if not call.is_answered:
            return Unpriced(key=record.key, reason=UNANSWERED)
        what = f"no component of the plan prices {call.direction.value} calls" if tile else "no plan version is in force"
        return Unrated(record=record, usage=usage, on=day, code="TEL12", what=f"{what} on {day.isoformat()}")
    params: CallPricing = component.params
    if not call.is_answered and (not params.attempt_fee or call.b_class is not NumberClass.INTERNATIONAL):
        return Unpriced(key=record.key, reason=UNANSWERED)
    deck = usage.table(params.deck, day)
    if deck is None:
        what = f"no version of the deck {params.deck} is in force on {day.isoformat()}"
        return Unrated(record=record, usage=usage, on=day, code="TEL11", what=what)
    spoken = call.billed_seconds if params.length is Length.BILLED else call.duration_seconds
    seconds = spoken if call.is_answered else 0
    return Task(
        record=record, usage=usage, tile=tile, component=component, deck=deck, billed=billed, local=local, seconds=seconds
    )


def component_for(tile: Tile, direction: Direction) -> Component | None:
    """Return the component of a plan version that prices calls of a direction, None where it has none."""
    found = (one for one in tile.plan.components if one.model == MODEL and one.params.direction is direction)
    return next(found, None)
