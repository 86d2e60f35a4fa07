"""Releases or drafts again many held accounts of a run at once, chosen by what holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.plugin.host import Host
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.draft import LASTING, draft_accounts
from billing_framework.run.draft.late_policy import LATE_USAGE
from billing_framework.run.draft.order import ORDER
from billing_framework.run.draft.together import TOGETHER, heads_of_drafts, held_together
from billing_framework.run.draft.unbilled import UNBILLED
from billing_framework.run.reason import needs_reason
from billing_framework.run.review.edits import can_be_changed
from billing_framework.run.review.withdraw_approval import withdraw_approval
from billing_framework.run.work.stuck import STUCK
from billing_framework.storage import audit
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_counts import counts_by_state
from billing_framework.storage.billing.run_rows import (
    HoldEvidence,
    Run,
    RunAccount,
    locked,
    move_run,
    run_accounts,
    run_accounts_of,
    save_accounts,
)
from billing_framework.storage.billing.tables import document
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account as accounts
from billing_framework.storage.master.billing_group_rows import load_billing_groups
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.plain_form import to_plain
from billing_framework.values.spelling import did_you_mean, nearest

ABOUT_DATA = ("rating", "charges", "period")
"""Checks whose holds nobody can overrule: the data must be mended, then the account is drafted again."""


HOLDERS = (*ABOUT_DATA, "officer", LATE_USAGE, ORDER, STUCK, TOGETHER, UNBILLED)
"""What holds accounts beside the review checks."""


@attrs.frozen(kw_only=True)
class HeldFilter:
    """Which held accounts are meant; a filter that is left empty leaves none out.

    Attributes:
        accounts: codes of accounts.
        checks: names of checks, as ``billing run review`` shows them before each reason.
        codes: codes of findings.
    """

    accounts: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    def names(self, row: RunAccount) -> bool:
        """Return whether one of the reasons that hold an account is meant."""
        return (not self.accounts or row.account in self.accounts) and (
            not (self.checks or self.codes) or any(self.covers(item) for item in row.evidence)
        )

    def covers(self, item: HoldEvidence) -> bool:
        """Return whether a reason is meant."""
        return (not self.checks or item.check in self.checks) and (not self.codes or item.finding.code in self.codes)


@attrs.frozen(kw_only=True)
class BulkRelease:
    """What releasing many accounts did.

    Attributes:
        run: the run as it stands now.
        released: codes of the accounts that were let pass.
        left: account that one of the chosen reasons holds, to why it is held still.
        withdrew_approval: True where the approval of the whole run was withdrawn for it.
    """

    run: Run
    released: tuple[str, ...]
    left: Mapping[str, str]
    withdrew_approval: bool = False


@attrs.frozen(kw_only=True)
class Retried:
    """What drafting held accounts again did.

    Attributes:
        run: the run as it stands now.
        retried: number of accounts that were drafted again.
        drafted: codes of those that are held no longer.
        held: account to the reason that holds it still.
        left: number of accounts that an officer or other dates hold, which no new draft changes.
    """

    run: Run
    retried: int
    drafted: tuple[str, ...]
    held: Mapping[str, str]
    left: int = 0


def release_held(deployment: Deployment, code: str, wanted: HeldFilter, *, reason: str) -> BulkRelease:
    """Let all held drafts pass that the chosen reasons hold and nothing else; one reason stands for all of them.

    An account that something else holds, too, stays held, and so does one that is held for its data. An approval is void.

    Args:
        deployment: the deployment; its actor releases.
        code: code of the run; the one that is meant where empty.
        wanted: the accounts and reasons.
        reason: why.

    Raises:
        NotFound: there is no such run, an account is not in it, or ``RUN62``: there is no such check or code.
        InputRefused: ``RUN14`` without a reason.
        Refused: ``RUN03`` where the run is over, ``RUN06`` for a rehearsal.
    """
    needs_reason(reason, "this", code="RUN14")
    with deployment.database.begin() as connection:
        run = meant_run(connection, code, can_be_changed, final=True, lock=True)
        _refuse_over(run)
        rows = _named(deployment.host, connection, run, wanted)
        left = {row.account: why for row in rows if (why := _kept_by(row, wanted))}
        passing = [row for row in rows if row.account not in left]
        withdraws = bool(passing) and run.state == "approved"
        if withdraws:
            run = withdraw_approval(deployment, connection, run, reason=reason)
            now = run_accounts_of(connection, run, [row.account for row in passing])
            passing = [now[row.account] for row in passing]
        digests = _digests(connection, passing)
        released = [
            attrs.evolve(row, state="drafted", reason="", evidence=(), released=digests[row.document or 0]) for row in passing
        ]
        _save_with_groups(connection, run, released)
        audit.record_many(
            connection,
            deployment.clock.now(),
            deployment.actor,
            [_event(run, before, after, reason) for before, after in zip(passing, released, strict=True)],
        )
        return BulkRelease(run=run, released=tuple(row.account for row in released), left=left, withdrew_approval=withdraws)


LEFT_OUT = "What it has left out is billed by the next run: billing run start"
"""What can be done for an account that a run has left out which is over."""
_WHEN_APPROVED = {
    "approved": "Post it, and the next run bills what it has left out; or release a held account, which withdraws the approval:"
    " billing run release",
    "posting": "End its posting first: billing run post; what it has left out is billed by the next run",
}


def _refuse_over(run: Run) -> None:
    if not run.is_final:
        raise Refused("RUN06", f"{run.code} is a rehearsal", remedy="Release accounts of the final run")
    if not can_be_changed(run):
        raise Refused("RUN03", f"the run {run.code} is {run.state}", remedy=LEFT_OUT)


def _named(host: Host, connection: Connection, run: Run, wanted: HeldFilter) -> list[RunAccount]:
    of_names = run_accounts_of(connection, run, wanted.accounts)
    if unknown := set(wanted.accounts) - set(of_names):
        first = min(unknown)
        known = run_accounts_of(connection, run, near_codes(connection, accounts.c.code, first))
        raise NotFound("RUN04", f"account {first!r} is not in the run {run.code}", remedy=did_you_mean(first, known))
    held = [row for row in of_names.values() if row.state == "held"] if wanted.accounts else _held(connection, run)
    _refuse_unknown_names(host, connection, run, wanted)
    return [row for row in held if wanted.names(row) and any(item.check != TOGETHER for item in row.evidence)]


def _held(connection: Connection, run: Run) -> list[RunAccount]:
    return run_accounts(connection, run, states=["held"])


def _refuse_unknown_names(host: Host, connection: Connection, run: Run, wanted: HeldFilter) -> None:
    """Refuse checks and codes that there are none of: a misspelt one would choose no account, which looks like nothing to do."""
    checks = {*HOLDERS, *(check.name for check in host.review_checks)}
    known = (("check", wanted.checks, checks), ("code", wanted.codes, host.codes.keys()))
    if all({*names} <= {*there} for _, names, there in known):
        return
    evidence = [item for row in _held(connection, run) for item in row.evidence]
    holding = {item.check for item in evidence}, {item.finding.code for item in evidence}
    for (word, names, there), found in zip(known, holding, strict=True):
        if unknown := sorted({*names} - {*there} - found):
            likely = found if nearest(unknown[0], found) or word == "code" else set()  # codes are too many to name them all
            remedy = did_you_mean(unknown[0], likely or {*there}, shown=len(checks))
            raise NotFound("RUN62", f"there is no {word} {unknown[0]!r} that could hold an account", remedy=remedy)


def _kept_by(row: RunAccount, wanted: HeldFilter) -> str:
    """Return what keeps an account held, empty where it may pass."""
    others = [item for item in row.evidence if item.check in (*ABOUT_DATA, TOGETHER) or not wanted.covers(item)]
    if others:
        return f"{others[0].check}: {others[0].finding.what}"
    return "" if row.document is not None else "it has no draft to let pass"


def _digests(connection: Connection, rows: Sequence[RunAccount]) -> dict[int, str]:
    columns = document.c
    keys = {row.document for row in rows if row.document}
    query = sa.select(columns.id, columns.digest)
    return {one.id: one.digest.hex() for one in rows_of(connection, keys, lambda some: query.where(one_of(columns.id, some)))}


def _save_with_groups(connection: Connection, run: Run, changed: Sequence[RunAccount]) -> None:
    """Save rows that were released, and what follows for those that are billed together with them."""
    if not changed:
        return
    groups = load_billing_groups(connection, run.book)
    before = list(run_accounts_of(connection, run, groups.members([row.account for row in changed])).values())
    by_account = {row.account: row for row in changed}
    rows = [by_account.get(row.account, row) for row in before]
    after = held_together(rows, heads_of_drafts(connection, rows))
    save_accounts(connection, run, [row for row, was in zip(after, before, strict=True) if row != was])


def _event(run: Run, before: RunAccount, after: RunAccount, reason: str) -> audit.AuditEvent:
    return audit.AuditEvent(
        action="run release",
        object_kind="run account",
        object_key=f"{run.code}/{after.account}",
        before={"state": before.state, "evidence": to_plain(list(before.evidence))},
        after={"state": after.state},
        reason=reason,
    )


def retry_held(
    deployment: Deployment,
    code: str,
    wanted: HeldFilter,
    *,
    batch_size: int = 200,
    progress: Callable[[int, int], None] | None = None,
) -> Retried:
    """Draft held accounts again, whether or not their data have changed; what holds them now is found anew.

    What an officer holds stays held until it is released, and dates that another run bills until they are free.

    Args:
        deployment: the deployment.
        code: code of the run; the one that is meant where empty.
        wanted: the accounts and reasons.
        batch_size: accounts per transaction; it decides nothing else.
        progress: told after each batch how many accounts of how many are drafted.

    Raises:
        NotFound: there is no such run, an account is not in it, or ``RUN62``: there is no such check or code.
        Refused: ``RUN03`` where the run is approved or over.
    """
    with deployment.database.begin() as connection:
        run = meant_run(connection, code, lambda run: run.is_open, lock=True)
        if not run.is_open:
            raise Refused("RUN03", f"the run {run.code} is {run.state}", remedy=_WHEN_APPROVED.get(run.state, LEFT_OUT))
        rows = _named(deployment.host, connection, run, wanted)
        chosen = [row for row in rows if not any(item.check in LASTING for item in row.evidence)]
        save_accounts(connection, run, [attrs.evolve(row, state="pending") for row in chosen])
        if chosen and run.state == "drafted":
            run = move_run(connection, run, "drafting")
        audit.record(
            connection,
            deployment.clock.now(),
            deployment.actor,
            "run retry",
            object_kind="run",
            object_key=run.code,
            after={"accounts": len(chosen), "checks": list(wanted.checks), "codes": list(wanted.codes)},
        )
    if chosen:
        draft_accounts(deployment, run, batch_size=batch_size, progress=progress)
    with deployment.database.begin() as connection:
        run = locked(connection, run)
        if run.state == "drafting" and "pending" not in counts_by_state(connection, run):
            run = move_run(connection, run, "drafted")
        after = run_accounts_of(connection, run, [row.account for row in chosen])
    return Retried(
        run=run,
        retried=len(chosen),
        drafted=tuple(sorted(code for code, row in after.items() if row.state != "held")),
        held={code: row.reason for code, row in sorted(after.items()) if row.state == "held"},
        left=len(rows) - len(chosen),
    )
