"""The rater: calls of a billing group in, charges by destination out; `rate` is the reference, `rate_shard` its fast twin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from billing_framework import BillingGroup, CarriedState, Finding, Rater, Rating, Severity, ShardTwin
from billing_telecom_usage.kinds import CALL
from billing_telecom_usage.rating.allowances import Buckets, Use, buckets_of, states_read
from billing_telecom_usage.rating.lines import RatedCall, charges_of
from billing_telecom_usage.rating.price import settled
from billing_telecom_usage.rating.quoting import quoted
from billing_telecom_usage.rating.sorting import Task, Unpriced, Unrated, sorted_calls
from billing_telecom_usage.rating.tariff import MODEL, CallPricing
from billing_telecom_usage.settings import NoRate, TelecomSettings

if TYPE_CHECKING:
    from billing_framework import RatedColumns, UsageColumns

_SHOWN_DIGITS = 6
_MOST_TOLD = 20
_NOTHING = Use(free_s=0, bears_fee=False)


def rate(group: BillingGroup) -> Rating:
    """Return the charges of the calls of one billing group: the reference, one call at a time."""
    return _rated(group, sorted_calls(group))


def rate_shard(columns: UsageColumns) -> RatedColumns:
    """Rate the calls of a shard as columns."""
    from billing_telecom_usage.rating.shard import rated_calls  # noqa: PLC0415  numpy, only where columns are used

    return rated_calls(columns)


TWIN = ShardTwin(
    kind=CALL,
    fields=(
        "a_number",
        "b_number",
        "b_class",
        "direction",
        "answered_at",
        "duration_seconds",
        "billed_seconds",
        "continuation",
    ),
    rate=rate_shard,
)

RATER = Rater(
    name="telecom_usage",
    kinds=(CALL.name,),
    rate=rate,
    models={MODEL: CallPricing},
    shard=TWIN,
)


@attrs.define
class _Pricing:
    """One billing group being priced."""

    group: BillingGroup
    settings: TelecomSettings
    buckets: Mapping[str, Buckets]
    rated: list[RatedCall] = attrs.field(factory=list)
    unrated: list[Unrated] = attrs.field(factory=list)

    def price(self, task: Task) -> None:
        """Note the price of a call, or that there is none."""
        quote = quoted(task, self.group.account.zone, self.group.holidays)
        if quote is None:
            number = task.call.b_number
            shown = number[:_SHOWN_DIGITS] + ("…" if len(number) > _SHOWN_DIGITS else "")
            what = f"deck {task.deck.name} has no price for numbers that begin with {shown}"
            self.unrated.append(Unrated(record=task.record, usage=task.usage, on=task.local.date(), code="TEL10", what=what))
            return
        use = _NOTHING
        if task.params.allowances and quote.price.billed_s:
            buckets = self.buckets[task.usage.agreement.code]
            use = buckets.cover(task.component, task.call.b_number, quote.price.billed_s, task.local.date())
        amount = settled(
            quote.price,
            free_s=use.free_s,
            fee_when_covered=use.bears_fee,
            rates=quote.rates,
            places=task.params.places,
            mode=task.params.mode,
        )
        self.rated.append(
            RatedCall(
                key=task.record.key,
                usage=task.usage,
                tile=task.tile,
                component=task.component,
                deck=task.deck.name,
                billed=task.billed,
                local=task.local,
                number=task.call.other_number,
                seconds=task.seconds,
                row=quote.row,
                billed_s=quote.price.billed_s,
                free_s=use.free_s,
                amount=amount,
            )
        )

    def findings(self) -> Iterator[Finding]:
        """Yield what keeps calls from being priced, each cause once, the first of them by name."""
        severity = Severity.ISSUE if self.settings.no_rate is NoRate.HOLD else Severity.INFORMATION
        causes: dict[tuple[str, str, str], int] = {}
        for one in self.unrated:
            cause = (one.usage.agreement.code, one.code, one.what)
            causes[cause] = causes.get(cause, 0) + 1
        for (agreement, code, what), count in list(causes.items())[:_MOST_TOLD]:
            calls = f"{count} calls have no price" if count > 1 else "a call has no price"
            yield Finding(code=code, severity=severity, what=f"{calls}: {what}", remedy=_REMEDIES[code], subject=agreement)


_REMEDIES: Mapping[str, str] = {
    "TEL10": "Load a version of the deck that has the prefix, then start the run again",
    "TEL11": "Load the deck for these dates, then start the run again",
    "TEL12": "Load a plan version that prices these calls, then start the run again",
}


def _rated(group: BillingGroup, items: Iterable[Task | Unpriced | Unrated]) -> Rating:
    settings = group.settings if isinstance(group.settings, TelecomSettings) else TelecomSettings()
    buckets = {usage.agreement.code: buckets_of(usage) for usage in group.agreements}
    pricing = _Pricing(group, settings, buckets)
    unpriced: dict[int, str] = {}
    for one in items:
        match one:
            case Task():
                pricing.price(one)
            case Unpriced():
                unpriced[one.key] = one.reason
            case Unrated():
                pricing.unrated.append(one)
    charges = charges_of(
        pricing.rated,
        locale=group.account.locale,
        hidden_digits=settings.hidden_digits,
        state_read=states_read,
    )
    return Rating(
        charges=tuple(charges),
        state=tuple(_states(buckets)),
        unpriced=unpriced,
        deferred={one.record.key: f"no rate ({one.code})" for one in pricing.unrated},
        findings=tuple(pricing.findings()),
    )


def _states(buckets: Mapping[str, Buckets]) -> Iterator[CarriedState]:
    for one in buckets.values():
        yield from one.states()
