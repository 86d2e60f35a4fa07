"""Approves a reviewed run, or a part of it: from here on these documents and their numbers are fixed, and only posting is left.

Parts are approved one after the other, before or after the earlier ones are posted: each adds its numbers to the end of the
posting manifest, and the digest of the run is always that of all documents in the manifest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.figures import DocumentFigures
from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.invoicing.numbering import NumberSeries, in_posting_order, plan_numbers
from billing_framework.run.cycle.approve_part import APPROVED, WHOLE, ApprovalFilter, chosen, is_done
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.draft import Freshness, freshness, stale_as_of
from billing_framework.run.draft.examine import Bearers, Examined, examined
from billing_framework.run.draft.issuer import mapping_of
from billing_framework.run.draft.order import one_decision_at_a_time, order_findings
from billing_framework.run.review.control import RECORDS, fates, reconciles
from billing_framework.run.work.work import collector_paused
from billing_framework.storage import audit
from billing_framework.storage.billing.account_briefs import AccountBrief, account_briefs
from billing_framework.storage.billing.accounts_astray import accounts_astray
from billing_framework.storage.billing.edit_rows import editors_of
from billing_framework.storage.billing.figure_rows import draft_keys
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.numbers import manifest_of, next_counters, save_manifest, set_counters
from billing_framework.storage.billing.run_counts import counts_by_state
from billing_framework.storage.billing.run_rows import (
    Run,
    find_run,
    move_accounts,
    move_accounts_on,
    move_run,
)
from billing_framework.storage.billing.standing import standing
from billing_framework.storage.ledger.books import list_periods
from billing_framework.storage.master.book_rows import load_book, number_series
from billing_framework.storage.usage.batches import instant_of_decision
from billing_framework.values.errors import Conflict, Refused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import first_of

_NAMED = 5
_NUMBERED_AT_ONCE = 20_000
_ATTEMPTS = 3
"""How often the drafts are looked at again where something was entered meanwhile."""


@attrs.frozen(kw_only=True)
class ApprovalReport:
    """What was approved, or why it was not.

    Attributes:
        run: the run as it stands now.
        documents: number of documents that will be posted.
        left_out: number of held accounts that are not part of the approval.
        remaining: number of drafted accounts that are not part of it, and can be approved later.
        findings: what blocks the approval; empty where it was given.
        was_approved: True where it had been approved before, and nothing was changed.
    """

    run: Run
    documents: int = 0
    left_out: int = 0
    remaining: int = 0
    findings: tuple[Finding, ...] = ()
    was_approved: bool = False


def approve_run(deployment: Deployment, code: str = "", *, wanted: ApprovalFilter = WHOLE, reason: str = "") -> ApprovalReport:
    """Approve a run or a part of it: freeze the documents in posting order with their numbers.

    Held accounts are left out; the next run over the period bills them. A draft whose input has changed since blocks.

    Args:
        deployment: the deployment; its actor approves.
        code: code of the run; the one that is meant where empty.
        wanted: what is approved; all that is drafted by default.
        reason: remark for the audit trail.

    Raises:
        NotFound: there is no such run, or an account that is to be approved is neither drafted nor approved in it; ``RUN58``
            and ``RUN62`` where there is no such group or plan.
        Refused: ``RUN03`` for a run in another state, ``RUN06`` for a rehearsal, ``RUN07`` where maker and checker are one,
            ``RUN57`` for a part of a migration.
    """
    with deployment.database.read() as connection:
        run = meant_run(connection, code, lambda run: not _nothing_left(connection, run), final=True)
        if is_done(connection, run, wanted, all_approved=_nothing_left(connection, run)):
            return _was_approved(connection, run)
    with collector_paused():
        for attempt in range(1, _ATTEMPTS + 1):
            # At last, usage that comes meanwhile has to wait: where it never stops coming, nothing could ever be approved.
            fresh = stale_as_of(deployment, run, wanted.accounts) if attempt < _ATTEMPTS else None
            report = _decided(deployment, run, fresh, wanted=wanted, reason=reason)
            if report is not None:
                return report
    raise Conflict(
        "RUN02",
        f"while the run {run.code} was checked, something that bills depend on was entered again and again",
        remedy="Approve it again when the entering is done",
    )


def _decided(
    deployment: Deployment, run: Run, fresh: Freshness | None, *, wanted: ApprovalFilter, reason: str
) -> ApprovalReport | None:
    """Decide on what is known; None where something was entered since the drafts were found fresh or stale.

    Where that is not known yet, it is found out here, while no usage is taken in.
    """
    with deployment.database.begin() as connection:
        one_decision_at_a_time(connection, run.book)
        decided_at = instant_of_decision(connection, deployment.clock.now())
        stale, known = fresh or freshness(deployment, connection, run, wanted.accounts)
        if standing(connection, run.started_at) != known:
            return None
        run = find_run(connection, run.code, lock=True)
        if is_done(connection, run, wanted, all_approved=_nothing_left(connection, run)):  # by somebody else, meanwhile
            return _was_approved(connection, run)
        _refuse_wrong_state(run)
        _refuse_maker(deployment, connection, run)
        if run.kind == "migration" and wanted != WHOLE:
            raise Refused("RUN57", f"{run.code} is a migration, which is taken over as a whole", remedy="Leave the filter out")
        mapping = mapping_of(load_book(connection, run.book).profile)
        part = _part_of(connection, run, mapping, stale, wanted)
        found = examined(connection, run, part.documents, mapping, with_input=True)
        findings = [
            *_missing(len(part.documents) - len(found.heads), run),
            *_unfinished(run, part, any_found=bool(found.heads)),
            *part.unfit,
            *_changed(found),
            *part.astray,
            *(_postable(connection, run, found, mapping) if run.kind != "migration" else ()),
        ]
        report = ApprovalReport(run=run, documents=len(found.heads), left_out=len(part.held), remaining=part.remaining)
        if findings:
            return attrs.evolve(report, findings=tuple(findings))
        if found.error is not None:
            raise found.error
        run = _approved(deployment, connection, report, found, mapping, at=decided_at, facts=wanted.said(), reason=reason)
        return attrs.evolve(report, run=run)


@attrs.frozen(kw_only=True)
class _Part:
    """What is to be approved of a run, and what its accounts say to that; of all of them, only this is kept.

    Attributes:
        documents: keys of the documents.
        pending: number of accounts of the run that are not drafted yet.
        held: accounts of the run that are held.
        remaining: number of drafted accounts that are not part of it.
        unfit: findings of accounts whose drafts are stale or do not account for all records.
        astray: findings of accounts that do not stand as they should, or have to wait for others.
    """

    documents: list[int]
    pending: int
    held: list[str]
    remaining: int
    unfit: list[Finding]
    astray: list[Finding]


def _part_of(
    connection: Connection, run: Run, mapping: ChartMapping, stale: Mapping[str, Sequence[str]], wanted: ApprovalFilter
) -> _Part:
    rows = account_briefs(connection, run)
    drafted = [row for row in rows if row.state == "drafted"]
    all_heads = examined(connection, run, _documents(drafted), mapping).heads if wanted.up_to is not None else []
    part = chosen(connection, run, drafted, {head.key: head for head in all_heads}, wanted)
    return _Part(
        documents=_documents(part),
        pending=sum(row.state == "pending" for row in rows),
        held=[row.account for row in rows if row.state == "held"],
        remaining=len(drafted) - len(part),
        unfit=[
            *(_stale(row.account, stale[row.account]) for row in part if row.account in stale),
            *(_unreconciled(row) for row in part if not reconciles(row.control)),
        ],
        astray=[*_astray(connection, run, rows), *_out_of_order(connection, run, part, stale)],
    )


def _documents(rows: Sequence[AccountBrief]) -> list[int]:
    return list(dict.fromkeys(row.document for row in rows if row.document))


def _approved(
    deployment: Deployment,
    connection: Connection,
    report: ApprovalReport,
    found: Examined,
    mapping: ChartMapping,
    *,
    at: datetime,
    facts: Mapping[str, object],
    reason: str,
) -> Run:
    """Number the documents that are approved, freeze the digest of all that is approved of the run, and return the run."""
    run = report.run
    before = [one.document for one in manifest_of(connection, run)]
    numbered = 0  # a migration takes over what another system has billed: nothing of it is numbered or posted
    if run.kind != "migration":
        series = number_series(load_book(connection, run.book).profile)
        numbered = _freeze(connection, run, found.heads, series, len(before))
    if report.remaining:
        move_accounts_on(connection, [head.key for head in found.heads], "drafted", "approved")
    else:
        move_accounts(connection, run, "drafted", "approved")
    earlier = examined(connection, run, before, mapping, digest=found.digest)
    if earlier.error is not None:
        raise earlier.error
    digest = found.digest.hexdigest()
    if run.state == "approved":  # another part waits to be posted; this one joins it
        run = move_run(connection, run, "drafted")
    # What comes after the first approval is late for somebody; whether it is for this document, the comparison tells.
    since = run.approved_at if before and run.approved_at else at
    by = [*(run.approved_by.split(", ") if before and run.approved_by else ()), deployment.actor]
    named = ", ".join(dict.fromkeys(by))
    run = move_run(connection, run, "approved", approved_by=named, approved_at=since, digest=bytes.fromhex(digest))
    left = {"left out": report.left_out} | ({"remaining": report.remaining} if report.remaining else {})
    audit.record(
        connection,
        deployment.clock.now(),
        deployment.actor,
        "run approve",
        object_kind="run",
        object_key=run.code,
        before={"state": "drafted"},
        after={"documents": numbered, **left, "digest": digest, **facts},
        reason=reason,
    )
    return run


def _was_approved(connection: Connection, run: Run) -> ApprovalReport:
    return ApprovalReport(run=run, remaining=counts_by_state(connection, run).get("drafted", 0), was_approved=True)


def _nothing_left(connection: Connection, run: Run) -> bool:
    """Return whether all that can be approved of a run is approved."""
    if run.state in ("approved", "posting"):
        return not counts_by_state(connection, run).get("drafted")
    return run.state in APPROVED


def _refuse_wrong_state(run: Run) -> None:
    if not run.is_final:
        raise Refused("RUN06", f"{run.code} is a rehearsal, which is never approved", remedy="Start the final run")
    if run.state == "cancelled":
        raise Refused("RUN03", f"the run {run.code} is cancelled", remedy="Start another one: billing run start")
    if run.state == "posting":
        raise Refused("RUN03", f"a part of the run {run.code} is being posted", remedy="Post it to its end: billing run post")


def _refuse_maker(deployment: Deployment, connection: Connection, run: Run) -> None:
    makers = {run.started_by, *editors_of(connection, run)}
    if deployment.settings.deployment.maker_checker and deployment.actor in makers:
        raise Refused(
            "RUN07",
            f"{deployment.actor} has started or edited the run {run.code} and may not approve it",
            remedy="Let somebody else approve it (--actor), as deployment.maker_checker demands",
        )


def _unreconciled(row: AccountBrief) -> Finding:
    told = " + ".join(f"{count} {name}" for name, count in fates(row.control).items())
    what = f"of {row.control.get(RECORDS, 0)} records that were delivered, {told or 'none'} are accounted for"
    return _blocking("RUN56", what, "Report the plugin that rates them; draft the account again: billing run retry", row.account)


def _changed(found: Examined) -> Iterator[Finding]:
    """Yield a finding for each draft whose stored rows are not what was drafted."""
    for account, wrong in found.wrong:
        yield _blocking("RUN11", f"the stored draft was changed: {wrong}", "Cancel the run and start it anew", account)


def _astray(connection: Connection, run: Run, rows: Sequence[AccountBrief]) -> Iterator[Finding]:
    """Yield a finding where a draft of the run, or an account, would be left out in silence: somebody changed stored rows."""
    own = {row.document for row in rows if row.state != "skipped"}
    lost = sum(key not in own for key in draft_keys(connection, run))
    if lost:
        what = f"{lost} drafts of the run are not those of an account of the run any more"
        yield _blocking("RUN11", what, "Cancel the run and start it anew", run.code)
    for account in accounts_astray(connection, run):
        what = "it does not stand in the run as its document does, and would never be billed"
        yield _blocking("RUN11", what, "Cancel the run and start it anew", account)


def _unfinished(run: Run, part: _Part, *, any_found: bool) -> list[Finding]:
    if part.pending or run.state == "drafting":
        what = f"{part.pending} accounts of the run are not drafted yet"
        return [_blocking("RUN08", what, f"Go on with it: billing run resume {run.code}", run.code)]
    if any_found:
        return []
    if part.remaining:
        return [_blocking("RUN08", "no drafted account fits what is to be approved", "Approve others, or all", run.code)]
    if part.held:
        what = f"the run has no document to post: held are {first_of(part.held, _NAMED)}"
        return [_blocking("RUN08", what, f"See why, then release or mend them: billing run review {run.code}", run.code)]
    return [_blocking("RUN08", "the run has no document to post", f"Go on with it: billing run resume {run.code}", run.code)]


def _missing(lost: int, run: Run) -> list[Finding]:
    what = f"{lost} drafts of the run are not there any more"
    return [_blocking("RUN11", what, "Cancel the run and start it anew", run.code)] if lost else []


def _stale(account: str, parts: Sequence[str]) -> Finding:
    return _blocking(
        "RUN09", f"the draft is stale: {', '.join(parts)} changed since", "Draft it anew: billing run resume", account
    )


def _out_of_order(connection: Connection, run: Run, drafted: Sequence[AccountBrief], stale: Collection[str]) -> Iterator[Finding]:
    documents = {row.document: row.account for row in reversed(drafted) if row.document}
    for finding in order_findings(connection, run, documents):
        if finding.code != "RUN09" or finding.subject not in stale:
            yield finding


def _postable(connection: Connection, run: Run, found: Examined, mapping: ChartMapping) -> list[Finding]:
    findings = _unmapped(found, mapping)
    periods = list_periods(connection, run.book)
    for day in sorted({head.issue_on for head in found.heads}):
        holding = next((period for period in periods if day in period.span), None)
        if holding is None or not holding.is_open:
            what = f"no open period of book {run.book} holds {day}"
            remedy = _TOO_LATE if holding else f"Open it: billing period open {run.book} {day:%Y-%m}"
            findings.append(_blocking("RUN13", what, remedy, run.code))
    return findings


def _unmapped(found: Examined, mapping: ChartMapping) -> list[Finding]:
    """Return a finding for each code without an account, with the accounts whose drafts bear it."""
    bearers = {"charge code": found.charge_codes, "tax code": found.tax_codes}
    return [
        attrs.evolve(one, what=f"{one.what}{_on_drafts(bearers.get(one.field, {}).get(one.value))}")
        for one in found.unmapped(mapping)
    ]


def _on_drafts(bearers: Bearers | None) -> str:
    if bearers is None:
        return ""
    more = f" and {bearers.count - len(bearers.first)} more" if bearers.count > len(bearers.first) else ""
    return f"; it stands on the draft of {', '.join(bearers.first)}{more}"


_TOO_LATE = "It is closed for good: cancel the run, and start it with a later date: billing run start --as-of DATE"


def _blocking(code: str, what: str, remedy: str, subject: str) -> Finding:
    return Finding(code=code, severity=Severity.BLOCKING, what=what, remedy=remedy, subject=subject)


def _freeze(
    connection: Connection, run: Run, documents: Sequence[DocumentFigures], series: Sequence[NumberSeries], after: int
) -> int:
    """Number documents and put them behind the first `after` ones of the posting manifest; return how many they are."""
    ordered = in_posting_order(documents)
    names = {one.counter_name(document.issue_on) for document in ordered for one in series if one.kind is document.kind}
    counters = next_counters(connection, run.book, names)
    for start in range(0, len(ordered), _NUMBERED_AT_ONCE):
        block = plan_numbers(ordered[start : start + _NUMBERED_AT_ONCE], series, counters)
        save_manifest(connection, run, block.numbers, after=after + start)
        counters |= block.after
    set_counters(connection, run.book, counters)
    return len(ordered)
