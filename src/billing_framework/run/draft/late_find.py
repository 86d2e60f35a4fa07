"""Finds, for a run, the billed periods of its accounts of which usage has come, changed or gone since, and what their plans say.

Only plans that name a policy for late usage cost anything: without one, nothing is asked. What a period was billed for is the
manifest of its standing document, or that of the last difference that stands; only its usage is looked up again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.rating.price_plan import LateUsage, PlanVersion
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, LateInput, UsageRef
from billing_framework.run.draft.guiding import is_seen, lasting, reach_of, widened
from billing_framework.run.draft.late_policy import policy_of, told_instead
from billing_framework.run.draft.manifest import manifest_from_text
from billing_framework.storage.billing.documents import load_inputs as manifests_of
from billing_framework.storage.billing.late_rows import (
    Arrival,
    LaterBatch,
    StandingBill,
    arrivals,
    later_batches,
    replacements,
    standing_bills,
)
from billing_framework.storage.master.account_tables import account_id
from billing_framework.storage.usage.kind_table import KindTable
from billing_framework.storage.usage.load import UsageRow, load_current, newest_batch
from billing_framework.values.clock import timezone
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan, Span


@attrs.frozen(kw_only=True)
class LateQuestion:
    """What is asked about some accounts.

    Attributes:
        accounts: the accounts whose agreements are billed.
        payers: code of each account to those whose documents may bear its charges.
        subjects: code of each account to the identifiers that are or were its agreements'.
        period: the billing period; only periods that ended before it are looked at.
        kinds: the usage kinds with their tables.
        plans: plan versions by ``code@version``.
        repeats: keys of documents that are billed anew; what they bill of late usage they go on to bill.
        takes_new: whether late usage is billed, too, that no standing document has billed.
    """

    accounts: Sequence[Account]
    payers: Mapping[str, Collection[str]]
    subjects: Mapping[str, Collection[str]]
    period: DateSpan
    kinds: Mapping[str, KindTable]
    plans: Mapping[str, PlanVersion]
    repeats: Collection[int] = ()
    takes_new: bool = True


@attrs.frozen(kw_only=True)
class LateFound:
    """What was found for one account.

    Attributes:
        late: the periods whose difference is billed, in order of date.
        findings: usage that is told, or that holds the account; none of them stops by itself.
    """

    late: tuple[LateInput, ...] = ()
    findings: tuple[Finding, ...] = ()


def asks_for_late(plans: Iterable[PlanVersion]) -> bool:
    """Return whether any plan names a policy for late usage."""
    return any(plan.late_usage is not LateUsage.LIST for plan in plans)


def find_late(connection: Connection, asked: LateQuestion) -> dict[str, LateFound]:
    """Return by account what is late; accounts of which nothing is are left out."""
    kinds = {name: derived for name, derived in asked.kinds.items() if not derived.kind.carried}
    if not kinds or not asked.accounts or not asks_for_late(asked.plans.values()):
        return {}
    bills = standing_bills(connection, asked.payers)
    reached = _reached(connection, asked, kinds, bills) if asked.takes_new else {}
    wanted = {one.account for one in bills if one.document in asked.repeats} | {one.account for one in reached.values()}
    if not wanted:
        return {}
    manifests = _manifests(connection, [one for one in bills if one.account in wanted])
    again = _repeated(asked, bills, manifests)
    found = _compared(connection, asked, kinds, reached, manifests)
    return {
        account: LateFound(
            late=(*again.get(account, ()), *(late for late, _ in found.get(account, ()) if late is not None)),
            findings=tuple(finding for _, finding in found.get(account, ()) if finding is not None),
        )
        for account in sorted(again.keys() | found.keys())
    }


def _reached(
    connection: Connection, asked: LateQuestion, kinds: Mapping[str, KindTable], bills: Sequence[StandingBill]
) -> dict[tuple[str, DateSpan], StandingBill]:
    """Return the bills of earlier periods into which something has come that they do not know, by account and period."""
    earlier = [one for one in bills if one.period.end <= asked.period.start]
    if not earlier:
        return {}
    zones = {account.code: timezone(account.zone) for account in asked.accounts}
    reach = reach_of({name: derived.kind for name, derived in kinds.items()})
    windows = {(one.period, zones[one.account]): one.period for one in earlier}
    spans = {key: widened(period, reach).instants(key[1]) for key, period in windows.items()}
    batches = later_batches(connection, min(one.known_at for one in earlier))
    ask = {(one.known_at, spans[one.period, zones[one.account]]) for one in earlier}
    late = {batch.id: batch for batch in batches if any(_may_reach(batch, known_at, span) for known_at, span in ask)}
    if not late:
        return {}
    by_subject: dict[str, list[StandingBill]] = {}
    for one in earlier:
        for subject in asked.subjects.get(one.account, ()):
            by_subject.setdefault(subject, []).append(one)
    found: dict[tuple[str, DateSpan], StandingBill] = {}
    for derived in kinds.values():
        for came in _arrived(connection, derived, by_subject, late, min(span.start for span in spans.values())):
            for one in by_subject[came.subject]:
                span = _window(derived, one.period).instants(zones[one.account])
                if late[came.batch].taken_at > one.known_at and _meets(came.span, span):
                    found.setdefault((one.account, one.period), one)
    return found


def _may_reach(batch: LaterBatch, known_at: datetime, span: Span) -> bool:
    return batch.taken_at > known_at and (batch.supersedes or _meets(batch.span, span))


def _meets(one: Span, window: Span) -> bool:
    return one.start < window.end and one.end >= window.start


def _window(derived: KindTable, period: DateSpan) -> DateSpan:
    kind = derived.kind
    return DateSpan(period.start - timedelta(days=kind.reach_days), period.end + timedelta(days=kind.reach_after_days))


def _arrived(
    connection: Connection,
    derived: KindTable,
    subjects: Mapping[str, Sequence[StandingBill]],
    late: Mapping[int, LaterBatch],
    since: datetime,
) -> Iterator[Arrival]:
    yield from arrivals(connection, derived, subjects, late.keys())
    newer = {key for key, batch in late.items() if batch.supersedes}
    if newer:
        yield from replacements(connection, derived, subjects, newer, since)


def _manifests(connection: Connection, bills: Sequence[StandingBill]) -> dict[tuple[int, str], BillInput]:
    """Return the manifests of accounts on documents, by document and account."""
    texts = manifests_of(connection, {one.document for one in bills})
    return {(one.document, one.account): manifest_from_text(texts[one.document][account_id(one.account)][0]) for one in bills}


def _repeated(
    asked: LateQuestion, bills: Sequence[StandingBill], manifests: Mapping[tuple[int, str], BillInput]
) -> dict[str, tuple[LateInput, ...]]:
    """Return the differences that the documents have billed which are billed anew, where the corrected ones still stand."""
    standing = {one.number for one in bills if one.document not in asked.repeats}
    kept: dict[str, dict[tuple[DateSpan, int], LateInput]] = {}
    for one in bills:
        if one.document in asked.repeats:
            for late in manifests[one.document, one.account].late:
                if late.document in standing:
                    kept.setdefault(one.account, {})[late.period, late.sequence] = late
    return {account: tuple(late for _, late in sorted(found.items())) for account, found in kept.items()}


def _compared(
    connection: Connection,
    asked: LateQuestion,
    kinds: Mapping[str, KindTable],
    reached: Mapping[tuple[str, DateSpan], StandingBill],
    manifests: Mapping[tuple[int, str], BillInput],
) -> dict[str, list[tuple[LateInput | None, Finding | None]]]:
    """Return for each account the periods whose usage is another now, or what is told instead of billing them."""
    billed = {key: _as_billed(one, manifests) for key, one in reached.items()}
    current = _current(connection, kinds, billed.values())
    found: dict[str, list[tuple[LateInput | None, Finding | None]]] = {}
    for (account, _), late in sorted(billed.items()):
        usage = {
            one.agreement.code: refs
            for one in late.before
            if (refs := _refs_now(one, late, kinds, current)) is not None and set(refs) != set(one.usage)
        }
        by_policy: dict[LateUsage, dict[str, tuple[UsageRef, ...]]] = {}
        for one in late.before:
            if one.agreement.code in usage:
                by_policy.setdefault(policy_of(one, asked.plans), {})[one.agreement.code] = usage[one.agreement.code]
        for policy, changed in by_policy.items():
            told = told_instead(late, policy, changed, asked.plans, asked.period)
            if policy is LateUsage.DELTA and told is None:
                found.setdefault(account, []).append((attrs.evolve(late, usage=changed), None))
            elif told is not None:
                found.setdefault(account, []).append((None, told))
    return found


def _as_billed(bill: StandingBill, manifests: Mapping[tuple[int, str], BillInput]) -> LateInput:
    """Return a billed period as the last difference of it that stands has billed it, else as its document has."""
    given = manifests[bill.document, bill.account]
    chain = [
        late
        for (_, account), manifest in manifests.items()
        if account == bill.account
        for late in manifest.late
        if late.document == bill.number
    ]
    last = max(chain, key=lambda one: one.sequence, default=None)
    return LateInput(
        document=bill.number,
        sequence=last.sequence + 1 if last else 1,
        account=given.account,
        period=given.period,
        before=last.now if last else given.agreements,
        usage={},
        edits=given.edits,
        holidays=given.holidays,
    )


def _current(
    connection: Connection, kinds: Mapping[str, KindTable], billed: Iterable[LateInput]
) -> Mapping[str, Sequence[UsageRow]]:
    reach = reach_of({name: derived.kind for name, derived in kinds.items()})
    wanted: dict[str, list[Span]] = {}
    for late in billed:
        span = widened(late.period, reach).instants(timezone(late.account.zone))
        for subject in {assignment.subject for one in late.before for assignment in one.assignments}:
            wanted.setdefault(subject, []).append(span)
    return load_current(connection, kinds, wanted, up_to_batch=newest_batch(connection), kinds=list(kinds)) if wanted else {}


def _refs_now(
    one: AgreementInput, late: LateInput, kinds: Mapping[str, KindTable], current: Mapping[str, Sequence[UsageRow]]
) -> tuple[UsageRef, ...] | None:
    """Return the usage of an agreement as it is known now, by the identifiers that it was billed by; None without any."""
    if not one.assignments:
        return None
    zone = timezone(late.account.zone)
    own: dict[str, list[DateSpan]] = {}
    for assignment in one.assignments:
        dates = lasting(assignment, one.period)
        if dates is not None:
            own.setdefault(assignment.subject, []).append(dates)
    rows = [
        row
        for subject, dates in own.items()
        for row in current.get(subject, ())
        if is_seen(kinds[row.usage.kind].kind, row.usage.span, dates, one.period, zone)
    ]
    rows.sort(key=lambda row: (row.usage.kind, row.usage.subject, row.usage.span.start, row.key))
    now = [UsageRef(row.usage.kind, row.key, row.digest.hex()) for row in rows]
    carried = [ref for ref in one.usage if ref.kind not in kinds]  # each of these is billed once, and goes on a bill by itself
    return tuple(sorted([*now, *carried], key=lambda ref: ref.kind))
