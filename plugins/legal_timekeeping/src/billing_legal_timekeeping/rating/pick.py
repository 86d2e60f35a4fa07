"""Which component of which plan version prices an entry: the first that takes it, of the version in force on its day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from zoneinfo import ZoneInfo

import attrs

from billing_framework import AgreementUsage, Component, Finding, KeyedUsage, PlanVersion, RateTable, Severity
from billing_legal_timekeeping.codes_in_use import UnknownCodes, codes_in_use
from billing_legal_timekeeping.kinds import Expense, TimeEntry
from billing_legal_timekeeping.params import CodeRules, Expenses, Time, takes
from billing_legal_timekeeping.tables import CodeSort
from billing_legal_timekeeping.unpriceable import Unpriceable

TIME = "legal_timekeeping.time"
EXPENSES = "legal_timekeeping.expenses"


@attrs.frozen(kw_only=True)
class Picked:
    """An entry with what prices it.

    Attributes:
        record: the record.
        day: date of the work, in the account's zone.
        plan: the plan version in force on it.
        component: the component that takes it.
    """

    record: KeyedUsage
    day: date
    plan: PlanVersion
    component: Component


def pick(usage: AgreementUsage, record: KeyedUsage, zone: ZoneInfo) -> Picked:
    """Return what prices an entry.

    Raises:
        Unpriceable: ``LEGAL18`` where no plan version holds on its day, ``LEGAL15`` where no component takes it.
    """
    day = record.usage.start.astimezone(zone).date()
    tile = usage.tile_at(day)
    if tile is None:
        raise Unpriceable(
            "LEGAL18", f"no plan is in force on {day}", remedy="Load a plan version for the date, or correct the date"
        )
    for component in tile.plan.components:
        if _takes(component, record.usage.body):
            return Picked(record=record, day=day, plan=tile.plan, component=component)
    body = record.usage.body
    code = body.task if isinstance(body, TimeEntry) else body.code
    raise Unpriceable(
        "LEGAL15",
        f"no component of {tile.plan.name} takes the entry (code {code or 'none'})",
        remedy=f"Add a component {TIME if isinstance(body, TimeEntry) else EXPENSES} to the plan, or correct the code",
    )


def _takes(component: Component, body: object) -> bool:
    params = component.params
    if isinstance(body, TimeEntry) and isinstance(params, Time):
        return takes(params.tasks, body.task) and takes(params.activities, body.activity)
    if isinstance(body, Expense) and isinstance(params, Expenses):
        return takes(params.expense_codes, body.code) and params.cost in {None, body.cost}
    return False


def table_for(usage: AgreementUsage, code: str, picked: Picked) -> RateTable:
    """Return the version of a rate table that prices an entry's day.

    Raises:
        Unpriceable: ``LEGAL14`` where there is none, ``LEGAL19`` where it is in another currency than the plan.
    """
    table = usage.table(code, picked.day)
    if table is None:
        raise Unpriceable(
            "LEGAL14",
            f"no version of the rate table {code!r} holds on {picked.day}",
            remedy="Load a version: billing rate-table load",
        )
    if table.currency not in {"", picked.plan.currency}:
        what = f"the rate table {table.name} is in {table.currency}, the plan {picked.plan.name} in {picked.plan.currency}"
        raise Unpriceable("LEGAL19", what, remedy="Name a table in the plan's currency")
    return table


def shown_codes(
    usage: AgreementUsage, picked: Picked, rules: CodeRules, codes: Mapping[CodeSort, str]
) -> tuple[dict[CodeSort, str], tuple[Finding, ...]]:
    """Return the codes of an entry as a bill shows them, and what stands against them.

    Args:
        usage: the agreement.
        picked: the entry.
        rules: which codes may be used.
        codes: the entry's codes by their sort; the first is the one that `CodeRules.required` is about.
    """
    table = table_for(usage, rules.table, picked) if rules.table else None
    known = codes_in_use(rules.sets, table, picked.day)
    shown = {sort: known.shown(sort, code) for sort, code in codes.items() if code}
    if rules.unknown is UnknownCodes.IGNORE:
        return shown, ()
    severity = Severity.ISSUE if rules.unknown is UnknownCodes.HOLD else Severity.INFORMATION
    findings: list[Finding] = []
    for place, (sort, code) in enumerate(codes.items()):
        if code and not known.knows(sort, code):
            findings.append(_code_finding(picked, severity, f"the {sort.value} code is in no set that the plan allows", code))
        elif not code and rules.required and place == 0:
            findings.append(_code_finding(picked, severity, f"the entry has no {sort.value} code", ""))
    return shown, tuple(findings)


def _code_finding(picked: Picked, severity: Severity, what: str, code: str) -> Finding:
    return Finding(
        code="LEGAL16",
        severity=severity,
        what=what,
        remedy="Correct the code in the review, or load the client's own set",
        subject=picked.record.usage.external_id,
        value=code,
    )


def sorted_by_day(picked: Sequence[Picked]) -> list[Picked]:
    """Return entries by day, then by their ids, so that the bill does not depend on the order of delivery."""
    return sorted(picked, key=lambda one: (one.day, one.record.usage.source, one.record.usage.external_id, one.record.key))
