"""Computes one issued document anew and issues the result in its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.book import BookProfile
from billing_framework.invoicing.credit_note import creditable
from billing_framework.invoicing.document import DocumentStatus
from billing_framework.invoicing.draft import DocumentKind, DraftDocument
from billing_framework.invoicing.edit import Edit
from billing_framework.invoicing.rebill import Comparison, compare
from billing_framework.invoicing.record_edit import RECORD_FIELDS, record_key
from billing_framework.rating.state import CarriedState
from billing_framework.run.correct.correction import Corrected, Correction, issue_correction
from billing_framework.run.correct.credit import draft_note
from billing_framework.run.cycle.bill import BillResult, bill
from billing_framework.run.cycle.bill_input import BillInput, Material
from billing_framework.run.cycle.issuer import buyer_of, seller_of
from billing_framework.run.cycle.load_input import Desk, InputRequest, load_inputs
from billing_framework.run.cycle.stored_input import read_inputs
from billing_framework.run.deployment import Deployment
from billing_framework.storage.billing.documents import StoredDocument, credit_notes_of, replaced_by
from billing_framework.storage.billing.draft_rows import DraftRecord
from billing_framework.storage.master.account_rows import load_parties
from billing_framework.storage.stored_form import to_text
from billing_framework.values.errors import Refused
from billing_framework.values.identity import natural_id


@attrs.frozen(kw_only=True)
class Rebilling:
    """One rebill at work.

    Attributes:
        deployment: the deployment.
        connection: a connection with the write transaction.
        desk: what all accounts of the book share.
        book: the book.
        on: date of the new documents.
        reason: why.
        known: ``now`` or ``original``: by which knowledge plans are chosen.
    """

    deployment: Deployment
    connection: Connection
    desk: Desk
    book: BookProfile
    on: date
    reason: str
    known: str


@attrs.frozen(kw_only=True)
class Anew:
    """A document computed anew.

    Attributes:
        known: how plans were chosen, for people.
        inputs: the new manifests by account.
        material: records and plans behind them.
        result: the bill of the account that pays.
        credited: credit notes that were issued for the document before.
        comparison: what differs; None where nothing is billed any more.
        unchanged: True where the new computation says the same, in lines and in carried state.
        lost_edits: edits of records that it does not bill, or bills as the source has delivered them anew.
    """

    known: str
    inputs: Mapping[str, BillInput]
    material: Material
    result: BillResult
    credited: Sequence[DraftDocument]
    comparison: Comparison | None
    unchanged: bool
    lost_edits: tuple[Edit, ...] = ()


def billed_anew(work: Rebilling, stored: StoredDocument) -> Anew:
    """Return an issued invoice computed anew.

    Raises:
        Refused: ``RUN20`` for anything but a standing invoice, ``RUN21`` where its data hold it now.
    """
    _refuse_corrected(work, stored)
    before = read_inputs(work.connection, stored.key).inputs
    account = stored.content.account
    if account not in before:
        raise Refused("RUN20", f"the input of {stored.number} is not there", remedy="Credit it, and bill by manual charges")
    known_at = before[account].known_at if work.known == "original" else None
    request = InputRequest(
        period=stored.content.period,
        issue_on=work.on,
        documents=dict.fromkeys(before, natural_id("document", "rebill", stored.number, stored.revision + 1)),
        own=[code for code, given in before.items() if given.agreements] or [account],
        edits={code: given.edits for code, given in before.items()},
        charges={code: given.charges for code, given in before.items()},
        plans_known_at=known_at,
        heeds_holds=False,
        repeats=stored.key,
    )
    loaded, material = load_inputs(work.connection, work.desk, list(before), request)
    inputs = {code: attrs.evolve(given, edits=_still_there(given)) for code, given in loaded.items()}
    result = next(one for one in bill(list(inputs.values()), material, work.deployment.host) if one.account == account)
    stopping = [finding for finding in result.findings if finding.stops]
    if stopping:
        raise Refused("RUN21", f"{stored.number} cannot be billed anew: {stopping[0]}", remedy="Correct the data, then rebill")
    credited = credit_notes_of(work.connection, stored.key)
    comparison = compare(stored.content, result.draft) if result.draft else None
    same = comparison is not None and comparison.is_unchanged and not credited and not _changed(stored.state, result.state)
    return Anew(
        known=_known(known_at),
        inputs=inputs,
        material=material,
        result=result,
        credited=credited,
        comparison=comparison,
        unchanged=same,
        lost_edits=tuple(edit for code, given in loaded.items() for edit in given.edits if edit not in inputs[code].edits),
    )


def _still_there(given: BillInput) -> tuple[Edit, ...]:
    """Return the edits without those of records that the document does not bill: deferred ones, replaced ones, moved ones."""
    records = {ref.key for one in given.agreements for ref in one.usage}
    return tuple(edit for edit in given.edits if edit.field not in RECORD_FIELDS or record_key(edit) in records)


def _known(known_at: datetime | None) -> str:
    by = "what is known now" if known_at is None else f"what was known at {known_at.isoformat()}"
    return f"plans by service date, {by}"


def _refuse_corrected(work: Rebilling, stored: StoredDocument) -> None:
    newer = replaced_by(work.connection, stored.key)
    what = ""
    if stored.content.kind is not DocumentKind.INVOICE or stored.status is not DocumentStatus.ISSUED:
        what = f"{stored.number} is a {stored.content.kind.value} with status {stored.status.value}"
    elif newer:
        what = f"{stored.number} was rebilled as {newer}"
    if what:
        raise Refused("RUN20", what, remedy="Rebill the newest issued invoice of the period")


def changed_states(stored: StoredDocument, anew: Anew) -> set[tuple[str, str]]:
    """Return scope and name of the carried states that the new computation leaves otherwise than the document did."""
    return _changed(stored.state, anew.result.state)


def _changed(before: Sequence[CarriedState], after: Sequence[CarriedState]) -> set[tuple[str, str]]:
    old = {(state.scope, state.name, state.period): dict(state.values) for state in before}
    new = {(state.scope, state.name, state.period): dict(state.values) for state in after}
    return {key[:2] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def issue_anew(work: Rebilling, stored: StoredDocument, anew: Anew) -> tuple[Corrected, tuple[DraftDocument, ...]]:
    """Issue the credit note of a document and the document computed anew."""
    left = creditable(stored.content, anew.credited)
    note = None
    if not all(item.is_spent for item in left):
        note = draft_note(work.connection, stored, list(anew.credited), on=work.on, reason=work.reason)
    correction = Correction(original=stored.key, note=note, new=_record(work, stored, anew) if anew.result.draft else None)
    return issue_correction(work.deployment, work.connection, work.book, correction)


def _record(work: Rebilling, stored: StoredDocument, anew: Anew) -> DraftRecord:
    result = anew.result
    if result.draft is None:
        raise AssertionError  # asked for only where there is one
    account = anew.inputs[result.account].account
    party = load_parties(work.connection, [account.party]).get(account.party)
    return DraftRecord(
        draft=result.draft,
        digest=result.digest,
        evidence=result.evidence,
        inputs={member: to_text(anew.inputs[member]) for member in result.members},
        state=result.state,
        state_read=result.state_read,
        records=result.records,
        seller=seller_of(work.book),
        buyer=buyer_of(account, party),
        run_id=stored.run_id,
        revision=stored.revision + 1,
        replaces=stored.key,
    )
