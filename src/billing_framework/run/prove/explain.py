"""Explains a line: the chain back to its source records, and a replay that must land on the stored amount."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.invoicing.credit_note import credit_note
from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.draft import DocumentKind, DraftDocument, DraftLine
from billing_framework.invoicing.edit import Edit
from billing_framework.invoicing.record_edit import record_target
from billing_framework.rating.state import CarriedState
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill import bill
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.run.draft.bill_result import BillResult
from billing_framework.run.draft.stored_input import StoredMaterial, read_inputs, read_material
from billing_framework.run.prove.altered import altered_since
from billing_framework.run.versions import computing_versions
from billing_framework.storage.billing.billed_records import billed_on
from billing_framework.storage.billing.documents import StoredDocument, as_issued, credit_notes_of, find_document, load_documents
from billing_framework.storage.billing.draft_rows import LineEvidence
from billing_framework.storage.billing.tables import document, run
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.usage.load import UsageRow
from billing_framework.storage.usage.suspense import delivered_in
from billing_framework.storage.usage.tables import usage_batch
from billing_framework.values.errors import NotFound
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money
from billing_framework.values.number import whole_or_none
from billing_framework.values.period import Span


@attrs.frozen(kw_only=True)
class SourceRecord:
    """A usage record that a line rests on, and where it came from.

    Attributes:
        external_id: its identifier at the source.
        source: who delivered it.
        kind: its kind.
        subject: identifier of the field.
        span: instants that it covers.
        file: file that brought it; with the line where it waited in suspense.
        taken_at: when it was taken in.
    """

    external_id: str
    source: str
    kind: str
    subject: str
    span: Span
    file: str
    taken_at: datetime


@attrs.frozen(kw_only=True)
class SourceState:
    """Carried state that a line rests on, and where it came from.

    Attributes:
        state: the state.
        document: number of the document that had written it; empty where a migration took it over.
        run: code of the migration that took it over; empty where a document had written it.
    """

    state: CarriedState
    document: str = ""
    run: str = ""


@attrs.frozen(kw_only=True)
class Explanation:
    """Why a line says what it says.

    Attributes:
        document: number of the document.
        account: code of the account that is billed.
        line: the stored line.
        evidence: the steps by which its amount came to be.
        records: usage records that it rests on.
        state: carried state that it rests on, and where it came from.
        edits: officers' edits of the charge, and of the records that it rests on.
        versions: name and version of all that computed it.
        computed: amount without tax that the replay came to; None where it could not be replayed.
        original: for a line of a credit note, the explanation of the line that it takes back.
        findings: what was altered since, or what is missing for a replay.
    """

    document: str
    account: str
    line: DraftLine
    evidence: LineEvidence
    records: tuple[SourceRecord, ...] = ()
    state: tuple[SourceState, ...] = ()
    edits: tuple[Edit, ...] = ()
    versions: Mapping[str, str] = attrs.field(factory=dict)
    computed: Money | None = None
    original: Explanation | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def proven(self) -> bool:
        """True where the replay landed on the stored amount and nothing was altered."""
        sound = self.computed == self.line.net and not any(finding.stops for finding in self.findings)
        return sound and (self.original is None or self.original.proven)


def explain_line(deployment: Deployment, name: str) -> Explanation:
    """Explain one line of an issued document.

    Args:
        deployment: the deployment.
        name: number of the document and of the line: ``INV-2026-000001/3``.

    Raises:
        NotFound: ``INVOICE20`` for an unknown document, ``RUN17`` for a line that it does not have.
    """
    number, _, position = name.rpartition("/")
    line = whole_or_none(position)
    if not number or line is None:
        raise NotFound("RUN17", f"{name!r} names no line", remedy="Write the document's number and the line: INV-2026-000001/3")
    with deployment.database.read() as connection:
        return _explained(deployment, connection, find_document(connection, number), line)


def _explained(deployment: Deployment, connection: Connection, stored: StoredDocument, number: int) -> Explanation:
    lines = stored.content.lines
    if not 1 <= number <= len(lines):
        raise NotFound("RUN17", f"{stored.number} has no line {number}", remedy=f"Its lines are 1 to {len(lines)}")
    base = Explanation(
        document=stored.number,
        account=stored.content.account,
        line=lines[number - 1],
        evidence=stored.evidence[number - 1],
        findings=tuple(_altered_document(stored)),
    )
    if stored.content.kind is DocumentKind.CREDIT_NOTE:
        return _credit(deployment, connection, stored, base)
    return _replayed(deployment, connection, stored, base)


def _altered_document(stored: StoredDocument) -> Iterable[Finding]:
    for name in stored.odd:
        yield _finding("EXPLAIN05", f"the stored {name} of {stored.number} differs from its content", stored.number)
    if document_digest(stored.content) != stored.digest:
        yield _finding("EXPLAIN05", f"the content of {stored.number} is not what was issued", stored.number)


_REMEDIES = {
    "EXPLAIN04": "Install the named versions where it is to be computed as it was then",
    "EXPLAIN06": "Install the versions that are named, if any; else look for altered rows (billing ledger verify), and report the"
    " plugin that computes the line",
}
_ALTERED = "Find out who changed it behind the program's back, and restore it from a backup"


def _finding(code: str, what: str, subject: str, severity: Severity = Severity.BLOCKING) -> Finding:
    return Finding(code=code, severity=severity, what=what, remedy=_REMEDIES.get(code, _ALTERED), subject=subject)


def _credit(deployment: Deployment, connection: Connection, stored: StoredDocument, base: Explanation) -> Explanation:
    """Explain a line of a credit note by the line that it takes back, and compute the note once more."""
    original = load_documents(connection, [stored.content.corrects])[stored.content.corrects]
    notes = credit_notes_of(connection, original.key)
    earlier = notes[: [note.key for note in notes].index(stored.key)]
    nets = {line.corrects_line: -line.net for line in stored.content.lines}
    again = credit_note(
        as_issued(connection, [original])[original.key],
        earlier,
        key=stored.key,
        issue_on=stored.content.issue_on,
        reason=stored.content.reason,
        nets=nets,
    )
    line = next((one for one in again.lines if one.corrects_line == base.line.corrects_line), None)
    return attrs.evolve(
        base,
        computed=line.net if line else None,
        original=_explained(deployment, connection, original, base.line.corrects_line),
    )


def _replayed(deployment: Deployment, connection: Connection, stored: StoredDocument, base: Explanation) -> Explanation:
    found = read_inputs(connection, stored.key)
    material = read_material(connection, deployment.host, found.inputs)
    findings = [*base.findings, *found.findings, *material.findings]
    targets = {base.line.charge_key, *(record_target(key) for key in base.evidence.records)}
    base = attrs.evolve(
        base,
        records=_sources(connection, [material.rows[key] for key in base.evidence.records if key in material.rows]),
        state=_state(connection, base, found.inputs.values()),
        edits=tuple(edit for given in found.inputs.values() for edit in given.edits if edit.target in targets),
    )
    if not found.inputs:
        findings.append(_finding("EXPLAIN01", f"the input of {stored.number} is not there", stored.number))
        return attrs.evolve(base, findings=tuple(findings))
    versions = next(iter(found.inputs.values())).versions
    differing = _differing(versions, computing_versions(deployment))
    result = None
    if not findings:
        result, problem = _billed(deployment, found.inputs, material, base, differing)
        findings += [problem] if problem else []
    computed, problems = _compared(stored, base, result, differing)
    problems += [] if result is None else _other_records(connection, stored, result)
    altered = altered_since(connection, found.inputs, stored.run_id)
    return attrs.evolve(base, versions=versions, computed=computed, findings=(*findings, *problems, *altered))


def _billed(
    deployment: Deployment,
    inputs: Mapping[str, BillInput],
    material: StoredMaterial,
    base: Explanation,
    differing: Sequence[str],
) -> tuple[BillResult | None, Finding | None]:
    results = bill(list(inputs.values()), material.material, deployment.host, by_reference=True)
    result = next((one for one in results if one.account == base.account), None)
    if result is not None and result.draft is not None:
        return result, None
    why = next((str(finding) for finding in result.findings if finding.stops), "nothing is billed") if result else "no input"
    return None, _finding("EXPLAIN06", f"the replay bills nothing: {why}{_versions(differing)}", base.document)


def _compared(
    stored: StoredDocument, base: Explanation, result: BillResult | None, differing: Sequence[str]
) -> tuple[Money | None, list[Finding]]:
    """Return what the replay came to for the line, and where it differs from what is stored."""
    if result is None or result.draft is None:
        return None, []
    place = {line.charge_key: number for number, line in enumerate(result.draft.lines)}.get(base.line.charge_key)
    if place is None:
        what = f"the replay has no line {base.line.charge_key}{_versions(differing)}"
        return None, [_finding("EXPLAIN06", what, base.document)]
    line, problems = result.draft.lines[place], []
    if line.net != base.line.net:
        what = f"the replay comes to {line.net}, the document says {base.line.net}{_versions(differing)}"
        problems.append(_finding("EXPLAIN06", what, base.document))
    elif line != base.line or result.evidence[place] != base.evidence:
        what = f"the replay words or proves the line otherwise{_versions(differing)}"
        problems.append(_finding("EXPLAIN06", what, base.document))
    elif not _same_document(stored.content, result.draft):
        what = f"another line of the document is computed otherwise{_versions(differing)}"
        problems.append(_finding("EXPLAIN06", what, base.document))
    if differing and not problems:
        what = f"computed then by other versions, with the same result: {'; '.join(differing)}"
        problems.append(_finding("EXPLAIN04", what, base.document, Severity.INFORMATION))
    return line.net, problems


def _other_records(connection: Connection, stored: StoredDocument, result: BillResult) -> list[Finding]:
    """Return a finding where other records are noted as billed by a document than the replay bills."""
    billed = {key for one in result.records for key in one.billed}
    if billed_on(connection, stored.key).keys() == billed:
        return []
    return [_finding("EXPLAIN07", f"the records noted as billed by {stored.number} are not those that it bills", stored.number)]


def _same_document(stored: DraftDocument, again: DraftDocument) -> bool:
    return document_digest(stored) == document_digest(again)


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    return [
        f"{name} was {then.get(name, 'not there')}, is {now.get(name, 'not enabled')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]


def _versions(differing: Sequence[str]) -> str:
    return f" ({'; '.join(differing)}: install that version to replay)" if differing else ""


def _sources(connection: Connection, rows: Sequence[UsageRow]) -> tuple[SourceRecord, ...]:
    batches = {
        row.id: row
        for row in rows_of(
            connection, {row.batch for row in rows}, lambda some: sa.select(usage_batch).where(one_of(usage_batch.c.id, some))
        )
    }
    waited = delivered_in(connection, [row.key for row in rows])
    return tuple(
        SourceRecord(
            external_id=row.usage.external_id,
            source=row.usage.source,
            kind=row.usage.kind,
            subject=row.usage.subject,
            span=row.usage.span,
            file=waited.get(row.key, batches[row.batch].file),
            taken_at=batches[row.batch].taken_at,
        )
        for row in rows
    )


def _state(connection: Connection, base: Explanation, inputs: Iterable[BillInput]) -> tuple[SourceState, ...]:
    names = set(base.evidence.state_read)
    read = [
        state
        for given in inputs
        for agreement in given.agreements
        if agreement.agreement.code == base.line.agreement
        for state in agreement.state
        if state.name in names
    ]
    query = sa.select(document.c.id, document.c.number, run.c.code).outerjoin(run, run.c.id == document.c.run_id)
    writers = {
        row.id: row
        for row in rows_of(
            connection,
            {int(state.written_by or 0) for state in read},
            lambda some: query.where(one_of(document.c.id, some)),
        )
    }
    return tuple(_source_state(state, writers.get(int(state.written_by or 0))) for state in read)


def _source_state(state: CarriedState, writer: sa.Row[Any] | None) -> SourceState:
    """Return a state with what wrote it: an issued document, or the draft that a migration keeps of what it took over."""
    if writer is None:  # removed behind the program's back, which is a finding
        return SourceState(state=state)
    return SourceState(state=state, document=writer.number) if writer.number else SourceState(state=state, run=writer.code or "")
