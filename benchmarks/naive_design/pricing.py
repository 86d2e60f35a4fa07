"""The plugins of the usual design: a hook that is asked for the price of every record, in `Decimal`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import attrs
import pluggy

from benchmarks.naive_design.models import Rate, UsageRecord

PROJECT = "naive_billing"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

_PLACES = Decimal("0.0001")
_MINUTE = Decimal(60)
_FIRST_BLOCK, _NEXT_BLOCK = 60, 6
_PEAK_STARTS, _PEAK_ENDS = 8, 18
_LONGEST_PREFIX = 15
_INCLUDED_STEP = 60
ZONE = ZoneInfo("Europe/Berlin")


@attrs.define
class Bucket:
    """The included seconds that an account has left."""

    left: int

    def take(self, seconds: int) -> int:
        """Use whole minutes for so many seconds, and return how many of them are free."""
        whole = min(self.left // _INCLUDED_STEP, -(-seconds // _INCLUDED_STEP)) * _INCLUDED_STEP
        self.left -= whole
        return min(whole, seconds)


@attrs.frozen(kw_only=True)
class Price:
    """What one call costs."""

    destination: str
    amount: Decimal
    billed: int
    free: int


class Hooks:
    """What a plugin may answer."""

    @hookspec(firstresult=True)
    def price_record(self, record: UsageRecord, bucket: Bucket) -> Price | None:
        """Return the price of a record, None where it is none of the plugin's."""


class CallPricing:
    """Prices calls by prefix, 60/6, by peak and off-peak at the start of each increment, after the included minutes."""

    def __init__(self, rates: list[Rate], included: str) -> None:
        """Take the rates; numbers that begin with `included` use up the included minutes."""
        self.rates = {rate.prefix: rate for rate in rates}
        self.included = included

    @hookimpl
    def price_record(self, record: UsageRecord, bucket: Bucket) -> Price | None:
        """Return the price of a call."""
        rate = self._rate(record.called)
        if rate is None:
            return None
        billed, spoken = _spoken(record.start.replace(tzinfo=UTC).astimezone(ZONE), record.billed, rate)
        free = bucket.take(billed) if record.called.startswith(self.included) else 0
        amount = spoken * (billed - free) / billed
        return Price(destination=rate.destination, amount=amount.quantize(_PLACES, ROUND_HALF_UP), billed=billed, free=free)

    def _rate(self, number: str) -> Rate | None:
        for length in range(min(len(number), _LONGEST_PREFIX), 0, -1):
            rate = self.rates.get(number[:length])
            if rate is not None:
                return rate
        return None


def _spoken(local: datetime, seconds: int, rate: Rate) -> tuple[int, Decimal]:
    """Return charged seconds and their price; each increment at the period in which it starts."""
    position, price = 0, Decimal(0)
    is_peak, left = _period(local)
    while position < seconds:
        while position >= left:
            is_peak, more = _period(local + timedelta(seconds=left))
            left += more
        per_minute = rate.peak if is_peak else rate.off_peak
        until = min(seconds, left)
        if position < _FIRST_BLOCK:
            charged = _FIRST_BLOCK
            if until > _FIRST_BLOCK:
                charged += -(-(until - _FIRST_BLOCK) // _NEXT_BLOCK) * _NEXT_BLOCK
        else:
            charged = -(-(until - position) // _NEXT_BLOCK) * _NEXT_BLOCK
        price += per_minute * charged / _MINUTE
        position += charged
    return position, price


def _period(local: datetime) -> tuple[bool, int]:
    """Return whether a local time is peak, and for how many seconds that holds at least."""
    second = local.hour * 3600 + local.minute * 60 + local.second
    if local.isoweekday() > 5:
        return False, 86_400 - second
    edges = (_PEAK_STARTS * 3600, _PEAK_ENDS * 3600, 86_400)
    until = next(edge for edge in edges if second < edge)
    return until == _PEAK_ENDS * 3600, until - second


def hooks_of(plugin: CallPricing) -> pluggy.PluginManager:
    """Return the plugin manager with one plugin."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    manager.register(plugin)
    return manager
