"""The rater of the plugin: readings of a billing group in, measures, carried reads and findings out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from billing_framework import (
    AgreementUsage,
    BillingGroup,
    CarriedState,
    Finding,
    KeyedUsage,
    Measure,
    Rater,
    Rating,
    ShardTwin,
    timezone,
)
from billing_utility_metering.kinds import INTERVAL_DAY, REGISTER_READ, REGISTER_SPAN, Flow
from billing_utility_metering.rating.contribution import Context, Contribution, Window, point_problem
from billing_utility_metering.rating.intervals import measure_intervals
from billing_utility_metering.rating.measures import NAMES, is_ours, measures_of
from billing_utility_metering.rating.registers import measure_registers
from billing_utility_metering.rating.spans import measure_spans
from billing_utility_metering.settings import UtilitySettings

if TYPE_CHECKING:
    from billing_framework import RatedColumns, UsageColumns

_SORTS = {"intervals": INTERVAL_DAY.name, "spans": REGISTER_SPAN.name, "reads": REGISTER_READ.name}


@attrs.define
class _Outcome:
    """What the agreements came to so far."""

    measures: list[Measure] = attrs.field(factory=list)
    state: list[CarriedState] = attrs.field(factory=list)
    unpriced: dict[int, str] = attrs.field(factory=dict)
    findings: list[Finding] = attrs.field(factory=list)


def rate(group: BillingGroup) -> Rating:
    """Measure the consumption of every agreement of a group.

    Where a point has several sorts of data for the same dates, the finest is billed: intervals, else the source's spans, else
    register reads; the others are told as unpriced. What is missing holds the account; nothing is estimated in silence.
    """
    settings = group.settings if isinstance(group.settings, UtilitySettings) else UtilitySettings()
    outcome = _Outcome()
    for usage in group.agreements:
        context = Context(usage=usage, zone=timezone(group.account.zone), locale=group.account.locale, settings=settings)
        _rate_agreement(context, outcome)
    return Rating(
        measures=tuple(outcome.measures),
        state=tuple(outcome.state),
        unpriced=outcome.unpriced,
        findings=tuple(outcome.findings),
    )


def _rate_agreement(context: Context, outcome: _Outcome) -> None:
    usage, found = context.usage, list[Contribution]()
    problems: list[Finding] = []
    is_priced = any(is_ours(component.measure) for tile in usage.tiles for component in tile.plan.components)
    subjects = sorted({assignment.subject for assignment in usage.assignments})
    for subject in subjects:
        for window in context.windows(subject):
            contributions, state, findings = _measure_window(context, subject, window)
            if not contributions and not findings and is_priced:
                findings = [_no_readings(subject, window)]
            found.extend(contributions)
            outcome.state.extend(state)
            problems.extend(findings)
    if is_priced and not subjects:
        code = usage.agreement.code
        what = "the plan prices consumption, but no usage point is assigned to the agreement"
        problems.append(point_problem("UTIL20", code, what, "Assign the point, or choose a plan without consumption"))
    measures, mixed = measures_of(context, found)
    outcome.measures.extend(measures)
    outcome.findings.extend([*problems, *mixed])
    named = {key for measure in measures for key in measure.records}
    outcome.unpriced.update(
        {record.key: reason for record, reason in _unpriced(usage, found, held=bool(problems)) if record.key not in named}
    )


def _no_readings(subject: str, window: Window) -> Finding:
    what, remedy = f"there are no readings for {window.dates}", "Take in the data, or end the point's assignment"
    return point_problem("UTIL20", subject, what, remedy)


def _measure_window(
    context: Context, subject: str, window: Window
) -> tuple[list[Contribution], list[CarriedState], list[Finding]]:
    """Return what the finest data of a window come to."""
    if window.data and window.data not in _SORTS:
        what = f"the assignment says data = {window.data!r}"
        return [], [], [point_problem("UTIL26", subject, what, f"Write one of {', '.join(_SORTS)}, or leave it out")]
    if window.data in {"", "intervals"}:
        contributions, findings = measure_intervals(context, subject, window.dates)
        if contributions or findings or window.data:
            return contributions, [], findings
    if window.data in {"", "spans"}:
        contributions, findings = measure_spans(context, subject, window.dates)
        if contributions or findings or window.data:
            return contributions, [], findings
    if not context.records(REGISTER_READ.name, subject):
        return [], [], []
    outcome = measure_registers(context, subject, window.dates)
    return outcome.contributions, outcome.state, outcome.findings


def _unpriced(usage: AgreementUsage, found: list[Contribution], *, held: bool) -> Iterator[tuple[KeyedUsage, str]]:
    """Yield every record with the reason why it would carry no price."""
    used = {key for one in found for key in one.records}
    for record in usage.records:
        if record.key in used:
            yield record, "held with its agreement"
        elif record.usage.body.flow is Flow.OTHER:
            yield record, "its channel counts no consumption"
        else:
            yield record, "held with its point" if held else "finer data of the point, or reads around it, are billed"


def rate_shard(columns: UsageColumns) -> RatedColumns:
    """Measure the interval values of a shard as columns."""
    from billing_utility_metering.rating.interval_columns import rated_intervals  # noqa: PLC0415  numpy, only where it is used

    return rated_intervals(columns)


TWIN = ShardTwin(
    kind=INTERVAL_DAY,
    fields=("channel", "meter", "unit", "flow", "interval_seconds", "scale", "values", "missing", "qualities"),
    rate=rate_shard,
)

RATER = Rater(
    name="utility_metering",
    kinds=tuple(_SORTS.values()),
    rate=rate,
    shard=TWIN,
    measures=tuple(form for name in NAMES.values() for form in (name, f"{name}.*")),
)
