"""The desk of one intake batch: sorts the chunks of a file by the pure part and stores them in the batch's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.storage.personal.key_desk import INDEX, KeyDesk, owner_of_subject
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
from billing_framework.storage.usage.sealed_suspense import sealed_row
from billing_framework.storage.usage.suspense import Suspended, insert_suspended
from billing_framework.storage.usage.tables import usage_batch, usage_suspense
from billing_framework.usage.content import slot_key
from billing_framework.usage.intake import Delivered, Known, Marks, Sorted, identify, settle_keys, sort_in, with_erased
from billing_framework.usage.plain import plain_usage
from billing_framework.usage.reader import BadRecord, Coverage
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.usage.record import AnyUsage
from billing_framework.usage.requirements import KindRules, kind_rules
from billing_framework.usage.withheld import is_personal_kind, safe_finding
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
        keys: gives the keys under which personal data are sealed; None where no kind has any.
        hides_unreadable: True where a record that cannot be read may hold personal data.
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
    keys: KeyDesk | None = None
    hides_unreadable: bool = False
    _next_suspense: int = 0
    _coverage_stored: int = 0

    @classmethod
    def opened(
        cls, deployment: Deployment, connection: Connection, *, file: str, source: str, kinds: Iterable[str] = ()
    ) -> IntakeDesk:
        """Return the desk of a new batch.

        Args:
            deployment: the open deployment.
            connection: the connection of its transaction.
            file: name of the file, for messages.
            source: source of records that could not be read.
            kinds: kinds that the file's reader yields.
        """
        rules = kind_rules(deployment.host.kinds)
        return cls(
            connection=connection,
            tables=kind_tables(deployment.host.kinds),
            rules=rules,
            keys=key_desk_for(connection, rules),
            hides_unreadable=any(is_personal_kind(rules[name].fields) for name in kinds if name in rules),
            file=file,
            source=source,
            batch_id=next_id(connection, usage_batch),
            next_suspense=next_id(connection, usage_suspense),
        )

    def sort(self, items: Iterable[AnyUsage | BadRecord]) -> Sorted:
        """Return what becomes of some records, without storing anything."""
        delivered, stored = settle_keys(
            identify(self._with_keys(items), self.rules, self.source, self.file, self._marks()),
            lambda keys: stored_records(self.connection, self.tables, keys),
        )
        if self.keys is not None:
            lost = self.keys.is_lost
            delivered = with_erased(delivered, stored, self.rules, lambda subject, mark: lost(owner_of_subject(subject), mark))
        delivered = self._in_older_slots(delivered)
        keys = {record.key for record in delivered}
        known = Known(
            records=stored,
            slots=stored_slots(self.connection, self.tables, {record.slot for record in delivered if record.slot}),
            waiting=waiting_records(self.connection, keys, ignored=self.recycled),
            guide=load_guide(self.connection, _subjects(delivered)),
            days_after={name: one.kind.reach_after_days for name, one in self.rules.items()},
        )
        return sort_in(delivered, known, self.file, place=f"batch {self.batch_id}")

    def _in_older_slots(self, delivered: Sequence[Delivered]) -> list[Delivered]:
        """Return the records, each in the slot in which its source has stored a version of it.

        Slots of carried kinds were once of their subject, and what was stored in such a slot is replaced in it.
        """
        older = {
            place: slot_key(record.usage, carried=False)
            for place, record in enumerate(delivered)
            if record.slot and record.usage is not None and self.rules[record.usage.kind].kind.carried
        }
        there = stored_slots(self.connection, self.tables, set(older.values())) if older else {}
        found = list(delivered)
        for place, slot in older.items():
            usage = found[place].usage
            if usage is not None and any(one.source == usage.source for one in there.get(slot, ())):
                found[place] = attrs.evolve(found[place], slot=slot)
        return found

    def _with_keys(self, items: Iterable[AnyUsage | BadRecord]) -> Iterable[AnyUsage | BadRecord]:
        if self.keys is None:
            return items
        listed = list(items)
        subjects = [item.subject for item in listed if not isinstance(item, BadRecord) and self._is_personal(item)]
        self.keys.load(owner_of_subject(clean(subject)) for subject in subjects)
        return listed

    def _is_personal(self, usage: AnyUsage) -> bool:
        return usage.kind in self.rules and is_personal_kind(self.rules[usage.kind].fields)

    def _marks(self) -> Marks | None:
        marks = marks_of(self.keys)
        return None if marks is None else attrs.evolve(marks, hides_unreadable=self.hides_unreadable)

    def take(self, items: Iterable[AnyUsage | BadRecord]) -> None:
        """Sort and store some records."""
        done = self.sort(items)
        insert_records(self.connection, self.tables, done.accepted, self.batch_id, self.keys)
        waiting = [("suspended", record) for record in done.suspended] + [("rejected", record) for record in done.rejected]
        waiting.sort(key=lambda pair: pair[1].line)
        rows = [self._suspended(state, record) for state, record in waiting]
        if self.keys is not None:
            self.keys.save()
        insert_suspended(self.connection, rows)
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
        """Keep findings for the report, up to the limit; they quote nothing of a file that may hold personal data."""
        for told in findings:
            finding = safe_finding(told) if self.hides_unreadable else told
            if len(self.findings) < MOST_FINDINGS:
                self.findings.append(clean_finding(finding))

    def _suspended(self, state: str, delivered: Delivered) -> Suspended:
        number = self._next_suspense
        self._next_suspense += 1
        usage, bad = delivered.usage, delivered.bad
        row = Suspended(
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
        hides = self.hides_unreadable if usage is None else self._is_personal(usage)
        return sealed_row(self.keys, row) if hides and self.keys is not None else row


def key_desk_for(connection: Connection, rules: Mapping[str, KindRules]) -> KeyDesk | None:
    """Return the key desk of a transaction, None where no usage kind has personal data."""
    return KeyDesk.of(connection) if any(is_personal_kind(one.fields) for one in rules.values()) else None


def marks_of(keys: KeyDesk | None) -> Marks | None:
    """Return the keyed digests of a deployment whose usage kinds have personal data."""
    if keys is None:
        return None
    return Marks(
        of_record=lambda subject, text: keys.mark(owner_of_subject(subject), text),
        of_text=lambda text: keys.lasting_mark(INDEX, text),
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
    return {key: _clean_item(item) for key, item in value.items()}


def _clean_item(item: object) -> object:
    if isinstance(item, list):
        return list(map(_clean_item, item))
    return clean(item) if isinstance(item, str) else item


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
