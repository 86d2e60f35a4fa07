"""The rater of the plugin: the entries of a group's matters in, lines, carried state and findings out."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from billing_framework import BillingGroup, CarriedState, Charge, Component, Finding, Rater, Rating, timezone
from billing_legal_timekeeping.arrangements.cap import Cap, apply_cap
from billing_legal_timekeeping.arrangements.discount import CourtesyDiscount, apply_discount
from billing_legal_timekeeping.arrangements.flat_fee import FlatFee, apply_flat_fee, covers
from billing_legal_timekeeping.arrangements.volume import VolumeDiscount, apply_volume_discount
from billing_legal_timekeeping.kinds import EXPENSE, TIME_ENTRY, Status, TimeEntry
from billing_legal_timekeeping.params import Expenses, Time
from billing_legal_timekeeping.rating.costs import cost_lines
from billing_legal_timekeeping.rating.fees import fee_lines
from billing_legal_timekeeping.rating.line import Line
from billing_legal_timekeeping.rating.matter import Arrangement, Matter
from billing_legal_timekeeping.rating.pick import EXPENSES, TIME, Picked, pick, sorted_by_day
from billing_legal_timekeeping.unpriceable import Unpriceable

_ARRANGEMENTS: Mapping[str, tuple[type, Arrangement]] = MappingProxyType(
    {
        "legal_timekeeping.flat_fee": (FlatFee, apply_flat_fee),
        "legal_timekeeping.cap": (Cap, apply_cap),
        "legal_timekeeping.courtesy_discount": (CourtesyDiscount, apply_discount),
        "legal_timekeeping.volume_discount": (VolumeDiscount, apply_volume_discount),
    }
)
"""Models that look at all lines, in the order in which the plan names them."""


@attrs.define
class _Outcome:
    """What the matters came to so far."""

    charges: list[Charge] = attrs.field(factory=list)
    state: list[CarriedState] = attrs.field(factory=list)
    unpriced: dict[int, str] = attrs.field(factory=dict)
    findings: list[Finding] = attrs.field(factory=list)


def rate(group: BillingGroup) -> Rating:
    """Price the entries of every matter of a group.

    Hours are rounded first, then priced, each line becomes whole minor units, and the arrangements of the plan look at all lines.
    An entry that cannot be priced holds the account; nothing is priced at zero or by the nearest row.
    """
    outcome = _Outcome()
    for usage in group.agreements:
        if usage.tiles:
            _rate_matter(Matter(account=group.account, usage=usage, plan=usage.tiles[-1].plan), outcome)
    return Rating(
        charges=tuple(outcome.charges),
        state=tuple(outcome.state),
        unpriced=outcome.unpriced,
        findings=tuple(outcome.findings),
    )


def _rate_matter(matter: Matter, outcome: _Outcome) -> None:
    usage = matter.usage
    fees, costs = _picked(matter, outcome)
    flat = [component for component in matter.plan.components if isinstance(component.params, FlatFee)]
    covered = frozenset(one.record.key for one in fees if any(covers(component, _task(one)) for component in flat))
    fee, fee_findings = fee_lines(fees, matter, covered=covered)
    cost, cost_findings = cost_lines(costs, matter)
    outcome.findings.extend([*fee_findings, *cost_findings])
    lines: tuple[Line, ...] = (*fee, *cost)
    for component in matter.plan.components:
        lines = _arranged(component, lines, matter, outcome)
    charged = {line.record for line in lines}
    for one in (*fees, *costs):
        if one.record.key not in charged:
            outcome.unpriced.setdefault(one.record.key, "held: it cannot be priced")
    outcome.charges.extend(line.charge(usage.agreement.code, matter.account.locale) for line in lines)


def _arranged(component: Component, lines: tuple[Line, ...], matter: Matter, outcome: _Outcome) -> tuple[Line, ...]:
    if component.model not in _ARRANGEMENTS:
        return lines
    arranged = _ARRANGEMENTS[component.model][1](component, lines, matter)
    outcome.findings.extend(arranged.findings)
    outcome.unpriced.update(arranged.unpriced)
    if arranged.state is not None:
        outcome.state.append(arranged.state)
    return arranged.lines


def _picked(matter: Matter, outcome: _Outcome) -> tuple[list[Picked], list[Picked]]:
    """Return time entries and expenses with what prices them; what is not billed at all is noted with its reason."""
    zone, usage = timezone(matter.account.zone), matter.usage
    picked: list[Picked] = []
    for record in usage.records:
        if record.assignment.agreement != usage.agreement.code:
            continue
        if record.usage.body.status is Status.NON_BILLABLE:
            outcome.unpriced[record.key] = "non-billable"
            continue
        try:
            picked.append(pick(usage, record, zone))
        except Unpriceable as error:
            outcome.findings.append(error.finding(record.usage.external_id))
            outcome.unpriced[record.key] = "held: it cannot be priced"
    ordered = sorted_by_day(picked)
    fees = [one for one in ordered if isinstance(one.record.usage.body, TimeEntry)]
    return fees, [one for one in ordered if not isinstance(one.record.usage.body, TimeEntry)]


def _task(one: Picked) -> str:
    entry: TimeEntry = one.record.usage.body
    return entry.task


RATER = Rater(
    name="legal_timekeeping",
    kinds=(TIME_ENTRY.name, EXPENSE.name),
    rate=rate,
    models={TIME: Time, EXPENSES: Expenses, **{name: params for name, (params, _) in _ARRANGEMENTS.items()}},
)
