"""Drafts the accounts of a run, shard by shard: load, compute without a lock, save in one transaction that proves the lease."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.party import Party
from billing_framework.invoicing.document import Seller
from billing_framework.invoicing.review import PastDocument, ReviewBatch, Reviewed, review
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill import bill
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.run.draft.bill_result import BillResult
from billing_framework.run.draft.issuer import buyer_of, seller_of
from billing_framework.run.draft.late_policy import late_holds
from billing_framework.run.draft.load_input import Desk, InputRequest, load_inputs, open_desk
from billing_framework.run.draft.manifest import ManifestText, ManifestWriter, changed_parts, versions_digest
from billing_framework.run.draft.order import order_holds
from billing_framework.run.draft.rehearse import billed_before, desk_of_run, in_order
from billing_framework.run.draft.together import heads_of_results, held_together
from billing_framework.run.draft.unbilled import gap_holds
from billing_framework.run.usage.unknown_kinds import refuse_unknown_kinds
from billing_framework.run.versions import computing_versions
from billing_framework.run.work.coordinate import Progress, coordinate
from billing_framework.run.work.lease import Lease
from billing_framework.run.work.plugin_watch import plugins_watched
from billing_framework.run.work.shards import batches, pending_families, plan_drafting
from billing_framework.run.work.stuck import HELD_AFTER_OVERRUNS, hold_stuck
from billing_framework.run.work.work import Saved, Step, Work, Worked, work_of
from billing_framework.storage.billing.account_briefs import drafted_otherwise
from billing_framework.storage.billing.draft_rows import DraftRecord, delete_drafts, save_drafts
from billing_framework.storage.billing.edit_rows import edits_of
from billing_framework.storage.billing.history import past_documents
from billing_framework.storage.billing.keys import billed_charges, claims_of
from billing_framework.storage.billing.numbers import issued_among, manifest_of
from billing_framework.storage.billing.run_rows import (
    NOTHING,
    HoldEvidence,
    Run,
    RunAccount,
    account_versions,
    locked,
    run_accounts_of,
    save_accounts,
)
from billing_framework.storage.billing.standing import standing
from billing_framework.storage.master.account_rows import codes_on_cycle, load_parties
from billing_framework.storage.master.billing_group_rows import load_billing_groups
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.call_watch import UNWATCHED, CallWatch
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding
from billing_framework.values.identity import natural_id

FIRST = 1
"""Version of an account of which there was no draft before."""

LASTING = ("officer", "period")
"""Checks whose holds outlast a new draft: an officer's, and that of dates which another run bills."""


Freshness = tuple[Mapping[str, tuple[str, ...]], str]
"""Stale accounts with the names of the parts that changed, and the mark of what was known when this was found out."""


def document_key(run: Run, account: str) -> int:
    """Return the key of the document that a run makes for an account."""
    return natural_id("document", run.code, account)


def draft_accounts(
    deployment: Deployment,
    run: Run,
    *,
    batch_size: int | None = None,
    work: Work | None = None,
    progress: Progress | None = None,
) -> int:
    """Draft all pending accounts of a run, in shards, and return how many were drafted for this call.

    Args:
        deployment: the deployment.
        run: a run that is not approved.
        batch_size: accounts per transaction, a whole shard where None; accounts that are billed together are never parted.
        work: by whom and in what shards it is worked on; by default as the settings say.
        progress: told how many accounts of how many are drafted.

    Raises:
        ConfigurationError: ``USAGE34`` where usage of the period is of a plugin that is not enabled.
    """
    work = work or work_of(deployment, batch_size)
    with deployment.database.begin() as connection:
        run = locked(connection, run)
        if run.is_open:
            zone = load_book(connection, run.book).profile.zone
            refuse_unknown_kinds(connection, deployment.host, run.period, zone)
            groups = load_billing_groups(connection, run.book)
            plan_drafting(connection, run, groups, work.shard_size)
    return coordinate(deployment, run, DRAFTING, work, progress).count


def _prepare(deployment: Deployment, run: Run, known_at: datetime) -> Desk:
    with deployment.database.read() as connection:
        desk = open_desk(deployment, connection, run.book, versions=computing_versions(deployment))
        desk = desk_of_run(connection, desk, run)
        return attrs.evolve(desk, known_at=known_at, mark=_mark(standing(connection, run.started_at, known_at), desk.versions))


def _mark(known: str, versions: Mapping[str, str]) -> str:
    """Return the mark of all that a draft depends on: what was known, and what computed."""
    return f"{known}.{versions_digest(versions)[:16]}"


def draft_shard(desk: Desk, run: Run, lease: Lease, size: int, saved: Saved) -> Worked:
    """Draft the accounts of a shard that wait for it.

    Args:
        desk: what all accounts of the book share.
        run: a run that is not approved.
        lease: the shard.
        size: accounts per transaction; accounts that are billed together are never parted.
        saved: told after each transaction how many accounts it saved.

    Raises:
        Conflict: ``RUN40`` where another worker has taken the shard over; what was saved before stands.
        Refused: ``RUN03`` where somebody has moved the run on.
    """
    database = desk.deployment.database
    with database.read() as connection:
        known = account_versions(connection, run, lease.shard.accounts)
    families = pending_families({account: state for account, (_, state) in sorted(known.items())}, desk.groups)
    overruns = lease.shard.overruns
    parts = list(batches(families, 1 if overruns else size))
    stuck = parts.pop(0) if overruns >= HELD_AFTER_OVERRUNS and parts else []
    if stuck:
        hold_stuck(desk.deployment, run, stuck, lease)
        saved(len(stuck))
    with plugins_watched(desk.deployment.settings.run.plugin_budget_seconds) as watch:
        for place, part in enumerate(parts, start=1):
            draft_batch(desk, run, part, lease=lease, last=place == len(parts), watch=watch)
            saved(len(part))
    if not parts:
        with database.begin() as connection:
            lease.finish(connection)
    return Worked(count=sum(map(len, parts)), told=tuple(watch.told.values()), by_reference=dict(watch.by_reference))


DRAFTING = Step(name="draft", prepare=_prepare, work=draft_shard)


def draft_batch(
    desk: Desk,
    run: Run,
    accounts: Sequence[str],
    *,
    lease: Lease | None = None,
    last: bool = False,
    watch: CallWatch = UNWATCHED,
) -> dict[str, RunAccount]:
    """Draft some accounts of a run, whole families of them, and return their rows.

    Args:
        desk: what all accounts of the book share.
        run: a run that is not approved.
        accounts: the accounts.
        lease: the shard that they are part of, which nobody else may have taken; None where an officer drafts them.
        last: True where nothing is left of the shard after them.
        watch: who is told of each call of a plugin.
    """
    deployment = desk.deployment
    with deployment.database.read() as connection:
        before = run_accounts_of(connection, run, accounts)
        inputs, material = load_inputs(connection, desk, accounts, run_request(connection, run, accounts))
        history = past_documents(connection, accounts, run.period.start)
        parties = load_parties(connection, [given.account.party for given in inputs.values()])
    writer = ManifestWriter()
    manifests = {account: writer.write(given) for account, given in inputs.items()}
    results = bill(list(inputs.values()), material, deployment.host, watch=watch)
    with deployment.database.read() as connection:
        again = billed_before(connection, run, accounts)
        order = in_order(order_holds(connection, results, run.period.end), set(again.values()))
    drafted = [inputs[result.account] for result in results if result.draft is not None]
    order = late_holds(inputs.values()) | gap_holds(drafted, history) | order
    rows = {row.account: row for row in _reviewed(desk, results, manifests, history, before, order=order, watch=watch)}
    with deployment.database.begin() as connection:
        run = locked(connection, run, shared=lease is not None)
        if not run.is_open:
            raise Refused("RUN03", f"the run {run.code} is {run.state}", remedy="Somebody else moved it on meanwhile")
        if lease is not None:
            lease.keep(connection, len(accounts))
        now = account_versions(connection, run, accounts)
        heads = heads_of_results(results)
        # What another process has drafted since it was read stays as that one has drafted it.
        moved = {heads[code] for code, row in before.items() if code in heads and now[code] != (row.version, row.state)}
        still = [result for result in results if heads[result.account] not in moved]
        records = _records(run, still, inputs, manifests, rows=rows, parties=parties, seller=seller_of(desk.book))
        saved = {result.account: rows[result.account] for result in still}
        saved |= _save(connection, run, records, saved)
        saved = {row.account: row for row in held_together(list(saved.values()), heads)}
        save_accounts(connection, run, list(saved.values()))
        if lease is not None and last:
            lease.finish(connection)
        elsewhere = run_accounts_of(connection, run, [code for code in before if heads.get(code) in moved])
    return before | elsewhere | saved


def run_request(connection: Connection, run: Run, accounts: Sequence[str]) -> InputRequest:
    """Return what a run bills for some of its accounts."""
    own = codes_on_cycle(connection, accounts, run.cycle)
    if run.is_final:  # what another run bills of an account stays there; here it only pays for others
        own = {code for code, claim in claims_of(connection, own, run.period).items() if claim.run_id == run.id}
    return InputRequest(
        period=run.period,
        issue_on=run.as_of,
        documents={account: document_key(run, account) for account in accounts},
        own=own,
        edits=edits_of(connection, run, accounts),
        repeats=tuple(billed_before(connection, run, accounts)),
    )


def _reviewed(
    desk: Desk,
    results: Sequence[BillResult],
    manifests: Mapping[str, ManifestText],
    history: Mapping[str, tuple[PastDocument, ...]],
    before: Mapping[str, RunAccount],
    *,
    order: Mapping[str, HoldEvidence],
    watch: CallWatch,
) -> list[RunAccount]:
    """Return the row of each account after its draft was checked."""
    batch = ReviewBatch(
        documents=tuple(
            Reviewed(document=result.draft, history=history.get(result.account, ()))
            for result in results
            if result.draft is not None
        ),
        bounds=desk.deployment.settings.review.bounds,
    )
    holds = {account: [evidence] for account, evidence in order.items()}
    host = desk.deployment.host
    owners = host.owners["billing_review_checks"]
    for reason in review(batch, host.review_checks, host.settings_of_checks, plugin_of=owners, watch=watch):
        holds.setdefault(reason.account, []).append(
            HoldEvidence(check=reason.check, finding=reason.finding, facts=reason.evidence)
        )
    by_account = {result.account: result for result in results}
    rows = []
    for result in results:
        row, manifest = before[result.account], manifests[result.account]
        found = [item for item in row.evidence if item.check in LASTING]
        found += [HoldEvidence(check="rating", finding=finding) for finding in result.findings if finding.stops]
        found += [
            HoldEvidence(check="rating", finding=_no_bearer(result, one)) for one in result.bearers if one not in by_account
        ]
        overruled = row.released and row.released == result.digest
        if not overruled:
            found += holds.get(result.account, [])
        rows.append(
            attrs.evolve(
                row,
                **_fate(result, found, by_account),
                evidence=tuple(found),
                control=dict(result.control),
                manifest=manifest.digest,
                known=desk.mark,
                parts=manifest.parts,
                version=row.version + 1,
            )
        )
    return rows


def _no_bearer(result: BillResult, bearer: str) -> Finding:
    return Finding(
        code="RUN29",
        what=f"the account {bearer} pays a part of its charges and is not in the run yet",
        remedy="Go on with the run: billing run resume",
        subject=result.account,
        value=bearer,
    )


def _fate(result: BillResult, found: Sequence[HoldEvidence], by_account: Mapping[str, BillResult]) -> dict[str, Any]:
    if found:
        document = result.draft.key if result.draft else None
        return {"state": "held", "reason": found[0].finding.what, "document": document}
    if result.draft is not None:
        return {"state": "drafted", "reason": "", "document": result.draft.key}
    bearing = [one for one in result.bearers or (result.payer,) if one in by_account and by_account[one].draft is not None]
    if bearing:
        return {"state": "drafted", "reason": f"billed to {', '.join(bearing)}", "document": by_account[bearing[0]].document}
    return {"state": "skipped", "reason": NOTHING, "document": None}


def _records(
    run: Run,
    results: Sequence[BillResult],
    inputs: Mapping[str, BillInput],
    manifests: Mapping[str, ManifestText],
    *,
    rows: Mapping[str, RunAccount],
    parties: Mapping[str, Party],
    seller: Seller,
) -> dict[str, DraftRecord]:
    """Return the drafts among some results, by account, as they are saved."""
    return {
        result.account: DraftRecord(
            draft=result.draft,
            texts=result.texts,
            evidence=result.evidence,
            inputs={member: manifests[member].text for member in result.members},
            state=result.state,
            state_read=result.state_read,
            records=result.records,
            seller=seller,
            buyer=buyer_of(inputs[result.account].account, parties.get(inputs[result.account].account.party)),
            run_id=run.id,
            final=run.is_final,
            version=rows[result.account].version,
        )
        for result in results
        if result.draft is not None and result.texts is not None
    }


def _save(
    connection: Connection, run: Run, records: Mapping[str, DraftRecord], rows: Mapping[str, RunAccount]
) -> dict[str, RunAccount]:
    """Save drafts; hold the accounts of those that would bill a charge twice, and return the rows that changed thereby."""
    delete_drafts(connection, [document_key(run, account) for account, row in rows.items() if row.version > FIRST])
    if not run.is_final:
        save_drafts(connection, list(records.values()))
        return {}
    billed = billed_charges(connection, [line.charge_key for record in records.values() for line in record.draft.lines])
    held: dict[str, RunAccount] = {}
    kept = []
    for account, record in records.items():
        twice = [
            line.charge_key for line in record.draft.lines if line.charge_key in billed and not billed[line.charge_key].reversed
        ]
        if twice:
            held[account] = _billed_before(rows[account], twice[0])
            continue
        revisions = {
            line.charge_key: billed[line.charge_key].revision + 1 if line.charge_key in billed else 1
            for line in record.draft.lines
        }
        kept.append(attrs.evolve(record, revisions=revisions))
    save_drafts(connection, kept)
    return held


def _billed_before(row: RunAccount, charge: str) -> RunAccount:
    finding = Finding(
        code="CHARGE01",
        what=f"the charge {charge} was billed before and not taken back",
        remedy="Post or cancel the run that drafts it, or credit the document that bills it; then start the run again",
        subject=row.account,
        value=charge,
    )
    evidence = (HoldEvidence(check="charges", finding=finding),)
    return attrs.evolve(row, state="held", reason=finding.what, evidence=evidence, document=None)


def stale_accounts(deployment: Deployment, run: Run) -> Mapping[str, tuple[str, ...]]:
    """Return the accounts of a run whose input has changed since they were drafted, with the names of the parts that did."""
    return stale_as_of(deployment, run)[0]


def stale_as_of(deployment: Deployment, run: Run, among: Collection[str] = ()) -> Freshness:
    """Return the stale accounts of a run, in a snapshot of its own; see `freshness`."""
    with deployment.database.read() as connection:
        return freshness(deployment, connection, run, among)


def freshness(deployment: Deployment, connection: Connection, run: Run, among: Collection[str] = ()) -> Freshness:
    """Return the stale accounts of a run, and the mark of all that was known when this was found out; see `standing`.

    Args:
        deployment: the deployment.
        connection: a connection.
        run: the run.
        among: look only at these accounts and those that are billed together with them; at all where empty.
    """
    known, versions = standing(connection, run.started_at), computing_versions(deployment)
    issued = issued_among(connection, manifest_of(connection, run))  # where a part of the run is posted already
    codes = drafted_otherwise(connection, run, _mark(known, versions))
    stale: dict[str, tuple[str, ...]] = {}
    if not codes:
        return stale, known
    desk = desk_of_run(connection, open_desk(deployment, connection, run.book, versions=versions), run)
    writer = ManifestWriter()
    if among:
        codes = sorted(set(codes).intersection(desk.groups.members(among)))
    for start in range(0, len(codes), 500):
        found = run_accounts_of(connection, run, codes[start : start + 500])
        rows = [row for row in found.values() if row.document not in issued]
        accounts = [row.account for row in rows]
        inputs, _ = load_inputs(connection, desk, accounts, run_request(connection, run, accounts))
        for row in rows:
            if changed := changed_parts(row.parts, writer.write(inputs[row.account]).parts):
                stale[row.account] = changed
    return stale, known
