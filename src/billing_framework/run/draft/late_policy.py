"""What a price plan says about late usage, and how a run tells what it does not bill."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import timedelta

import attrs

from billing_framework.rating.price_plan import LateUsage, PlanVersion
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, LateInput
from billing_framework.storage.billing.run_rows import HoldEvidence
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import DateSpan

HELD, TO_REBILL = "LATE03", "LATE04"
LATE_USAGE = "late_usage"
"""Name of the check that holds an account whose plan says that an officer decides about late usage."""


def late_holds(inputs: Iterable[BillInput]) -> dict[str, HoldEvidence]:
    """Return by account why it is held for late usage, where its plan leaves the decision to an officer."""
    holds = {}
    for given in inputs:
        told = [finding for finding in given.findings if finding.code in (HELD, TO_REBILL)]
        if told:
            facts = {"documents": ", ".join(finding.value for finding in told)}
            finding = attrs.evolve(told[0], severity=Severity.ISSUE)
            holds[given.account.code] = HoldEvidence(check=LATE_USAGE, finding=finding, facts=facts)
    return holds


def policy_of(one: AgreementInput, plans: Mapping[str, PlanVersion]) -> LateUsage:
    """Return the policy for late usage of an agreement in a billed period.

    Args:
        one: the agreement as it was billed.
        plans: all plan versions by ``code@version``.
    """
    plan = _plan(one, plans)
    return LateUsage.LIST if plan is None else plan.late_usage


def _plan(one: AgreementInput, plans: Mapping[str, PlanVersion]) -> PlanVersion | None:
    """Return the version of the agreement's plan that is known now for the end of the period: policies may be stated later."""
    if not one.tiles:
        return None
    code, last = one.tiles[-1].plan.rpartition("@")[0], one.period.last
    versions = [
        plan
        for plan in plans.values()
        if plan.code == code and plan.valid_from <= last and (plan.valid_to is None or last < plan.valid_to)
    ]
    corrected = {plan.supersedes for plan in versions}
    standing = [plan for plan in versions if plan.version not in corrected]
    return max(standing, key=lambda plan: (plan.valid_from, plan.version), default=None)


def told_instead(
    late: LateInput,
    policy: LateUsage,
    changed: Collection[str],
    plans: Mapping[str, PlanVersion],
    period: DateSpan,
) -> Finding | None:
    """Return what is told about late usage that a run does not bill; None where it does, or where the plan lists it only.

    Args:
        late: the billed period as it was billed.
        policy: policy of the agreements.
        changed: their codes.
        plans: all plan versions by ``code@version``.
        period: the period of the run.
    """
    stated = [_plan(one, plans) for one in late.before if one.agreement.code in changed]
    days = min((plan.late_usage_days for plan in stated if plan is not None), default=0)
    code, what, remedy = "", f"usage of {late.period} has come or changed since {late.document} was issued", ""
    if policy is LateUsage.LIST:
        return None
    if late.period.end <= period.start - timedelta(days=days):
        code, what = "LATE02", f"{what}, longer ago than the {days} days that the plan bills back"
        remedy = f"Bill it anew where it shall count: billing invoice rebill {late.document}"
    elif policy is LateUsage.HOLD:
        code = HELD
        remedy = f"Bill it anew: billing invoice rebill {late.document}; or release the draft with the reason"
    elif policy is LateUsage.CREDIT_REBILL:
        code = TO_REBILL
        remedy = "Bill it anew with all others of the run: billing run rebill-late, then start the run again"
    if not code:
        return None
    return Finding(
        code=code, severity=Severity.INFORMATION, what=what, remedy=remedy, subject=late.account.code, value=late.document
    )
