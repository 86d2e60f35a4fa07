"""Included minutes: buckets of seconds that calls use up in the order in which they start, also in part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import AgreementUsage, CarriedState, Component, RoundingMode, divide
from billing_telecom_usage.rating.tariff import MODEL, Allowance

_KEPT_PERIODS = 13
_MINUTE = 60


@attrs.frozen
class Use:
    """What allowances cover of a call.

    Attributes:
        free_s: seconds of the call that are covered.
        bears_fee: True where an allowance that covers it wholly leaves the connection fee.
    """

    free_s: int
    bears_fee: bool


@attrs.define
class Bucket:
    """The seconds of one allowance in one billing period.

    Attributes:
        left_s: seconds that are left.
    """

    left_s: int

    def take(self, need_s: int, step_s: int) -> int:
        """Use the bucket in whole steps and return how many of the needed seconds that covers."""
        whole = min(self.left_s // step_s, -(-need_s // step_s)) * step_s
        self.left_s -= whole
        return min(whole, need_s)


@attrs.define(kw_only=True)
class Buckets:
    """The allowances of one agreement: those of the billed period, and what is left of earlier ones for late calls.

    Attributes:
        usage: the agreement.
        by_period: name of the state to first date of a billing period to its bucket.
    """

    usage: AgreementUsage
    by_period: dict[str, dict[date, Bucket]]

    def cover(self, component: Component, number: str, seconds: int, day: date) -> Use:
        """Use what covers a call, and return how much of it is free.

        Allowances of higher priority go first, equals in the order of the plan.

        Args:
            component: component that prices the call.
            number: called number.
            seconds: seconds that are charged without allowances.
            day: local date on which the call starts.
        """
        need, bears_fee = seconds, False
        allowances: Sequence[Allowance] = component.params.allowances
        for allowance in sorted(allowances, key=lambda one: -one.priority):
            bucket = self._bucket(component, allowance, day)
            if need and bucket is not None and allowance.covers(number):
                taken = bucket.take(need, allowance.increment_s)
                need -= taken
                bears_fee = bears_fee or (taken > 0 and allowance.connect_fee)
        return Use(free_s=seconds - need, bears_fee=bears_fee)

    def _bucket(self, component: Component, allowance: Allowance, day: date) -> Bucket | None:
        buckets = self.by_period.get(state_name(component, allowance), {})
        begun = [start for start in buckets if start <= day]
        return buckets[max(begun)] if begun else None

    def states(self) -> Iterator[CarriedState]:
        """Yield what is left of each allowance, by the first date of its billing period, for calls that come late."""
        for name, buckets in self.by_period.items():
            kept = sorted(buckets)[-_KEPT_PERIODS:]
            yield CarriedState(
                scope=self.usage.agreement.code,
                name=name,
                period=self.usage.period,
                values={start.isoformat(): Fraction(buckets[start].left_s) for start in kept},
            )


def states_read(usage: AgreementUsage, component: Component) -> tuple[str, ...]:
    """Return the names of carried state that the prices of a component's calls rest on."""
    if not usage.state:  # of most agreements
        return ()
    names = (state_name(component, allowance) for allowance in component.params.allowances)
    return tuple(name for name in names if name in usage.state)


def state_name(component: Component, allowance: Allowance) -> str:
    """Return the name of the carried state of an allowance."""
    return f"allowance.{component.code}.{allowance.name}"


def buckets_of(usage: AgreementUsage) -> Buckets:
    """Return the full buckets of the billed period, and what the carried state says of earlier ones.

    Dates that were billed before, as those of an ended agreement for which late calls come in, are granted nothing again.
    """
    granted = _granted(usage)
    found: dict[str, dict[date, Bucket]] = {}
    for name, seconds in granted.items():
        state = usage.state.get(name)
        earlier = state.values if state is not None else {}
        found[name] = {date.fromisoformat(start): Bucket(int(left)) for start, left in earlier.items()}
        if state is None or state.period.end < usage.period.end:
            found[name][usage.period.start] = Bucket(seconds)
    return Buckets(usage=usage, by_period=found)


def _granted(usage: AgreementUsage) -> Mapping[str, int]:
    """Return the seconds of each allowance in the billed period.

    A prorated allowance is granted by the days of each plan version; another one as that of the plan versions that grants most.
    """
    prorated: dict[str, int] = {}
    whole: dict[str, int] = {}
    for tile in usage.tiles:
        for component in tile.plan.components:
            if component.model != MODEL:
                continue
            for allowance in component.params.allowances:
                name, full = state_name(component, allowance), allowance.minutes * _MINUTE
                if allowance.prorate:
                    part = full * tile.dates.days / usage.full_period.days
                    prorated[name] = prorated.get(name, 0) + divide(part.numerator, part.denominator, RoundingMode.DOWN)
                else:
                    seconds = divide(full.numerator, full.denominator, RoundingMode.DOWN)
                    whole[name] = max(whole.get(name, 0), seconds)
    return {name: prorated.get(name, 0) + whole.get(name, 0) for name in sorted({*prorated, *whole})}
