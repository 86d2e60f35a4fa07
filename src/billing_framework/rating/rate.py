"""Rating a billing group: raters measure and charge, components price tile by tile, and nothing that was delivered is lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import attrs

from billing_framework.rating.agreement_pricing import price_agreement
from billing_framework.rating.charge import Charge
from billing_framework.rating.contract import due_records, lost_records, named, rating_faults
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rater import BillingGroup, Rater, Rating
from billing_framework.rating.state import CarriedState
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class Control:
    """The control totals of rating: ``records == priced + sum(unpriced) + lost``.

    Attributes:
        records: records that were to be rated.
        priced: records that a charge rests on.
        unpriced: reason to the number of records that carry no price for it.
        lost: records that nothing accounts for; above zero only where a finding holds the account.
    """

    records: int
    priced: int
    unpriced: Mapping[str, int]
    lost: int = 0


@attrs.frozen(kw_only=True)
class RatedGroup:
    """What rating came to.

    Attributes:
        account: code of the account.
        charges: exact charges by agreement, place of the component in its plan, and date.
        state: new carried state.
        findings: problems; where one stops, the account is held and nothing of it is billed.
        unpriced: record key to the reason why it carries no price.
        control: control totals.
    """

    account: str
    charges: tuple[Charge, ...]
    state: tuple[CarriedState, ...]
    findings: tuple[Finding, ...]
    unpriced: Mapping[int, str]
    control: Control

    @property
    def held(self) -> bool:
        """True where the account cannot be billed before somebody decides."""
        return any(finding.stops for finding in self.findings)


def rate_group(group: BillingGroup, offers: RatingOffers) -> RatedGroup:
    """Return the charges of one billing group: its raters' and its components', checked against the contract.

    A rater or model that fails, or breaks the contract, holds the account with a finding that names its plugin; nothing that a
    plugin does stops the run.

    Args:
        group: the account with its agreements, records and state.
        offers: raters, charge models and settings of the deployment.
    """
    ratings = [_rating(rater, group, offers) for rater in offers.raters]
    findings = [*_unrated(group, offers), *(finding for rating in ratings for finding in rating.findings)]
    priced = [price_agreement(group, usage, ratings, offers) for usage in group.agreements]
    findings.extend(finding for one in priced for finding in one.findings)
    charges = tuple(charge for one in priced for charge in one.charges)
    findings.extend(_doubled(charges))
    unpriced = {key: reason for rating in ratings for key, reason in rating.unpriced.items()}
    for one in priced:
        unpriced.update(one.unpriced)
    return RatedGroup(
        account=group.account.code,
        charges=charges,
        state=(*(state for rating in ratings for state in rating.state), *(state for one in priced for state in one.state)),
        findings=tuple(findings),
        unpriced=unpriced,
        control=_control({record.key for record in due_records(group, offers.divisible_kinds)}, charges, unpriced),
    )


def _rating(rater: Rater, group: BillingGroup, offers: RatingOffers) -> Rating:
    own = attrs.evolve(
        group,
        agreements=tuple(
            attrs.evolve(usage, records=tuple(one for one in usage.records if one.usage.kind in rater.kinds))
            for usage in group.agreements
        ),
        settings=offers.settings_of(rater.name),
    )
    who = f"rater {rater.name!r}"
    rating, failed = offers.attempt(lambda: rater.rate(own), rater.name, who, group.account.code)
    if failed is not None:
        return Rating(findings=(failed,))
    # A result of wrong types may also fail while it is looked at, so the check is under the same guard as the call.
    faults, failed = offers.attempt(lambda: list(rating_faults(rating, own)), rater.name, who, group.account.code)
    if failed is not None:
        return Rating(findings=(failed,))
    if faults or rating is None:
        return Rating(findings=tuple(offers.broken(rater.name, f"{who} {fault}", group.account.code) for fault in faults or ()))
    lost = lost_records(rating, due_records(own, offers.divisible_kinds))
    if not lost:
        return rating
    finding = Finding(
        code="RATE02",
        what=f"{who} of {offers.plugin(rater.name)} accounts for {len(lost)} records nowhere: {named(lost)}",
        remedy="Report it to the author of the plugin",
        subject=group.account.code,
    )
    return attrs.evolve(rating, findings=(*rating.findings, finding))


def _unrated(group: BillingGroup, offers: RatingOffers) -> Iterator[Finding]:
    rated = {kind for rater in offers.raters for kind in rater.kinds}
    for kind in sorted({record.usage.kind for usage in group.agreements for record in usage.records} - rated):
        yield Finding(
            code="RATE09",
            what=f"no rater rates usage of the kind {kind!r}",
            remedy="Enable the plugin that offers the kind",
            subject=group.account.code,
            value=kind,
        )


def _doubled(charges: Iterable[Charge]) -> Iterator[Finding]:
    for key, count in Counter(charge.natural_key for charge in charges).items():
        if count > 1:
            yield Finding(
                code="RATE04",
                what=f"{count} charges have the key {key}",
                remedy="Let the rater or model name what tells them apart as the charge's source",
                subject=key.split("|", maxsplit=1)[0],
                value=key,
            )


def _control(due: set[int], charges: Iterable[Charge], unpriced: Mapping[int, str]) -> Control:
    priced = {key for charge in charges for key in charge.records} & due
    free = {key: reason for key, reason in unpriced.items() if key in due - priced}
    return Control(
        records=len(due),
        priced=len(priced),
        unpriced=dict(sorted(Counter(free.values()).items())),
        lost=len(due) - len(priced) - len(free),
    )
