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
from billing_framework.run.correct.correction import Corrected, Correction, issue_corrections
from billing_framework.run.correct.credit import draft_note
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill import bill
from billing_framework.run.draft.bill_input import BillInput, Material
from billing_framework.run.draft.bill_result import BillResult
from billing_framework.run.draft.issuer import buyer_of, seller_of
from billing_framework.run.draft.load_input import Desk, InputRequest, load_inputs
from billing_framework.run.draft.manifest import ManifestWriter
from billing_framework.run.draft.order import refuse_reserved_records
from billing_framework.run.draft.stored_input import read_inputs
from billing_framework.storage.billing.documents import StoredDocument, credit_notes_of, load_documents, replaced_by
from billing_framework.storage.billing.draft_rows import DraftRecord
from billing_framework.storage.billing.shared_documents import billed_with
from billing_framework.storage.master.account_rows import load_parties
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
class AnewDocument:
    """One document computed anew.

    Attributes:
        stored: the document, None for an account that pays only now.
        result: the bill of its account.
        credited: credit notes that were issued for the document before.
        comparison: what differs; None where nothing is billed any more, or nothing was billed before.
        unchanged: True where the new computation says the same, in lines and in carried state.
    """

    stored: StoredDocument | None
    result: BillResult
    credited: Sequence[DraftDocument] = ()
    comparison: Comparison | None = None
    unchanged: bool = False


@attrs.frozen(kw_only=True)
class Anew:
    """A document computed anew, with all that bear parts of the same charges.

    Attributes:
        known: how plans were chosen, for people.
        inputs: the new manifests by account.
        material: records and plans behind them.
        documents: the documents computed anew, the one that was asked for first.
        lost_edits: edits of records that it does not bill, or bills as the source has delivered them anew.
    """

    known: str
    inputs: Mapping[str, BillInput]
    material: Material
    documents: tuple[AnewDocument, ...]
    lost_edits: tuple[Edit, ...] = ()

    @property
    def unchanged(self) -> bool:
        """True where no document would say anything else."""
        return all(one.unchanged for one in self.documents)


def billed_anew(work: Rebilling, stored: StoredDocument, *, takes_waiting: bool = False) -> Anew:
    """Return an issued invoice computed anew, with those that bear parts of the same charges.

    Args:
        work: the rebill.
        stored: the invoice.
        takes_waiting: whether carried records are billed on it, too, that no standing document has billed.

    Raises:
        Refused: ``RUN20`` for anything but a standing invoice, ``RUN21`` where its data hold it now.
    """
    _refuse_corrected(work, stored)
    keys = billed_with(work.connection, stored.key)
    loaded = load_documents(work.connection, keys[1:])
    together = {one.content.account: one for one in (stored, *(loaded[key] for key in keys[1:]))}
    before = _inputs_before(work, together)
    account = stored.content.account
    if account not in before:
        raise Refused("RUN20", f"the input of {stored.number} is not there", remedy="Credit it, and bill by manual charges")
    served = [code for code, given in before.items() if given.agreements]
    # Who shares now and did not then gets a document, too.
    accounts = sorted({*before, *(bearer for code in served for bearer in work.desk.groups.bearers(code))})
    known_at = before[account].known_at if work.known == "original" else None
    request = InputRequest(
        period=stored.content.period,
        issue_on=work.on,
        documents={code: _new_key(code, stored, together, before) for code in accounts},
        own=served or [account],
        edits={code: given.edits for code, given in before.items()},
        charges={code: given.charges for code, given in before.items()},
        plans_known_at=known_at,
        heeds_holds=False,
        repeats=keys,
        takes_waiting=takes_waiting,
    )
    known, material = load_inputs(work.connection, work.desk, accounts, request)
    inputs = {code: attrs.evolve(given, edits=_still_there(given)) for code, given in known.items()}
    results = {one.account: one for one in bill(list(inputs.values()), material, work.deployment.host)}
    documents = [_compared(work, one, results[code], asked=one is stored) for code, one in together.items()]
    documents += [AnewDocument(stored=None, result=one) for code, one in results.items() if one.draft and code not in together]
    for one in documents:
        if stopping := [finding for finding in one.result.findings if finding.stops]:
            number = one.stored.number if one.stored else one.result.account
            raise Refused("RUN21", f"{number} cannot be billed anew: {stopping[0]}", remedy="Correct the data, then rebill")
    return Anew(
        known=_known(known_at),
        inputs=inputs,
        material=material,
        documents=tuple(documents),
        lost_edits=tuple(edit for code, given in known.items() for edit in given.edits if edit not in inputs[code].edits),
    )


def _inputs_before(work: Rebilling, together: Mapping[str, StoredDocument]) -> dict[str, BillInput]:
    """Return the manifests of documents by account; an account's own document knows its edits best."""
    found: dict[str, BillInput] = {}
    own: dict[str, BillInput] = {}
    for account, stored in together.items():
        inputs = read_inputs(work.connection, stored.key).inputs
        found = {**inputs, **found}
        own |= {code: given for code, given in inputs.items() if code == account}
    return dict(sorted({**found, **own}.items()))


def _new_key(
    account: str, stored: StoredDocument, together: Mapping[str, StoredDocument], before: Mapping[str, BillInput]
) -> int:
    own = together.get(account)
    if own is None and account not in before:
        return natural_id("document", "rebill", stored.number, stored.revision + 1, account)
    base = own or stored
    return rebill_key(base.number, base.revision)


def rebill_key(number: str, revision: int) -> int:
    """Return the key of the document that bills anew the one of this number and revision."""
    return natural_id("document", "rebill", number, revision + 1)


def _compared(work: Rebilling, stored: StoredDocument, result: BillResult, *, asked: bool) -> AnewDocument:
    """Return a document beside its new computation; what was credited of one that nobody asked for stays credited."""
    credited = credit_notes_of(work.connection, stored.key)
    comparison = compare(stored.content, result.draft) if result.draft else None
    same = comparison is not None and comparison.is_unchanged and not _changed(stored.state, result.state)
    if asked:
        same = same and not credited
    elif all(item.is_spent for item in creditable(stored.content, credited)):
        same = True
    return AnewDocument(stored=stored, result=result, credited=credited, comparison=comparison, unchanged=same)


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


def changed_states(anew: Anew) -> set[tuple[str, str]]:
    """Return scope and name of the carried states that the new computation leaves otherwise than the documents did."""
    before = [state for one in anew.documents if one.stored for state in one.stored.state]
    return _changed(before, [state for one in anew.documents for state in one.result.state])


def _changed(before: Sequence[CarriedState], after: Sequence[CarriedState]) -> set[tuple[str, str]]:
    old = {(state.scope, state.name, state.period): dict(state.values) for state in before}
    new = {(state.scope, state.name, state.period): dict(state.values) for state in after}
    return {key[:2] for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def issue_anew(work: Rebilling, anew: Anew) -> tuple[Sequence[Corrected], tuple[DraftDocument, ...]]:
    """Issue credit notes for the documents that say something else now, and the documents computed anew.

    Returns:
        What was issued for each document of `anew`, in order, nothing for those that stay; and all that was issued.

    Raises:
        Refused: ``RUN24`` where an approved run that is not posted bills some of the records.
    """
    records = (one for place in anew.documents for one in place.result.records)
    refuse_reserved_records(work.connection, work.book.code, (claim for one in records for claim in one.claims))
    places = [place for place, one in enumerate(anew.documents) if not one.unchanged]
    wanted = [_correction(work, anew, anew.documents[place]) for place in places]
    issued, documents = issue_corrections(work.deployment, work.connection, work.book, wanted)
    by_place = dict(zip(places, issued, strict=True))
    return [by_place.get(place, Corrected()) for place in range(len(anew.documents))], documents


def _correction(work: Rebilling, anew: Anew, one: AnewDocument) -> Correction:
    stored, note = one.stored, None
    if stored is not None and not all(item.is_spent for item in creditable(stored.content, one.credited)):
        note = draft_note(work.connection, stored, list(one.credited), on=work.on, reason=work.reason)
    new = _record(work, anew, one) if one.result.draft else None
    return Correction(original=stored.key if stored else 0, note=note, new=new)


def _record(work: Rebilling, anew: Anew, one: AnewDocument) -> DraftRecord:
    result, stored = one.result, one.stored
    if result.draft is None or result.texts is None:
        raise AssertionError  # asked for only where there is one
    account = anew.inputs[result.account].account
    party = load_parties(work.connection, [account.party]).get(account.party)
    writer = ManifestWriter()
    return DraftRecord(
        draft=result.draft,
        texts=result.texts,
        evidence=result.evidence,
        inputs={member: writer.write(anew.inputs[member]).text for member in result.members},
        state=result.state,
        state_read=result.state_read,
        records=result.records,
        seller=seller_of(work.book),
        buyer=buyer_of(account, party),
        run_id=next(other.stored.run_id for other in anew.documents if other.stored),
        revision=stored.revision + 1 if stored else 1,
        replaces=stored.key if stored else None,
    )
