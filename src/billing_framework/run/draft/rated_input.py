"""What is rated of a manifest: its agreements with plans, tables and state, and their records as reviewers left them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from operator import attrgetter
from zoneinfo import ZoneInfo

import attrs

from billing_framework.accounts.assignment import Assignment
from billing_framework.invoicing.edit import Edit
from billing_framework.invoicing.record_edit import RECORD_FIELDS, EditedRecords, edit_records
from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage
from billing_framework.rating.rate import RatedGroup
from billing_framework.rating.stored_records import RecordColumns, StoredRecords
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, Material, UsageRef
from billing_framework.run.draft.guiding import guide, guided_stretches
from billing_framework.values.clock import timezone
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class RatedInput:
    """What is rated of one manifest.

    Attributes:
        group: what raters are given.
        deferred: key of each record that a reviewer leaves for a later bill to the reason; it is not in the group.
        findings: edits of records that could not be applied.
        deferred_kinds: usage kind to the number of its records among those that are left.
    """

    group: BillingGroup
    deferred: Mapping[int, str]
    findings: tuple[Finding, ...]
    deferred_kinds: Mapping[str, int] = attrs.field(factory=dict)


def rated_input(given: BillInput, material: Material) -> RatedInput:
    """Return what is rated of a manifest.

    Args:
        given: the manifest.
        material: the records, plans and tables that it names, and the kinds of the records.
    """
    agreements = [_usage(given, one, material) for one in given.agreements]
    edits = [edit for edit in given.edits if edit.field in RECORD_FIELDS]
    edited = _edited(agreements, edits, material) if edits else EditedRecords(records=())
    if edits:
        agreements = [_with_edited(usage, edited) for usage in agreements]
    return RatedInput(
        group=BillingGroup(account=given.account, period=given.period, agreements=tuple(agreements), holidays=given.holidays),
        deferred=edited.deferred,
        findings=edited.findings,
        deferred_kinds=Counter(material.record(key).kind for key in edited.deferred),
    )


def billing_group(given: BillInput, material: Material) -> BillingGroup:
    """Return what a rater is given for one manifest: agreements with their plans, state and records as they are billed."""
    return rated_input(given, material).group


def with_deferred(rated: RatedGroup, basis: RatedInput) -> RatedGroup:
    """Return a rating with the records counted that a reviewer has left for a later bill, and the edits that failed."""
    if not basis.deferred and not basis.findings:
        return rated
    reasons = Counter(rated.control.deferred)
    reasons.update(basis.deferred.values())
    control = attrs.evolve(
        rated.control,
        records=rated.control.records + len(basis.deferred),
        deferred=dict(sorted(reasons.items())),
        by_kind=dict(sorted((Counter(rated.control.by_kind) + Counter(basis.deferred_kinds)).items())),
    )
    return attrs.evolve(
        rated,
        findings=(*basis.findings, *rated.findings),
        deferred={**rated.deferred, **basis.deferred},
        control=control,
    )


def _edited(agreements: Sequence[AgreementUsage], edits: Sequence[Edit], material: Material) -> EditedRecords:
    own = {
        record.key: record
        for usage in agreements
        for record in usage.records
        if record.assignment.agreement == usage.agreement.code
    }
    return edit_records(list(own.values()), edits, material.kinds)


def _with_edited(usage: AgreementUsage, edited: EditedRecords) -> AgreementUsage:
    """Put edited records in the place of the delivered ones; another agreement that sees a record sees it edited, too."""
    changed = {record.key: record for record in edited.records if record.original is not None}
    return attrs.evolve(
        usage,
        records=tuple(
            attrs.evolve(record, usage=changed[record.key].usage, original=changed[record.key].original)
            if record.key in changed
            else record
            for record in usage.records
            if record.key not in edited.deferred
        ),
    )


def _usage(given: BillInput, one: AgreementInput, material: Material) -> AgreementUsage:
    zone = timezone(given.account.zone)
    candidates = [*one.assignments, *one.earlier_assignments, *one.neighbours]
    code = one.agreement.code
    return AgreementUsage(
        agreement=one.agreement,
        period=one.period,
        full_period=one.full_period,
        next_period=one.next_period,
        tiles=material.tiles(one.tiles),
        next_tiles=material.tiles(one.next_tiles),
        earlier_tiles=material.tiles(one.earlier_tiles),
        tables=tuple(material.tables[ref.table] for ref in one.tables),
        assignments=one.assignments,
        records=_records(one.usage, candidates, code, zone, material),
        state={state.name: state for state in one.state},
        billed_through=one.billed_through,
    )


def _records(
    refs: Sequence[UsageRef], candidates: Sequence[Assignment], code: str, zone: ZoneInfo, material: Material
) -> Sequence[KeyedUsage]:
    """Return the records of an agreement with their assignments: as they stand in columns, where all of them do."""
    runs = _runs(refs, material.columns)
    if runs is not None:
        guided = [guided_stretches(*run, candidates=candidates, agreement=code, zone=zone) for run in runs]
        return StoredRecords(tuple(stretch for some in guided for stretch in some))
    records = []
    for ref in refs:
        usage = material.record(ref.key)
        records.append(KeyedUsage(key=ref.key, usage=usage, assignment=guide(usage.subject, usage.span, candidates, code, zone)))
    return tuple(records)


def _runs(refs: Sequence[UsageRef], known: Mapping[str, RecordColumns]) -> list[tuple[RecordColumns, int, int]] | None:
    """Return columns and places of records, those of one subject that stand together as one; None where some are not there."""
    runs: list[tuple[RecordColumns, int, int]] = []
    for kind, some in groupby(refs, key=attrgetter("kind")):
        columns = known.get(kind)
        if columns is None:
            return None
        keys = [ref.key for ref in some]
        low = columns.places.get(keys[0], -1)
        if keys == list(columns.keys[low : low + len(keys)]) and columns.subject(low) == columns.subject(low + len(keys) - 1):
            runs.append((columns, low, low + len(keys)))  # nearly all agreements have one subject, all records of which they bill
            continue
        places = [columns.places.get(key, -1) for key in keys]
        if min(places) < 0:
            return None
        edges = [
            number
            for number, (one, other) in enumerate(pairwise(places), start=1)
            if other != one + 1 or columns.subject(one) != columns.subject(other)
        ]
        runs += [(columns, places[low], places[high - 1] + 1) for low, high in pairwise([0, *edges, len(places)])]
    return runs or None
