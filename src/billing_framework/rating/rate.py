"""Rating a billing group: raters measure and charge, components price tile by tile, and nothing that was delivered is lost."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

import attrs

from billing_framework.rating.agreement_pricing import price_agreement
from billing_framework.rating.charge import Charge
from billing_framework.rating.contract import due_records, loose_parts, lost_records, named, rating_faults
from billing_framework.rating.group import BillingGroup
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rater import ColumnarRate, Rater
from billing_framework.rating.rating import Rating
from billing_framework.rating.shard_twin import LEFT
from billing_framework.rating.state import CarriedState
from billing_framework.rating.state_contract import twice
from billing_framework.rating.stored_records import kinds_of, of_kinds
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.foreign_code import MEND

_ONE_OF = 500
"""Of so many groups that a columnar twin rates, one is rated by the reference, too, and compared."""


@attrs.frozen(kw_only=True)
class Control:
    """The control totals of rating: ``records == priced + sum(unpriced) + sum(deferred) + lost``.

    Attributes:
        records: records that were to be rated.
        priced: records that a charge rests on.
        unpriced: reason to the number of records that carry no price for it.
        lost: records that nothing accounts for; above zero only where a finding holds the account.
        deferred: reason to the number of records that are left for a later bill for it.
        by_kind: usage kind to the number of its records among `records`.
    """

    records: int
    priced: int
    unpriced: Mapping[str, int]
    lost: int = 0
    deferred: Mapping[str, int] = attrs.field(factory=dict)
    by_kind: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RatedGroup:
    """What rating came to.

    Attributes:
        account: code of the account.
        charges: exact charges by agreement, place of the component in its plan, and date.
        state: new carried state.
        findings: problems; where one stops, the account is held and nothing of it is billed.
        unpriced: record key to the reason why it carries no price.
        deferred: record key to the reason why it is left for a later bill.
        billed: keys of the carried records that are billed, at a price or without one.
        control: control totals.
    """

    account: str
    charges: tuple[Charge, ...]
    state: tuple[CarriedState, ...]
    findings: tuple[Finding, ...]
    unpriced: Mapping[int, str]
    deferred: Mapping[int, str] = attrs.field(factory=dict)
    billed: tuple[int, ...] = ()
    control: Control

    @property
    def held(self) -> bool:
        """True where the account cannot be billed before somebody decides."""
        return any(finding.stops for finding in self.findings)


def rate_groups(groups: Sequence[BillingGroup], offers: RatingOffers) -> tuple[RatedGroup, ...]:
    """Return what `rate_group` returns for each of many groups; raters that have a columnar twin are asked once for all of them.

    A twin that fails, or whose answer for a group breaks the contract, is passed over: these groups are rated one by one by the
    reference. One of some hundred answers is compared with the reference's own; where it is another one, the reference rates all.
    So a fault costs time, and no money unless a twin is wrong now and then only.

    Args:
        groups: accounts with their agreements, records and state.
        offers: raters, charge models and settings of the deployment.
    """
    if sum([len(group.agreements) for group in groups]) > 1:
        offers = offers.for_several()
    ready: list[dict[str, Rating]] = [{} for _ in groups]
    due = [_due(group, offers) for group in groups]
    for rater in offers.raters:
        if rater.twin is not None and groups:
            for place, rating in _columns(rater, rater.twin, groups, due, offers):
                ready[place][rater.name] = rating
    return tuple(_rated(group, some, offers, ratings) for group, some, ratings in zip(groups, due, ready, strict=True))


def _columns(
    rater: Rater,
    rate_columns: ColumnarRate,
    groups: Sequence[BillingGroup],
    due: Sequence[Mapping[int, str]],
    offers: RatingOffers,
) -> Iterator[tuple[int, Rating]]:
    """Yield place and rating of the groups that the columnar twin of a rater has rated by the contract, or has spoilt."""
    own = tuple([_own(rater, group, offers) for group in groups])
    before = [loose_parts(group.agreements) for group in own]
    who = f"columnar twin of rater {rater.name!r}"
    ratings, failed = offers.attempt(lambda: tuple(rate_columns(own)), rater.name, who, "")
    if offers.kept[rater.name].put_back():
        failed = offers.broken(rater.name, f"{who} changed its settings", "")
    if failed is None and (ratings is None or len(ratings) != len(own)):
        failed = offers.broken(rater.name, f"{who} returned another number of ratings than it was given groups", "")
    if failed is not None:
        offers.watch.tell(_passed_over(failed))
        offers.watch.fell_back(rater.name, len(own))
    sound: dict[int, Rating] = {}
    for place, (group, given) in enumerate(zip(own, before, strict=True)):
        if loose_parts(group.agreements) != given:
            yield place, _spoilt(rater, f"{who} changed what it was given", group, offers)
        elif failed is None and ratings is not None and ratings[place] is not LEFT:
            check = partial(_fault, ratings[place], group, _due_of(rater, due[place]), offers)
            fault, raised = offers.attempt(check, rater.name, who, group.account.code)
            if fault == "":
                sound[place] = ratings[place]
            else:
                broken = raised or offers.broken(rater.name, f"{who} {fault}", group.account.code)
                offers.watch.tell(_passed_over(broken))
                offers.watch.fell_back(rater.name, 1)
    for place in list(sound)[::_ONE_OF]:
        if differs := _differs(rater, own[place], sound[place], who, offers):
            offers.watch.tell(_passed_over(differs))
            offers.watch.fell_back(rater.name, len(sound))
            return
    yield from sound.items()


def _differs(rater: Rater, group: BillingGroup, rating: Rating, who: str, offers: RatingOffers) -> Finding | None:
    """Return what is told where a twin rates a group otherwise than the reference does."""
    account = group.account.code
    same, failed = offers.attempt(partial(operator.eq, rating, _rating(rater, group, offers)), rater.name, who, account)
    if same is True:
        return None
    return failed or offers.broken(rater.name, f"{who} rates account {account} otherwise than its reference", account)


def _passed_over(failed: Finding) -> Finding:
    """Return what is told about a twin that failed: nothing is held for it, as the reference rates instead."""
    what = f"{failed.what}; the reference rates instead"
    return attrs.evolve(failed, severity=Severity.INFORMATION, what=what, remedy="Report it to the author of the plugin")


def _spoilt(rater: Rater, what: str, group: BillingGroup, offers: RatingOffers) -> Rating:
    return Rating(findings=(offers.broken(rater.name, what, group.account.code),))


def _due_of(rater: Rater, due: Mapping[int, str]) -> Mapping[int, str]:
    return {key: kind for key, kind in due.items() if kind in rater.kinds}


def _fault(rating: Rating, group: BillingGroup, due: Mapping[int, str], offers: RatingOffers) -> str:
    """Return in what way the rating of a twin breaks the contract, in words that follow "the twin ...", or an empty text."""
    fault = next(rating_faults(rating, group), "")
    return fault or ("accounts for records nowhere" if lost_records(rating, due, offers.carried_kinds) else "")


def rate_group(group: BillingGroup, offers: RatingOffers) -> RatedGroup:
    """Return the charges of one billing group: its raters' and its components', checked against the contract.

    A rater or model that fails, or breaks the contract, holds the account with a finding that names its plugin; nothing that a
    plugin does stops the run.

    Args:
        group: the account with its agreements, records and state.
        offers: raters, charge models and settings of the deployment.
    """
    return _rated(group, _due(group, offers), offers, {})


def _rated(group: BillingGroup, due: Mapping[int, str], offers: RatingOffers, done: Mapping[str, Rating]) -> RatedGroup:
    """Return what a group comes to.

    Args:
        group: the group.
        due: key of each of its records that are due to its kind.
        offers: raters, charge models and settings of the deployment.
        done: ratings by rater that a columnar twin has made and that were checked; the others are asked now.
    """
    ratings = [done.get(rater.name) or _rating(rater, group, offers) for rater in offers.raters]
    findings = [*_unrated(group, offers), *(finding for rating in ratings for finding in rating.findings)]
    priced = [price_agreement(group, usage, ratings, offers) for usage in group.agreements]
    findings.extend(finding for one in priced for finding in one.findings)
    charges = tuple(charge for one in priced for charge in one.charges)
    findings.extend(_doubled(charges, ratings, group, offers))
    unpriced = {key: reason for rating in ratings for key, reason in rating.unpriced.items()}
    for one in priced:
        unpriced.update(one.unpriced)
    deferred = {key: reason for rating in ratings for key, reason in rating.deferred.items() if key in due}
    states = (*(state for rating in ratings for state in rating.state), *(state for one in priced for state in one.state))
    findings.extend(_carried_twice(states, ratings, group, offers))
    return RatedGroup(
        account=group.account.code,
        charges=charges,
        state=states,
        findings=tuple(findings),
        unpriced=unpriced,
        deferred=deferred,
        billed=tuple(sorted([key for key, kind in due.items() if kind in offers.carried_kinds and key not in deferred])),
        control=_control(due, charges, unpriced, deferred),
    )


def _due(group: BillingGroup, offers: RatingOffers) -> Mapping[int, str]:
    return due_records(group, offers.divisible_kinds, offers.carried_kinds)


def _own(rater: Rater, group: BillingGroup, offers: RatingOffers) -> BillingGroup:
    """Return a group as a rater sees it: the records of its kinds, the settings of its plugin."""
    agreements = []
    for usage in group.agreements:
        records = of_kinds(usage.records, rater.kinds)
        agreements.append(usage if records is usage.records else attrs.evolve(usage, records=records))
    return attrs.evolve(group, agreements=tuple(agreements), settings=offers.settings_of(rater.name))


def _rating(rater: Rater, group: BillingGroup, offers: RatingOffers) -> Rating:
    own = _own(rater, group, offers)
    who = f"rater {rater.name!r}"
    before = loose_parts(own.agreements)
    rating, failed = offers.attempt(lambda: rater.rate(own), rater.name, who, group.account.code)
    if offers.kept[rater.name].put_back():
        return _spoilt(rater, f"{who} changed its settings", group, offers)
    if loose_parts(own.agreements) != before:
        return _spoilt(rater, f"{who} changed what it was given", group, offers)
    if failed is not None:
        return Rating(findings=(failed,))
    # A result of wrong types may also fail while it is looked at, so the check is under the same guard as the call.
    faults, failed = offers.attempt(lambda: list(rating_faults(rating, own)), rater.name, who, group.account.code)
    if failed is not None:
        return Rating(findings=(failed,))
    if faults or rating is None:
        return Rating(findings=tuple(offers.broken(rater.name, f"{who} {fault}", group.account.code) for fault in faults or ()))
    lost = lost_records(rating, _due(own, offers), offers.carried_kinds)
    if not lost:
        return rating
    missing = {one.key: one for usage in own.agreements for one in usage.records if one.key in lost}
    finding = Finding(
        code="RATE02",
        what=f"{who} of {offers.plugin(rater.name)} accounts for {len(lost)} records nowhere: {named(list(missing.values()))}",
        remedy=MEND,
        subject=group.account.code,
    )
    return attrs.evolve(rating, findings=(*rating.findings, finding))


def _unrated(group: BillingGroup, offers: RatingOffers) -> Iterator[Finding]:
    kinds = {kind for usage in group.agreements for kind in kinds_of(usage.records)}
    for kind in sorted(kinds.difference(*[rater.kinds for rater in offers.raters])):
        yield Finding(
            code="RATE09",
            what=f"no rater rates usage of the kind {kind!r}",
            remedy="Enable the plugin that offers the kind",
            subject=group.account.code,
            value=kind,
        )


def _doubled(
    charges: Iterable[Charge], ratings: Sequence[Rating], group: BillingGroup, offers: RatingOffers
) -> Iterator[Finding]:
    keys = [charge.natural_key for charge in charges]
    if len(set(keys)) == len(keys):
        return
    for key, count in Counter(keys).items():
        if count > 1:
            agreement, component = key.split("|")[:2]
            by_raters = [
                offers.plugin(rater.name)
                for rater, rating in zip(offers.raters, ratings, strict=True)
                for charge in rating.charges
                if charge.natural_key == key
            ]
            by_model = [_priced_by(agreement, component, group, offers)] if len(by_raters) < count else []
            plugins = ", ".join(dict.fromkeys([*by_raters, *by_model]))
            yield Finding(
                code="RATE04",
                what=f"{count} charges have the key {key} (plugin {plugins})",
                remedy="Let the rater or model name what tells them apart as the charge's source",
                subject=agreement,
                value=key,
            )


def _carried_twice(
    states: Collection[CarriedState], ratings: Sequence[Rating], group: BillingGroup, offers: RatingOffers
) -> Iterator[Finding]:
    """Yield a finding for each state that a rater returns and another rater or a component, too; the last such rater is named."""
    for scope, name in twice(states):
        writers = [
            rater.name
            for rater, rating in zip(offers.raters, ratings, strict=True)
            if any((state.scope, state.name) == (scope, name) for state in rating.state)
        ]
        what = f"rater {writers[-1]!r} returned the state {name!r} of {scope!r}, which another rater or a component carries on"
        yield offers.broken(writers[-1], what, group.account.code)


def _priced_by(agreement: str, component: str, group: BillingGroup, offers: RatingOffers) -> str:
    """Return the name of the plugin whose model prices a component."""
    tiles = [tile for usage in group.agreements if usage.agreement.code == agreement for tile in usage.tiles]
    models = [one.model for tile in tiles for one in tile.plan.components if one.code == component]
    return offers.plugin((models or [""])[0])


def _control(
    due: Mapping[int, str], charges: Collection[Charge], unpriced: Mapping[int, str], deferred: Mapping[int, str]
) -> Control:
    keys = set(due)
    priced = keys & set[int]().union(*[charge.records for charge in charges])
    rest = keys - priced
    free = {key: reason for key, reason in unpriced.items() if key in rest} if rest else {}
    left = rest - free.keys()
    waiting = {key: reason for key, reason in deferred.items() if key in left} if left else {}
    return Control(
        records=len(keys),
        priced=len(priced),
        unpriced=_counted(free.values()),
        deferred=_counted(waiting.values()),
        lost=len(left) - len(waiting),
        by_kind=_counted(due.values()),
    )


def _counted(texts: Collection[str]) -> dict[str, int]:
    """Return how often each text is there, in order; nearly always there are none, or one text only."""
    different = set(texts)
    return dict(sorted(Counter(texts).items())) if len(different) > 1 else dict.fromkeys(different, len(texts))
