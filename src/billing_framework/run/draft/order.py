"""Keeps bills that hand carried state on in the order of their periods.

A bill rests on the state that the bill before it leaves. Between approval and posting nobody sees yet what a bill will leave, so
no other bill or correction that touches the same state may be decided in that time.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date

from sqlalchemy.engine import Connection

from billing_framework.run.draft.bill_result import BillResult
from billing_framework.storage.billing.billed_dates import LeftDates, billed_dates_of, billed_until, left_dates_of
from billing_framework.storage.billing.billed_records import document_record_rows, reserved_claims
from billing_framework.storage.billing.keys import states_before
from billing_framework.storage.billing.run_rows import HoldEvidence, Run, run_accounts
from billing_framework.storage.billing.state_reads import Reader, StateName, later_readers, reads_of, reserved_readers
from billing_framework.storage.many import chunks
from billing_framework.storage.turn import take_turn
from billing_framework.values.calendar import ReadDateCycle
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import DateSpan

ORDER = "order"
"""Name of the check that holds a draft whose period comes before one that was billed already."""

_WAITS = "RUN60"
_READ_DATE = str(ReadDateCycle())


def one_decision_at_a_time(connection: Connection, book: str) -> None:
    """Keep approvals, corrections and closings of a book apart: each must see what the others have decided."""
    take_turn(connection, "carried state", book)


def order_holds(connection: Connection, results: Sequence[BillResult], before: date) -> dict[str, HoldEvidence]:
    """Return by account why its draft waits: later periods are billed already, on the state that it would change.

    Args:
        connection: a connection.
        results: what the accounts are billed.
        before: the date after the last of the billing period.
    """
    writers = {(state.scope, state.name): result.account for result in results for state in result.state}
    later: dict[str, list[Reader]] = {}
    for reader in later_readers(connection, writers, before) if writers else ():
        later.setdefault(writers[reader.state], []).append(reader)
    return _waits(connection, results) | {account: _hold(account, readers) for account, readers in later.items()}


def _waits(connection: Connection, results: Sequence[BillResult]) -> dict[str, HoldEvidence]:
    """Return the accounts whose bill rests on carried state while an earlier one is not posted, or was left out of its run."""
    rests = [(one, one.draft.period.start) for one in results if one.draft is not None and (one.state or one.state_read)]
    billed_by = {member: one.account for one, _ in rests for member in one.members}
    starts = {member: start for one, start in rests for member in one.members}
    findings = _not_posted(connection, starts)
    return {billed_by[member]: HoldEvidence(check=ORDER, finding=finding) for member, finding in findings.items()}


def _not_posted(connection: Connection, starts: Mapping[str, date]) -> dict[str, Finding]:
    """Return what is not posted of accounts before a date: a draft, or dates that a run has left out and no other has billed."""
    billed = billed_dates_of(connection, starts)
    found = {}
    for account, start in starts.items():
        earlier = next((one for one in billed.get(account, ()) if not one.is_over and one.dates.end <= start), None)
        if earlier is not None:
            remedy = f"Post or cancel it first: billing run post {earlier.run}"
            found[account] = _wait(
                account, f"is not posted yet, and this bill rests on what it leaves: run {earlier.run}", earlier.dates, remedy
            )
    until = {account: billed_until(billed.get(account, ()), start) for account, start in starts.items()}
    behind = [account for account, start in starts.items() if until[account] < start and account not in found]
    for account, left in left_dates_of(connection, behind).items():
        first = next((one for one in left if until[account] < one.dates.end <= starts[account]), None)
        if first is not None:
            dates = DateSpan(max(first.dates.start, until[account]), first.dates.end)
            what = f"is on no bill, and this one rests on what it leaves: the run {first.run} has left it out"
            found[account] = _wait(account, what, dates, _bill_first(account, first, dates))
    return found


def _wait(account: str, what: str, dates: DateSpan, remedy: str) -> Finding:
    then = "then go on with this run: billing run resume"
    return Finding(code=_WAITS, what=f"the period {dates} {what}", remedy=f"{remedy}; {then}", subject=account)


def _bill_first(account: str, left: LeftDates, dates: DateSpan) -> str:
    start = f"billing run start --cycle {left.cycle} --period {dates} --account {account}"
    if left.kind == "migration":
        return f"Take it over first, or bill it here without --migration: {start} --migration"
    return f"Bill it first: {start if left.cycle == _READ_DATE else f'billing run catch-up --account {account}'}"


def waited_enough(connection: Connection, run: Run) -> list[str]:
    """Return the accounts of a run that are held for an earlier period of which nothing is left to post."""
    rows = run_accounts(connection, run, states=["held"])
    waits = {row.account: [one.finding.subject for one in row.evidence if one.finding.code == _WAITS] for row in rows}
    still = _not_posted(connection, {subject: run.period.start for subjects in waits.values() for subject in subjects})
    return [account for account, subjects in waits.items() if subjects and not still.keys() & set(subjects)]


def _hold(account: str, readers: Sequence[Reader]) -> HoldEvidence:
    numbers = list(dict.fromkeys(reader.number for reader in readers))
    finding = Finding(
        code="RUN25",
        what=f"later periods are billed already, and rest on the carried state that this bill changes: {', '.join(numbers)}",
        remedy="Release the account, post it, then bill the later documents anew in their order: billing invoice rebill",
        subject=account,
    )
    return HoldEvidence(check=ORDER, finding=finding, facts={reader.number: " ".join(reader.state) for reader in readers})


def order_findings(connection: Connection, run: Run, documents: Mapping[int, str]) -> list[Finding]:
    """Return what forbids to approve drafts for the sake of carried state, or of carried records that are billed once.

    Args:
        connection: a connection that keeps other decisions away.
        run: the run.
        documents: key of each draft to its account.
    """
    moved: list[Finding] = []
    waiting: dict[str, Finding] = {}
    for some in chunks(documents):
        reads = reads_of(connection, some)
        states = {state for read in reads.values() for state in read}
        if not states:
            continue
        # First who waits, then what stands: a document that is issued in between is seen by the second.
        for one in reserved_readers(connection, states, but_run=run.id):
            waiting[one.account] = _waiting(one.account, one)
        present = states_before(connection, {scope for scope, _ in states}, run.period.start)
        moved += [
            _moved(documents[key])
            for key, read in reads.items()
            if any(_writer(present, state) != writer for state, writer in read.items())
        ]
    found = [*_taken_elsewhere(connection, run, documents), *waiting.values(), *moved]
    return sorted(found, key=lambda finding: finding.subject)


def _writer(present: Mapping[str, Mapping[str, object]], state: StateName) -> int:
    found = present.get(state[0], {}).get(state[1])
    return int(getattr(found, "written_by", 0) or 0)


def _waiting(account: str, reader: Reader) -> Finding:
    return Finding(
        code="RUN24",
        severity=Severity.BLOCKING,
        what=f"the run {reader.run} is approved and not posted, and its bill touches the same carried state {reader.state[1]}",
        remedy=f"Post or cancel it first: billing run post {reader.run}; then start this run again",
        subject=account,
    )


def _taken_elsewhere(connection: Connection, run: Run, documents: Mapping[int, str]) -> Iterator[Finding]:
    """Yield a finding for each draft that bills a carried record which another approved run bills, too."""
    reserved = reserved_claims(connection, run.book, but_run=run.id)
    for key, by_account in document_record_rows(connection, documents if reserved else ()).items():
        codes = (reserved[claim] for one in by_account.values() for claim in one.claims if claim in reserved)
        if (code := next(codes, "")) != "":
            yield _taken(documents[key], code)


def _taken(account: str, code: str) -> Finding:
    return Finding(
        code="RUN24",
        severity=Severity.BLOCKING,
        what=f"the run {code} is approved and not posted, and bills some of the same records",
        remedy=f"Post or cancel it first: billing run post {code}; then start this run again",
        subject=account,
    )


def _moved(account: str) -> Finding:
    return Finding(
        code="RUN09",
        severity=Severity.BLOCKING,
        what="the draft is stale: carried state changed since",
        remedy="Draft it anew: billing run resume",
        subject=account,
    )


def refuse_reserved(connection: Connection, states: Collection[StateName]) -> None:
    """Refuse a correction of carried state on which documents of an approved run rest that are not posted yet.

    Raises:
        Refused: ``RUN24`` with the run.
    """
    waiting = reserved_readers(connection, states) if states else []
    if waiting:
        first = waiting[0]
        raise Refused(
            "RUN24",
            f"the run {first.run} is approved and not posted, and its bill of {first.account} rests on {first.state[1]}",
            remedy=f"Post or cancel it first: billing run post {first.run}",
        )


def refuse_reserved_records(connection: Connection, book: str, claims: Iterable[int]) -> None:
    """Refuse a correction that bills carried records which documents of an approved run bill that are not posted yet.

    Raises:
        Refused: ``RUN24`` with the run.
    """
    wanted = set(claims)
    reserved = reserved_claims(connection, book, wanted) if wanted else {}
    if code := next((reserved[claim] for claim in sorted(wanted) if claim in reserved), ""):
        raise Refused(
            "RUN24",
            f"the run {code} is approved and not posted, and bills some of the same records",
            remedy=f"Post or cancel it first: billing run post {code}",
        )
