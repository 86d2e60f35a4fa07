"""Divides what one account is charged among the accounts whose documents bear it."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from billing_framework.accounts.share import Share
from billing_framework.rating.charge import Charge
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate import RatedGroup
from billing_framework.rating.shares import share_charges
from billing_framework.rating.state import CarriedState
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class Parted:
    """The charges of one account, by who bears them.

    Attributes:
        account: code of the account that was served.
        parts: code of each account whose document bears charges, to these charges.
        bearers: codes of the accounts whose documents bear charges, or may bear them once what stops the account is mended.
        keeper: code of the account whose document hands on the carried state of the agreements and says that their records are
            billed: once for all payers.
        state: new carried state of its agreements.
        findings: problems of the input, of rating and of the shares.
    """

    account: str
    parts: Mapping[str, tuple[Charge, ...]]
    bearers: tuple[str, ...]
    keeper: str
    state: tuple[CarriedState, ...]
    findings: tuple[Finding, ...]

    def of(self, account: str) -> tuple[Charge, ...]:
        """Return the charges that the document of an account bears."""
        return self.parts.get(account, ())


def part_charges(given: BillInput, rated: RatedGroup, plans: Mapping[str, PlanVersion]) -> Parted:
    """Return the charges of one account by the accounts whose documents bear them.

    A share of an account that another one pays for goes on the document of that one.

    Args:
        given: its manifest, with the shares of its agreements.
        rated: what rating came to.
        plans: plan versions by ``code@version``.
    """
    account = given.account
    findings = [*given.findings, *rated.findings]
    shares = [share for one in given.agreements for share in one.shares]
    parts: dict[str, list[Charge]] = {}
    try:
        shared = share_charges([*rated.charges, *given.charges], shares, plans, payer=given.payer, locale=account.locale)
    except ValueRefused as refused:
        findings.append(Finding(code=refused.code, what=refused.what, remedy=refused.remedy, subject=account.code))
        shared = ()
    for one in shared:
        parts.setdefault(given.bearers.get(one.payer, one.payer), []).append(one.charge)
    bearers = set(parts)
    if any(finding.stops for finding in findings):
        bearers = {given.payer, *(given.bearers.get(share.payer, share.payer) for share in shares if _present(share, given))}
    return Parted(
        account=account.code,
        parts={bearer: tuple(charges) for bearer, charges in sorted(parts.items())},
        bearers=tuple(sorted(bearers)),
        keeper=given.payer if given.payer in parts or not parts else min(parts),
        state=rated.state,
        findings=tuple(findings),
    )


def _present(share: Share, given: BillInput) -> bool:
    return share.ends_on is None or share.ends_on > given.period.start
