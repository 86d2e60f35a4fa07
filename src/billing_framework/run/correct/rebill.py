"""Rebills an issued document: credit note, new document, entries and open items in one operation, and what rests on it.

The new document is computed like any other bill, by what is known now of usage, accounts and assignments; of price plans either
what is known now or what was known when the document was drafted. Carried state that the document wrote is rewound; later
documents that rest on it are treated as their plan says.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

import attrs

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.edit import Edit, EditField
from billing_framework.invoicing.rebill import Comparison
from billing_framework.rating.price_plan import Correction as Policy
from billing_framework.run.correct.correction import Corrected, issue_date, locked_document, post_entries
from billing_framework.run.correct.dependents import Dependent, dependents_of
from billing_framework.run.correct.late_bills import late_bills_of
from billing_framework.run.correct.rebill_later import Chain, adjust_next, corrected_chain, hold_for_correction
from billing_framework.run.correct.rebill_one import Anew, Rebilling, billed_anew, changed_states, issue_anew
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.load_input import open_desk
from billing_framework.run.draft.order import refuse_reserved
from billing_framework.run.reason import PRINTED, needs_reason
from billing_framework.run.usage.unknown_kinds import refuse_unknown_kinds
from billing_framework.run.versions import computing_versions
from billing_framework.storage import audit
from billing_framework.storage.billing.documents import StoredDocument, load_documents, replaced_by
from billing_framework.storage.billing.keys import states_before
from billing_framework.storage.master.account_rows import lock_accounts
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.usage.batches import instant_of_decision
from billing_framework.values.clock import FixedClock


@attrs.frozen(kw_only=True)
class Later:
    """What happened to a later document that rests on the rebilled one.

    Attributes:
        number: its number.
        policy: policy of its plan.
        outcome: what was done, in one sentence.
        new: number of the document that replaces it, empty where it stands.
    """

    number: str
    policy: Policy
    outcome: str
    new: str = ""


@attrs.frozen(kw_only=True)
class Beside:
    """What happened to a document that bears parts of the same charges.

    Attributes:
        document: its number, empty for an account that pays only now.
        account: code of the account that it bills.
        note: number of the credit note, empty where nothing was left to credit.
        new: number of the new document, empty where the account pays nothing any more.
        comparison: what the new computation changed; None where the document fell away or is the account's first.
    """

    document: str
    account: str
    note: str = ""
    new: str = ""
    comparison: Comparison | None = None


@attrs.frozen(kw_only=True)
class RebillReport:
    """What rebilling a document did.

    Attributes:
        document: number of the document.
        known: how plans were chosen: by what is known now, or was known at an instant.
        note: number of the credit note, empty where nothing was left to credit.
        new: number of the new document, empty where nothing is billed any more.
        comparison: what the new computation changed, line by line; None where the document fell away.
        unchanged: True where a rebill would say the same again; nothing was done then.
        beside: documents of other payers of the same charges that were rebilled with it.
        later: documents that rest on carried state which changed, by period.
        lost_edits: reviewers' edits of records that the new document does not bill, or not as they were edited.
    """

    document: str
    known: str
    note: str = ""
    new: str = ""
    comparison: Comparison | None = None
    unchanged: bool = False
    beside: tuple[Beside, ...] = ()
    later: tuple[Later, ...] = ()
    lost_edits: tuple[Edit, ...] = ()


def rebill_document(
    deployment: Deployment,
    number: str,
    *,
    reason: str,
    known: str = "now",
    as_of: date | None = None,
    takes_waiting: bool = False,
) -> RebillReport:
    """Rebill an issued invoice, those that bear parts of the same charges, and what rests on them, in one transaction.

    Each document of a cascade is computed from the state that the one before it has just written, so the computing stands under
    the transaction here, unlike in a run.

    Args:
        deployment: the deployment; its actor rebills.
        number: number of the invoice.
        reason: why; printed on the credit note.
        known: ``now`` or ``original``: by which knowledge plans are chosen for the service dates.
        as_of: date of the new documents; today in the book's zone where None.
        takes_waiting: whether carried records of the period and before are billed, too, that no standing document has billed.

    Raises:
        NotFound: there is no such document.
        InputRefused: ``RUN14`` without a reason.
        Refused: ``RUN20`` where it cannot be rebilled, ``RUN21`` where its data hold it, ``RUN24`` where an approved run that is
            not posted rests on its carried state, or bills some of its records.
        ConfigurationError: ``USAGE34`` where usage of its period is of a plugin that is not enabled.
        LedgerRefused: no open period holds the date.
    """
    needs_reason(reason, "rebilling", code="RUN14", kept=PRINTED)
    with deployment.database.begin() as connection:
        stored = locked_document(connection, number)
        # From here on no usage comes in. The whole act has one instant, by which later usage is known to be late for it.
        decided_at = instant_of_decision(connection, deployment.clock.now())
        deployment = attrs.evolve(deployment, clock=FixedClock(decided_at))
        book = load_book(connection, stored.content.book).profile
        refuse_unknown_kinds(connection, deployment.host, stored.content.period, book.zone)
        desk = open_desk(deployment, connection, book.code, versions=computing_versions(deployment))
        work = Rebilling(
            deployment=deployment,
            connection=connection,
            desk=desk,
            book=book,
            on=issue_date(deployment, book, as_of),
            reason=reason,
            known=known,
        )
        report, documents = _with_later(work, stored, billed_anew(work, stored, takes_waiting=takes_waiting))
        if not report.unchanged:
            _audit(work, report)
        post_entries(deployment, connection, book, documents, f"rebill/{number}/{stored.revision + 1}")
        return report


def _with_later(work: Rebilling, stored: StoredDocument, anew: Anew) -> tuple[RebillReport, Sequence[DraftDocument]]:
    report = RebillReport(
        document=stored.number,
        known=anew.known,
        comparison=anew.documents[0].comparison,
        unchanged=anew.unchanged,
        lost_edits=tuple(edit for edit in anew.lost_edits if edit.field is EditField.RECORD),
    )
    if anew.unchanged:
        return report, ()
    group = [one.stored for one in anew.documents if one.stored]
    lock_accounts(work.connection, [one.result.account for one in anew.documents])
    changed = changed_states(anew)
    refuse_reserved(work.connection, changed | {(state.scope, state.name) for one in group for state in one.state})
    later, late = _resting_on(work, stored, group, changed)
    # What later documents rested on before; afterwards only the difference that this correction makes is theirs.
    rested = {one.key: states_before(work.connection, {scope for scope, _ in one.states}, one.period.start) for one in later}
    corrected, documents = issue_anew(work, anew)
    issued = [*documents]
    treated = []
    chain = _chain(stored, anew, corrected)
    for one in later:
        if newer := replaced_by(work.connection, one.key):
            outcome = "rebilled with another document that bears parts of the same charges"
            treated.append(Later(number=one.number, policy=_policy(anew, one), outcome=outcome, new=newer))
            continue
        policy = Policy.CASCADE if one.key in late else _policy(anew, one)
        if policy is Policy.HOLD:
            hold_for_correction(work, one, stored.number)
            outcome = "its account is held from billing until an officer has decided; rebill it, then release the hold"
            treated.append(Later(number=one.number, policy=policy, outcome=outcome))
        elif policy is Policy.ADJUST_NEXT:
            outcome = adjust_next(work, one, rested[one.key], chain)
            treated.append(Later(number=one.number, policy=policy, outcome=outcome))
        else:
            row, more = _cascaded(work, one, policy)
            issued += more
            treated.append(row)
    report = attrs.evolve(report, note=corrected[0].note, new=corrected[0].new, later=tuple(treated))
    return attrs.evolve(report, beside=_beside(anew, corrected)), issued


def _resting_on(
    work: Rebilling, stored: StoredDocument, group: Sequence[StoredDocument], changed: Collection[tuple[str, str]]
) -> tuple[list[Dependent], set[int]]:
    """Return the later documents that rest on changed state or bill late usage of the period, and the keys of the latter.

    What bills late usage by its difference to a document that is billed anew is billed anew, too, without that difference.
    """
    found = {one.key: one for one in late_bills_of(work.connection, group)}
    late = set(found)
    found |= {one.key: one for one in dependents_of(work.connection, stored, changed)}
    return sorted(found.values(), key=lambda one: (one.period, one.number)), late


def _chain(stored: StoredDocument, anew: Anew, corrected: Sequence[Corrected]) -> Chain:
    """Return who hands the corrected state on: the document that writes it, the one that was asked for where none does."""
    writers = [place for place, one in enumerate(anew.documents) if one.result.state and corrected[place].new]
    return corrected_chain(stored, corrected[writers[0] if writers else 0])


def _beside(anew: Anew, corrected: Sequence[Corrected]) -> tuple[Beside, ...]:
    pairs = list(zip(anew.documents, corrected, strict=True))[1:]
    return tuple(
        Beside(
            document=one.stored.number if one.stored else "",
            account=one.result.account,
            note=done.note,
            new=done.new,
            comparison=one.comparison,
        )
        for one, done in pairs
        if done.note or done.new
    )


def _cascaded(work: Rebilling, one: Dependent, policy: Policy) -> tuple[Later, Sequence[DraftDocument]]:
    stored = load_documents(work.connection, [one.key])[one.key]
    anew = billed_anew(work, stored)
    if anew.unchanged:
        return Later(number=one.number, policy=policy, outcome="it stays: a rebill would say the same"), ()
    lock_accounts(work.connection, [one.result.account for one in anew.documents])
    corrected, documents = issue_anew(work, anew)
    first = corrected[0]
    outcome = f"rebilled: {first.note or 'no credit note'}, {first.new or 'no new document'}"
    return Later(number=one.number, policy=policy, outcome=outcome, new=first.new), documents


def _policy(anew: Anew, one: Dependent) -> Policy:
    """Return the policy of the plan that the state's agreement has at the end of the rebilled period."""
    scopes = {scope for scope, _ in one.states}
    for given in anew.inputs.values():
        for agreement in given.agreements:
            if agreement.agreement.code in scopes and agreement.tiles:
                return anew.material.plans[agreement.tiles[-1].plan].correction
    return Policy.HOLD


def _audit(work: Rebilling, report: RebillReport) -> None:
    after = {
        "credit note": report.note,
        "new": report.new,
        "plans known": report.known,
        "beside": {one.document or one.account: [one.note, one.new] for one in report.beside},
        "later": {one.number: one.outcome for one in report.later},
    }
    audit.record(
        work.connection,
        work.deployment.clock.now(),
        work.deployment.actor,
        "invoice rebill",
        object_kind="document",
        object_key=report.document,
        after=after,
        reason=work.reason,
    )
