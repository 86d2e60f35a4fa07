"""Exports issued documents by a plugin's exporter, and checks files of its format; who exported what is audited."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.exchange.exporter import CheckRequest, ExportDocument, Exported, Exporter, ExportRequest
from billing_framework.invoicing.document import DocumentStatus
from billing_framework.plugin.check import personal_kinds
from billing_framework.plugin.host import Host
from billing_framework.run.deployment import Deployment
from billing_framework.run.personal.reading import BUYER_FIELDS, Read, party_reads, record_reads, usage_reads
from billing_framework.run.prove.export_documents import export_documents
from billing_framework.storage.audit import record
from billing_framework.storage.billing.buyers import buyer_owners
from billing_framework.storage.billing.documents import StoredDocument, find_document, load_documents
from billing_framework.storage.billing.numbers import posts
from billing_framework.storage.billing.run_rows import find_run
from billing_framework.storage.billing.tables import document
from billing_framework.storage.master.master_kind import PARTIES
from billing_framework.values.errors import ContractBroken, InputRefused, Refused
from billing_framework.values.finding import Finding, is_sound_finding
from billing_framework.values.foreign_code import failures_of
from billing_framework.values.spelling import did_you_mean

_NUMBERS_AUDITED = 1_000


@attrs.frozen(kw_only=True)
class ExportReport:
    """What an export came to.

    Attributes:
        format: name of the exporter.
        documents: numbers of the documents, in order of the file.
        suffix: end of the file's name that the format has.
        sha256: hex digest of the bytes, empty where nothing is to be written.
        data: the bytes; empty where a finding stops the export.
        findings: what had to be changed to fit the format, or why nothing is written.
    """

    format: str
    documents: tuple[str, ...]
    suffix: str
    sha256: str = ""
    data: bytes = attrs.field(default=b"", repr=False)
    findings: tuple[Finding, ...] = ()


def export(
    deployment: Deployment,
    file_format: str,
    *,
    numbers: Sequence[str] = (),
    run: str = "",
    options: Mapping[str, str] | None = None,
    created_at: datetime | None = None,
) -> ExportReport:
    """Return the bytes of a file about issued documents; the audit keeps who asked for which documents, and the digest.

    Args:
        deployment: the open deployment.
        file_format: name of an exporter.
        numbers: numbers of documents.
        run: name of a run: all documents that it posted, without what corrects them since. Either numbers or a run.
        options: options of the exporter.
        created_at: instant that the file bears; the clock's where None.

    Raises:
        NotFound: ``PLUGIN07`` for an unknown format, ``INVOICE20`` for an unknown document, ``RUN01`` for an unknown run.
        InputRefused: ``EXPORT01`` where nothing or both is named, ``EXPORT02`` for an option that the exporter does not have.
        Refused: ``EXPORT03`` for a void document or a run without issued documents.
        ContractBroken: ``PLUGIN04`` or ``PLUGIN05`` where the exporter fails.
    """
    exporter, settings = deployment.host.exporter(file_format)
    given = dict(options or {})
    _refuse_unknown(exporter, given)
    if bool(numbers) == bool(run):
        raise InputRefused("EXPORT01", "an export is of documents by number, or of a run", remedy="Give NUMBER..., or --run RUN")
    now = created_at or deployment.clock.now()
    with deployment.database.begin() as connection:
        stored = _of_run(connection, run) if run else _named(connection, numbers)
        assembled = export_documents(connection, deployment.host, stored, opened=True)
        report = ExportReport(
            format=file_format,
            documents=tuple(one.number for one in stored),
            suffix=exporter.suffix,
            findings=assembled.findings,
        )
        if any(finding.stops for finding in assembled.findings):
            return report
        made = _written(
            deployment.host, exporter, assembled.documents, ExportRequest(created_at=now, settings=settings, options=given)
        )
        if any(finding.stops for finding in made.findings):
            return attrs.evolve(report, findings=made.findings)
        report = attrs.evolve(report, data=made.data, sha256=hashlib.sha256(made.data).hexdigest(), findings=made.findings)
        record_reads(connection, deployment, f"invoice export {file_format}", _reads(connection, deployment, assembled.documents))
        _audit(connection, deployment, report, run, given)
    return report


def _audit(connection: Connection, deployment: Deployment, report: ExportReport, run: str, given: Mapping[str, str]) -> None:
    record(
        connection,
        deployment.clock.now(),
        deployment.actor,
        "invoice export",
        object_kind="run" if run else "document",
        object_key=run or report.documents[0],
        after={
            "format": report.format,
            "documents": list(report.documents[:_NUMBERS_AUDITED]),
            "number": len(report.documents),
            "options": dict(given),
            "sha256": report.sha256,
        },
    )


def _reads(connection: Connection, deployment: Deployment, documents: Sequence[ExportDocument]) -> Iterator[Read]:
    buyers = buyer_owners(connection, [one.document.key for one in documents])
    for one in documents:
        yield from party_reads([one.party.code], PARTIES.personal)
        if one.document.key in buyers:
            yield Read(owner=buyers[one.document.key], fields=BUYER_FIELDS, place=one.number)
        yield from usage_reads(deployment, one.records.values())


def check_file(
    deployment: Deployment, data: bytes, file_format: str, *, name: str, options: Mapping[str, str] | None = None
) -> tuple[Finding, ...]:
    """Return everything that is wrong with a file of an exporter's format, whoever wrote it.

    Args:
        deployment: the open deployment.
        data: content of the file.
        file_format: name of an exporter.
        name: name of the file, for messages.
        options: options of the exporter.

    Raises:
        NotFound: ``PLUGIN07`` for an unknown format.
        InputRefused: ``EXPORT02`` for an option that the exporter does not have, ``EXPORT04`` where it has no check.
        ContractBroken: ``PLUGIN04`` or ``PLUGIN05`` where the check fails.
    """
    exporter, settings = deployment.host.exporter(file_format)
    given = dict(options or {})
    _refuse_unknown(exporter, given)
    if exporter.check is None:
        checked = [name for name, one in deployment.host.exporters.items() if one.check is not None]
        raise InputRefused("EXPORT04", f"the format {file_format!r} has no check", remedy=did_you_mean("", checked))
    who = _who(deployment.host, exporter)
    with failures_of(f"the check of {who}", place=name):
        findings = exporter.check(data, CheckRequest(file=name, settings=settings, options=given))
    answered: Sequence[object] = findings
    strangers = [one for one in answered if not is_sound_finding(one)]
    if strangers:
        raise ContractBroken("PLUGIN04", f"the check of {who} returned a {type(strangers[0]).__name__}, not a Finding")
    return tuple(findings)


def _refuse_unknown(exporter: Exporter, options: Mapping[str, str]) -> None:
    for option in options:
        if option not in exporter.options:
            what = f"the format {exporter.format!r} has no option {option!r}"
            raise InputRefused("EXPORT02", what, remedy=did_you_mean(option, exporter.options))


def _named(connection: Connection, numbers: Sequence[str]) -> list[StoredDocument]:
    stored = [find_document(connection, number) for number in dict.fromkeys(numbers)]
    for one in stored:
        if one.status is not DocumentStatus.ISSUED:
            raise Refused(
                "EXPORT03", f"the document {one.number} is {one.status.value}", remedy="Export the one that replaces it"
            )
    return stored


def _of_run(connection: Connection, name: str) -> list[StoredDocument]:
    run = find_run(connection, name)
    columns = document.c
    query = sa.select(columns.id).where(posts(run), columns.status == "issued")
    loaded = load_documents(connection, connection.scalars(query))
    if not loaded:
        raise Refused("EXPORT03", f"the run {run.code} has issued no document", remedy="Post it first, or name documents")
    return sorted(loaded.values(), key=lambda one: (one.counter_name, one.counter))


def _written(host: Host, exporter: Exporter, documents: Sequence[ExportDocument], request: ExportRequest) -> Exported:
    who = _who(host, exporter)
    # What it was given holds personal data in the clear, and an error may quote it.
    with failures_of(who, hidden=bool(personal_kinds(host))):
        made: object = exporter.write(documents, request)
    if not isinstance(made, Exported):
        raise ContractBroken("PLUGIN04", f"{who} returned {type(made).__name__}, not Exported")
    return made


def _who(host: Host, exporter: Exporter) -> str:
    return f"the exporter {exporter.format!r} of plugin {host.owners['billing_exporters'][exporter.format]}"
