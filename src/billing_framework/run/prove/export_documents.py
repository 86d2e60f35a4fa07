"""Puts together what an exporter is given: issued documents with the accounts, agreements and records behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.party import Party
from billing_framework.exchange.exporter import ExportDocument, ExportLine, GivenAnswer
from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.draft import DocumentKind
from billing_framework.plugin.host import Host
from billing_framework.rating.group import KeyedUsage
from billing_framework.receivables.answer import AnswerItem
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.run.draft.rated_input import billing_group
from billing_framework.run.draft.stored_input import StoredMaterial, read_inputs, read_material
from billing_framework.storage.billing.documents import StoredDocument, as_issued, load_documents
from billing_framework.storage.billing.draft_rows import LineEvidence
from billing_framework.storage.master.account_rows import load_accounts, load_parties
from billing_framework.storage.receivable.answers import load_answers, standing_items
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.opened import open_records
from billing_framework.values.finding import Finding, Severity

_AT_A_TIME = 200


@attrs.frozen(kw_only=True)
class Assembled:
    """Documents for an exporter.

    Attributes:
        documents: in the order in which they were asked for.
        findings: what was altered behind the program's back, or is no longer there.
    """

    documents: tuple[ExportDocument, ...] = ()
    findings: tuple[Finding, ...] = ()


@attrs.frozen(kw_only=True)
class _Known:
    """What the documents of one batch share."""

    inputs: Mapping[int, Mapping[str, BillInput]]
    material: StoredMaterial
    accounts: Mapping[str, Account]
    parties: Mapping[str, Party]


def export_documents(connection: Connection, host: Host, stored: Sequence[StoredDocument], *, opened: bool = False) -> Assembled:
    """Return issued documents with all that a file about them may say.

    A credit note has no input of its own: its records and agreements are those of the document that it corrects, line by line.

    Args:
        connection: a connection.
        host: the plugins; they know the kinds of the records.
        stored: the documents.
        opened: True to open the personal fields of records; the caller keeps in the audit who reads them.
    """
    documents: list[ExportDocument] = []
    findings: list[Finding] = []
    rest = iter(stored)
    while some := list(islice(rest, _AT_A_TIME)):
        made = _some(connection, host, some, opened=opened)
        documents += made.documents
        findings += made.findings
    return Assembled(documents=tuple(documents), findings=tuple(findings))


def _some(connection: Connection, host: Host, stored: Sequence[StoredDocument], *, opened: bool) -> Assembled:
    originals = load_documents(connection, {one.content.corrects for one in stored if one.content.corrects})
    everything = [*stored, *originals.values()]
    findings = [
        _altered("EXPLAIN05", one.number, "its content is not what was issued")
        for one in everything
        if one.odd or document_digest(one.content) != one.digest
    ]
    inputs: dict[int, Mapping[str, BillInput]] = {}
    for one in everything:
        found = read_inputs(connection, one.key)
        inputs[one.key] = found.inputs
        findings += found.findings
        if not found.inputs and one.content.kind is DocumentKind.INVOICE:
            findings.append(_altered("EXPLAIN01", one.number, "the input that it was made from is not there"))
    material = read_material(
        connection, host, {f"{key}/{code}": one for key, some in inputs.items() for code, one in some.items()}
    )
    findings += material.findings
    if findings:
        return Assembled(findings=tuple(findings))
    if opened:
        usage = open_records(connection, kind_tables(host.kinds), material.rows.values())
        material = attrs.evolve(material, material=attrs.evolve(material.material, usage=usage))
    accounts = load_accounts(connection, {one.content.account for one in stored})
    parties = load_parties(connection, {account.party for account in accounts.values()})
    known = _Known(inputs=inputs, material=material, accounts=accounts, parties=parties)
    answers = _answers(connection, [one.number for one in stored])
    issued = as_issued(connection, stored)
    made = []
    for one in stored:
        source = originals.get(one.content.corrects, one)
        base = ExportDocument(
            document=issued[one.key],
            account=_account(one, source, known),
            party=parties[accounts[one.content.account].party],
            lines=tuple(_lines(one, source)),
            answers=answers.get(one.number, ()),
        )
        made.append(_with_records(base, known.inputs[source.key], known.material))
    return Assembled(documents=tuple(made))


def _answers(connection: Connection, numbers: Sequence[str]) -> dict[str, tuple[GivenAnswer, ...]]:
    """Return by number what third parties have answered to documents, as far as it stands."""
    items = standing_items(connection, numbers)
    given = load_answers(connection, {one.answer for one in items})
    found: dict[str, tuple[GivenAnswer, ...]] = {}
    for one in items:
        if isinstance(one.content, AnswerItem):
            said = given[one.answer]
            answer = GivenAnswer(payer=said.payer, trace=said.trace, paid_on=said.paid_on, item=one.content)
            found[one.content.document] = (*found.get(one.content.document, ()), answer)
    return found


def _account(one: StoredDocument, source: StoredDocument, known: _Known) -> Account:
    given = known.inputs[source.key].get(one.content.account)
    return given.account if given is not None else known.accounts[one.content.account]


def _lines(one: StoredDocument, source: StoredDocument) -> Iterable[ExportLine]:
    for number, line in enumerate(one.content.lines):
        place = line.corrects_line - 1 if line.corrects_line else number
        proof = source.evidence[place] if place < len(source.evidence) else LineEvidence()
        yield ExportLine(line=line, records=proof.records, steps=proof.steps)


def _with_records(base: ExportDocument, inputs: Mapping[str, BillInput], material: StoredMaterial) -> ExportDocument:
    """Add the agreements and their records as they were billed; a neighbour's record counts only where a line rests on it."""
    wanted = {key for line in base.lines for key in line.records}
    agreements: dict[str, Agreement] = {}
    found: dict[int, tuple[str, KeyedUsage]] = {}
    for given in inputs.values():
        for one in billing_group(given, material.material).agreements:
            agreements[one.agreement.code] = one.agreement
            for record in one.records:
                if record.key in wanted or record.assignment.agreement == one.agreement.code:
                    found[record.key] = (one.agreement.code, record)
    return attrs.evolve(
        base,
        agreements=agreements,
        records={key: record.usage for key, (_, record) in found.items()},
        originals={key: record.original for key, (_, record) in found.items() if record.original is not None},
        record_agreements={key: code for key, (code, _) in found.items()},
        assignments={key: record.assignment for key, (_, record) in found.items()},
    )


def _altered(code: str, number: str, what: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=what,
        remedy="Find out who changed it behind the program's back, and restore it from a backup",
        subject=number,
    )
