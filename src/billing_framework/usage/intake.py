"""Intake, the pure part: sorts the records of a file into accepted, duplicate, suspended and rejected.

The first record of an id wins, in the order of the files and of their lines. Nothing is lost: each record ends in exactly one of
the four, and the totals prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet

import attrs

from billing_framework.usage.content import content_digest, personal_text, raw_digest, slot_key, usage_key
from billing_framework.usage.guide import Guide
from billing_framework.usage.reader import BadRecord
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.usage.record import AnyUsage
from billing_framework.usage.requirements import KindRules, record_findings
from billing_framework.usage.withheld import is_personal_kind, safe_finding
from billing_framework.values.finding import Finding
from billing_framework.values.identity import natural_id

_AGAIN = "take the corrected line in again, then write this one off: billing usage write-off"
"""What is left to do about a line that could not be read, which has no fields to correct."""

_CORRECTED = "Ask the source which one is right; a correction comes under a new id, with the same slot and a higher version"
"""What replaces a record: the same id is refused whatever its version, and another slot is another record."""


@attrs.frozen(kw_only=True)
class Delivered:
    """A record of the file with its identity.

    Attributes:
        key: key under which it is or would be stored.
        digest: digest of its content.
        slot: id of its slot, 0 for none.
        usage: the record, None where it could not be read.
        bad: the unreadable record, None where it could.
        findings: what is wrong with it.
        mark: keyed digest of its personal fields, empty for kinds without.
    """

    key: int
    digest: bytes
    slot: int = 0
    usage: AnyUsage | None = None
    bad: BadRecord | None = None
    findings: tuple[Finding, ...] = ()
    mark: bytes = b""

    @property
    def line(self) -> int:
        """Line in the file."""
        return self.usage.line if self.usage is not None else self.bad.line if self.bad is not None else 0


@attrs.frozen(kw_only=True)
class Stored:
    """A record that is stored, or accepted earlier in the same file.

    Attributes:
        key: its key.
        source: its source.
        external_id: its id at the source.
        digest: digest of its content.
        place: where it came from, for messages: ``batch 12``.
        slot: id of its slot, 0 for none.
        version: its version in the slot.
        mark: keyed digest of its personal fields, empty for kinds without.
    """

    key: int
    source: str
    external_id: str
    digest: bytes
    place: str
    slot: int = 0
    version: int = 0
    mark: bytes = b""


@attrs.frozen(kw_only=True)
class Known:
    """What is known before a chunk of records is sorted; all that its records could meet.

    Attributes:
        records: stored records by key.
        slots: slot id to its stored records.
        waiting: key and digest of what is in suspense, was rejected or written off.
        guide: the assignments of the subjects in the chunk.
        days_after: kind to how many days after an assignment its records may still close it; none where it is not named.
    """

    records: Mapping[int, Stored] = attrs.field(factory=dict)
    slots: Mapping[int, Sequence[Stored]] = attrs.field(factory=dict)
    waiting: AbstractSet[tuple[int, bytes]] = frozenset()
    guide: Guide = attrs.field(factory=lambda: Guide({}))
    days_after: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Sorted:
    """What became of a chunk of records, each list in file order.

    Attributes:
        accepted: to be stored.
        suspended: to be kept until an officer decides; `Delivered.findings` says why.
        rejected: to be kept, never billed; `Delivered.findings` says why.
        totals: the control totals, proven.
    """

    accepted: tuple[Delivered, ...]
    suspended: tuple[Delivered, ...]
    rejected: tuple[Delivered, ...]
    totals: ControlTotals


@attrs.frozen(kw_only=True)
class Marks:
    """Keyed digests in the place of plain ones, where records hold personal data that plain ones would let somebody try out.

    Attributes:
        of_record: digest of what the personal fields of a subject's record say.
        of_text: digest of a record that is not what its kind requires.
        hides_unreadable: True where records that cannot be read may hold personal data.
    """

    of_record: Callable[[str, str], bytes]
    of_text: Callable[[str], bytes]
    hides_unreadable: bool = False


def identify(
    items: Iterable[AnyUsage | BadRecord], rules: Mapping[str, KindRules], source: str, file: str, marks: Marks | None = None
) -> list[Delivered]:
    """Return each record with its key, digest and what is wrong with it by itself.

    Args:
        items: records, readable or not, in file order.
        rules: the kinds of the deployment.
        source: source of the unreadable ones, whose own is not known.
        file: name of the file, for messages.
        marks: keyed digests for the kinds with personal data; needed where there are any.
    """
    return [
        _unreadable(item, source, marks) if isinstance(item, BadRecord) else _readable(item, rules, file, marks) for item in items
    ]


def _unreadable(bad: BadRecord, source: str, marks: Marks | None) -> Delivered:
    # The findings belong to the identity: a reader may have no raw text to show for what is missing.
    told = "\n".join(f"{item.code}|{item.what}|{item.field}|{item.value}|{item.subject}" for item in bad.findings)
    hidden = marks is not None and marks.hides_unreadable
    digest = (marks.of_text if marks is not None and hidden else raw_digest)(f"{len(bad.raw)}:{bad.raw}{told}")
    findings = tuple(_to_deliver_again(safe_finding(item) if hidden else item) for item in bad.findings)
    return Delivered(key=natural_id("unreadable", source, digest.hex()), digest=digest, bad=bad, findings=findings)


def _to_deliver_again(finding: Finding) -> Finding:
    remedy = f"{finding.remedy.rstrip('.')}; " if finding.remedy else ""
    return attrs.evolve(finding, remedy=f"{remedy}{_AGAIN}")


def _readable(usage: AnyUsage, rules: Mapping[str, KindRules], file: str, marks: Marks | None) -> Delivered:
    findings = tuple(record_findings(usage, rules, file))
    fields = rules[usage.kind].fields if usage.kind in rules else ()
    hidden = is_personal_kind(fields)
    if findings:
        # Its content cannot be trusted to have an encoding, so its identity is how it shows itself.
        shown = repr(attrs.evolve(usage, line=0))
        digest = raw_digest(shown)
        if hidden and marks is not None:
            digest = marks.of_text(shown + repr([getattr(usage.body, field.name, None) for field in fields]))
            findings = tuple(map(safe_finding, findings))
        key = natural_id("unfit", digest.hex())
        return Delivered(key=key, digest=digest, usage=usage, findings=findings)
    tells = hidden and not usage.deleted
    mark = marks.of_record(usage.subject, personal_text(usage.body, fields)) if tells and marks is not None else b""
    return Delivered(
        key=usage_key(usage.source, usage.external_id),
        digest=content_digest(usage, fields, mark),
        slot=slot_key(usage, carried=rules[usage.kind].kind.carried),
        usage=usage,
        mark=mark,
    )


def with_erased(
    delivered: Sequence[Delivered],
    stored: Mapping[int, Stored],
    rules: Mapping[str, KindRules],
    is_lost: Callable[[str, bytes], bool],
) -> list[Delivered]:
    """Return the records; those that say openly what a stored one says, of which the rest was erased, with its digest.

    What its personal fields had said can no longer be compared; delivered again it is the duplicate of what was erased, and
    must not bring the person back.

    Args:
        delivered: records with settled keys.
        stored: what is stored under these keys.
        rules: the kinds of the deployment.
        is_lost: tells of subject and mark whether the key of the mark was erased.
    """
    return [_as_erased(record, stored.get(record.key), rules, is_lost) for record in delivered]


def _as_erased(
    record: Delivered, prior: Stored | None, rules: Mapping[str, KindRules], is_lost: Callable[[str, bytes], bool]
) -> Delivered:
    usage = record.usage
    if usage is None or prior is None or not prior.mark or record.findings or not is_lost(usage.subject, prior.mark):
        return record
    openly = content_digest(usage, rules[usage.kind].fields, prior.mark)
    return attrs.evolve(record, digest=openly, mark=prior.mark) if openly == prior.digest else record


LookUp = Callable[[AbstractSet[int]], Mapping[int, Stored]]


def settle_keys(
    delivered: Sequence[Delivered], look_up: LookUp, key_of: Callable[[str, str, int], int] = usage_key
) -> tuple[list[Delivered], dict[int, Stored]]:
    """Return the records with keys that no other text shares, and the stored records under these keys.

    Two different ids with one hash are kept apart: the later one takes the hash of its id with a count.

    Args:
        delivered: records from `identify`.
        look_up: returns what is stored under some keys.
        key_of: the hash; tests give one that collides.
    """
    stored = dict(look_up({record.key for record in delivered}))
    asked = {record.key for record in delivered}
    names: dict[int, tuple[str, str]] = {}
    settled: list[Delivered] = []
    for record in delivered:
        if record.usage is None or record.findings:
            settled.append(record)
            continue
        name = (record.usage.source, record.usage.external_id)
        key, salt = key_of(*name, 0), 0
        while _holder(key, stored, names, name) != name:
            salt += 1
            key = key_of(*name, salt)
            if key not in asked:
                asked.add(key)
                stored.update(look_up({key}))
        names[key] = name
        settled.append(attrs.evolve(record, key=key) if key != record.key else record)
    return settled, stored


def _holder(
    key: int, stored: Mapping[int, Stored], names: Mapping[int, tuple[str, str]], otherwise: tuple[str, str]
) -> tuple[str, str]:
    held = stored.get(key)
    return (held.source, held.external_id) if held is not None else names.get(key, otherwise)


def sort_in(delivered: Sequence[Delivered], known: Known, file: str, *, place: str = "this file") -> Sorted:
    """Sort records into accepted, duplicate, suspended and rejected.

    Args:
        delivered: records with settled keys, in file order.
        known: what is stored already; records accepted here count as stored for the ones after them.
        file: name of the file, for messages.
        place: where the records come from, as messages about later ones name it.
    """
    desk = _Desk(known=known, file=file, here=place)
    for record in delivered:
        desk.place(record)
    totals = ControlTotals(
        records=len(delivered),
        accepted=len(desk.accepted),
        duplicate=desk.duplicates,
        suspended=len(desk.suspended),
        rejected=len(desk.rejected),
        superseding=desk.superseding,
        by_kind=_by_kind(desk.accepted),
        start=min((record.usage.span.start for record in desk.accepted if record.usage), default=None),
        end=max((record.usage.span.end for record in desk.accepted if record.usage), default=None),
    )
    return Sorted(
        accepted=tuple(desk.accepted),
        suspended=tuple(desk.suspended),
        rejected=tuple(desk.rejected),
        totals=totals.proven(),
    )


@attrs.define
class _Desk:
    known: Known
    file: str
    here: str
    accepted: list[Delivered] = attrs.field(factory=list)
    suspended: list[Delivered] = attrs.field(factory=list)
    rejected: list[Delivered] = attrs.field(factory=list)
    duplicates: int = 0
    superseding: int = 0
    _records: dict[int, Stored] = attrs.field(factory=dict)
    _slots: dict[int, list[Stored]] = attrs.field(factory=dict)
    _waiting: set[tuple[int, bytes]] = attrs.field(factory=set)

    def place(self, record: Delivered) -> None:
        mark = (record.key, record.digest)
        prior = self._records.get(record.key) or self.known.records.get(record.key)
        if mark in self._waiting or mark in self.known.waiting or (prior is not None and prior.digest == record.digest):
            self.duplicates += 1
            return
        usage = record.usage
        if usage is None or record.findings:
            self._keep(self.suspended, record)
            return
        rivals = [*self.known.slots.get(record.slot, ()), *self._slots.get(record.slot, ())] if record.slot else []
        same_version = next((rival for rival in rivals if rival.version == usage.version), None)
        if same_version is not None and same_version.digest == record.digest:
            self.duplicates += 1  # it says what its slot has said, under whatever id, so that a second delivery says so, too
        elif prior is not None:
            self._keep(self.rejected, record, self._conflict(usage, prior))
        elif same_version is not None:
            self._keep(self.rejected, record, self._ambiguous(usage, same_version))
        elif not self.known.guide.takes(usage.subject, usage.start, self.known.days_after.get(usage.kind, 0)):
            self._keep(self.suspended, record, self._unassigned(usage))
        else:
            self._accept(record, usage, rivals)

    def _accept(self, record: Delivered, usage: AnyUsage, rivals: Sequence[Stored]) -> None:
        stored = Stored(
            key=record.key,
            source=usage.source,
            external_id=usage.external_id,
            digest=record.digest,
            place=self.here,
            slot=record.slot,
            version=usage.version,
        )
        self._records[record.key] = stored
        if record.slot:
            self._slots.setdefault(record.slot, []).append(stored)
        self.superseding += bool(rivals) and all(rival.version < usage.version for rival in rivals)
        self.accepted.append(record)

    def _keep(self, where: list[Delivered], record: Delivered, finding: Finding | None = None) -> None:
        self._waiting.add((record.key, record.digest))
        where.append(record if finding is None else attrs.evolve(record, findings=(finding,)))

    def _conflict(self, usage: AnyUsage, prior: Stored) -> Finding:
        return Finding(
            code="USAGE02",
            what=f"source {usage.source} delivered this id before with other content ({prior.place})",
            remedy=_CORRECTED,
            file=self.file,
            line=usage.line,
            field="external_id",
            value=usage.external_id,
            subject=usage.subject,
        )

    def _ambiguous(self, usage: AnyUsage, rival: Stored) -> Finding:
        return Finding(
            code="USAGE04",
            what=f"record {rival.external_id} of source {rival.source} ({rival.place}) speaks about the same slot in the same"
            f" version {usage.version} with other content",
            remedy=_CORRECTED,
            file=self.file,
            line=usage.line,
            field="slot",
            value=usage.slot,
            subject=usage.subject,
        )

    def _unassigned(self, usage: AnyUsage) -> Finding:
        last = self.known.guide.last_before(usage.subject, usage.start)
        ended = f"; that to {last.agreement} ended on {last.ends_on}" if last else ""
        return Finding(
            code="USAGE03",
            what=f"the identifier belongs to no agreement at {usage.start.isoformat()}{ended}",
            remedy="Create the assignment, then run billing usage recycle; or correct or write off the record",
            file=self.file,
            line=usage.line,
            field="subject",
            value=usage.subject,
            subject=usage.external_id,
        )


def _by_kind(accepted: Iterable[Delivered]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for record in accepted:
        if record.usage is not None:
            counts[record.usage.kind] = counts.get(record.usage.kind, 0) + 1
    return counts
