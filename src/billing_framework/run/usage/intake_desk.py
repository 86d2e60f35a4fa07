"""The desk of one intake batch: sorts the chunks of a file by the pure part and stores them in the batch's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.storage.usage.batches import MOST_FINDINGS, insert_coverage, next_id
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.storage.usage.rows import (
    Tables,
    insert_records,
    load_guide,
    stored_records,
    stored_slots,
    waiting_records,
)
from billing_framework.storage.usage.suspense import Suspended, insert_suspended
from billing_framework.storage.usage.tables import usage_batch, usage_suspense
from billing_framework.usage.intake import Delivered, Known, Sorted, identify, settle_keys, sort_in
from billing_framework.usage.plain import plain_usage
from billing_framework.usage.reader import BadRecord, Coverage
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.usage.record import AnyUsage
from billing_framework.usage.requirements import KindRules, kind_rules
from billing_framework.values.finding import Finding, Severity


@attrs.define(kw_only=True)
class IntakeDesk:
    """Sorts and stores the chunks of one batch within its transaction.

    Attributes:
        connection: the connection of the transaction.
        tables: the usage kinds with their tables.
        rules: the usage kinds with their fields.
        file: name of the file, for messages.
        source: source of records that could not be read.
        batch_id: number of the batch.
        totals: control totals so far.
        expected: values that the coverage so far claims.
        received: values of these that came.
        findings: findings so far, at most a thousand.
        recycled: ids of suspense rows that are being taken in again.
    """

    connection: Connection
    tables: Tables
    rules: Mapping[str, KindRules]
    file: str
    source: str
    batch_id: int
    totals: ControlTotals = attrs.field(factory=ControlTotals)
    expected: int = 0
    received: int = 0
    findings: list[Finding] = attrs.field(factory=list)
    recycled: frozenset[int] = frozenset()
    _next_suspense: int = 0
    _coverage_stored: int = 0

    @classmethod
    def opened(cls, deployment: Deployment, connection: Connection, *, file: str, source: str) -> IntakeDesk:
        """Return the desk of a new batch."""
        return cls(
            connection=connection,
            tables=kind_tables(deployment.host.kinds),
            rules=kind_rules(deployment.host.kinds),
            file=file,
            source=source,
            batch_id=next_id(connection, usage_batch),
            next_suspense=next_id(connection, usage_suspense),
        )

    def sort(self, items: Iterable[AnyUsage | BadRecord]) -> Sorted:
        """Return what becomes of some records, without storing anything."""
        delivered, stored = settle_keys(
            identify(items, self.rules, self.source, self.file),
            lambda keys: stored_records(self.connection, self.tables, keys),
        )
        keys = {record.key for record in delivered}
        known = Known(
            records=stored,
            slots=stored_slots(self.connection, self.tables, {record.slot for record in delivered if record.slot}),
            waiting=waiting_records(self.connection, keys, ignored=self.recycled),
            guide=load_guide(self.connection, _subjects(delivered)),
        )
        return sort_in(delivered, known, self.file)

    def take(self, items: Iterable[AnyUsage | BadRecord]) -> None:
        """Sort and store some records."""
        done = self.sort(items)
        insert_records(self.connection, self.tables, done.accepted, self.batch_id)
        waiting = [("suspended", record) for record in done.suspended] + [("rejected", record) for record in done.rejected]
        waiting.sort(key=lambda pair: pair[1].line)
        insert_suspended(self.connection, [self._suspended(state, record) for state, record in waiting])
        self.tell(finding for _, delivered in waiting for finding in delivered.findings)
        self.totals += done.totals

    def cover(self, coverage: list[Coverage]) -> None:
        """Store coverage, and tell its gaps."""
        insert_coverage(self.connection, self.batch_id, self._coverage_stored + 1, coverage)
        self._coverage_stored += len(coverage)
        for item in coverage:
            self.expected += item.expected
            self.received += item.received
            if item.missing:
                self.tell([_gap(item, self.file)])

    def tell(self, findings: Iterable[Finding]) -> None:
        """Keep findings for the report, up to the limit."""
        for finding in findings:
            if len(self.findings) < MOST_FINDINGS:
                self.findings.append(clean_finding(finding))

    def _suspended(self, state: str, delivered: Delivered) -> Suspended:
        number = self._next_suspense
        self._next_suspense += 1
        usage, bad = delivered.usage, delivered.bad
        return Suspended(
            id=number,
            batch=self.batch_id,
            record_key=delivered.key,
            digest=delivered.digest,
            state=state,
            kind=clean(usage.kind) if usage else "",
            source=clean(usage.source) if usage else self.source,
            external_id=clean(usage.external_id) if usage else "",
            subject=clean(usage.subject) if usage else "",
            line=delivered.line,
            findings=tuple(map(clean_finding, delivered.findings)),
            record=_clean_plain(plain_usage(usage, self.rules)) if usage else None,
            raw=clean(bad.raw) if bad else "",
        )


def _subjects(delivered: Iterable[Delivered]) -> set[str]:
    return {record.usage.subject for record in delivered if record.usage is not None and not record.findings}


def clean(text: object) -> str:
    """Return text that both databases can store: what UTF-8 cannot write is replaced, and so is a NUL."""
    return str(text).encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def clean_finding(finding: Finding) -> Finding:
    """Return a finding whose texts both databases can store."""
    return attrs.evolve(
        finding,
        what=clean(finding.what),
        remedy=clean(finding.remedy),
        file=clean(finding.file),
        field=clean(finding.field),
        value=clean(finding.value),
        subject=clean(finding.subject),
    )


def _clean_plain(value: Mapping[str, object]) -> dict[str, object]:
    return {key: clean(item) if isinstance(item, str) else item for key, item in value.items()}


def _gap(coverage: Coverage, file: str) -> Finding:
    first = coverage.missing[0]
    more = f" and {len(coverage.missing) - 1} more spans" if len(coverage.missing) > 1 else ""
    return Finding(
        code="USAGE05",
        severity=Severity.INFORMATION,
        what=f"{coverage.received} of {coverage.expected} values came; missing is {first}{more}",
        remedy="Ask the source for what is missing",
        file=file,
        subject=coverage.subject,
    )
