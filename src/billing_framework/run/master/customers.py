"""Officers create, change and import the data of customers: checked as a whole, audited one by one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.csv_file import Row, read_master_file
from billing_framework.accounts.form import Form, fill
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.closing import closing_findings
from billing_framework.run.master.customer_rules import account_findings, agreement_findings, assignment_findings
from billing_framework.run.master.share_rules import share_reference_findings
from billing_framework.run.usage.changed_agreements import instant_of_change
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.master.account_rows import (
    Stored,
    insert_values,
    replace_value,
    stored_like,
)
from billing_framework.storage.master.master_kind import MasterKind
from billing_framework.storage.master.sealed_rows import seals
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_party
from billing_framework.storage.personal.sealed_facts import sealed_facts
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.values.errors import BillingError, Conflict, InputRefused, Refused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.personal import REDACTED
from billing_framework.values.typed_toml import raise_first

Value = TypeVar("Value")

_REFUSED_BY_STATE = {"ACCOUNT07", "ACCOUNT12", "ACCOUNT31", "ACCOUNT32", "ACCOUNT33"}


@attrs.frozen(kw_only=True)
class Intake(Generic[Value]):
    """What values would do to what is stored.

    Attributes:
        new: to be created.
        changed: stored value and what it becomes.
        unchanged: how many are stored exactly so.
        findings: what is wrong; where one of them stops, nothing is written.
    """

    new: tuple[Row[Value], ...]
    changed: tuple[tuple[Stored[Value], Row[Value]], ...]
    unchanged: int
    findings: tuple[Finding, ...]

    @property
    def stops(self) -> bool:
        """True where nothing may be written."""
        return any(finding.stops for finding in self.findings)


@attrs.frozen(kw_only=True)
class ImportReport:
    """What an import did, or with ``check_only`` would do.

    Attributes:
        kind: kind of the rows.
        file: name of the file.
        lines: how many lines of data it has.
        created: how many are new.
        changed: how many differ from what was stored.
        unchanged: how many are stored exactly so.
        written: True where this was written; False where findings stop it, or for a check.
        findings: what is wrong, with line, field, value and remedy.
    """

    kind: str
    file: str
    lines: int
    created: int
    changed: int
    unchanged: int
    written: bool
    findings: tuple[Finding, ...]


def import_file(
    deployment: Deployment,
    kind: MasterKind[Value],
    content: bytes,
    *,
    file: str,
    delimiter: str = ",",
    update: bool = False,
    check_only: bool = False,
    reason: str = "",
) -> ImportReport:
    """Take in a CSV file as a whole, or not at all where a line is wrong; the same file again changes nothing.

    Args:
        deployment: the open deployment.
        kind: what the lines are.
        content: bytes of the file.
        file: its name, for messages and the audit.
        delimiter: what separates cells.
        update: True where lines that differ from what is stored change it; otherwise they are findings.
        check_only: True to only say what would happen.
        reason: why, for the audit; by default the name of the file.

    Raises:
        InputRefused: the file cannot be such a file at all.
    """
    defaults = deployment_defaults(deployment, kind.form)
    read = read_master_file(content, kind.form, file=file, delimiter=delimiter, defaults=defaults)
    with deployment.database.read() if check_only else deployment.database.begin() as connection:
        found = intake(connection, kind, read.rows, file=file, update=update, calendars=deployment.settings.calendars)
        closing = _closing(deployment, connection, found, file) if update and kind.name == "account" else []
        findings = safe_findings(connection, kind, (*read.findings, *found.findings, *closing))
        written = not check_only and not any(finding.stops for finding in findings)
        if written:
            now = instant_of_change(connection, kind, deployment.clock.now())
            write(connection, kind, found, now=now, actor=deployment.actor, reason=reason or f"import of {file}", verb="import")
    return ImportReport(
        kind=kind.name,
        file=file,
        lines=read.lines,
        created=len(found.new),
        changed=len(found.changed),
        unchanged=found.unchanged,
        written=written,
        findings=findings,
    )


def _closing(deployment: Deployment, connection: Connection, found: Intake[Any], file: str) -> list[Finding]:
    """Return why accounts that the lines of a file close cannot be closed yet."""
    kinds = kind_tables(deployment.host.kinds)
    return [
        finding
        for was, row in found.changed
        for finding in closing_findings(connection, was.value, row.value, deployment.clock, kinds, file=file, line=row.line)
    ]


def save(
    deployment: Deployment, kind: MasterKind[Value], values: Sequence[Value], *, update: bool = False, reason: str = ""
) -> ImportReport:
    """Save values made in Python by the same rules as a file.

    Args:
        deployment: the open deployment.
        kind: what they are.
        values: the values; their position from 1 is the line of findings.
        update: True where values that differ from what is stored change it.
        reason: why, for the audit.
    """
    filled = [fill(kind.form, kind.form.write(value), line=line) for line, value in enumerate(values, start=1)]
    rows = [Row(line, one.value) for line, one in enumerate(filled, start=1) if one.value is not None]
    early = tuple(finding for one in filled for finding in one.findings)
    with deployment.database.begin() as connection:
        found = intake(connection, kind, rows, update=update, calendars=deployment.settings.calendars)
        findings = safe_findings(connection, kind, (*early, *found.findings))
        written = not any(finding.stops for finding in findings)
        if written:
            now = instant_of_change(connection, kind, deployment.clock.now())
            write(connection, kind, found, now=now, actor=deployment.actor, reason=reason, verb="create")
    return ImportReport(
        kind=kind.name,
        file="",
        lines=len(values),
        created=len(found.new),
        changed=len(found.changed),
        unchanged=found.unchanged,
        written=written,
        findings=findings,
    )


def create(deployment: Deployment, kind: MasterKind[Value], given: Mapping[str, str], *, reason: str = "") -> tuple[Value, bool]:
    """Create one value from named texts; return it, and False where it was there already exactly so.

    What is left out or empty is the deployment's where its settings say so of new ones, else the default.

    Raises:
        InputRefused: a field is missing or wrong, or refers to something that does not exist.
        Conflict: it exists with other content.
        Refused: it does not fit what is stored.
    """
    filled = fill(kind.form, deployment_defaults(deployment, kind.form) | {name: text for name, text in given.items() if text})
    with deployment.database.begin() as connection:
        raise_findings(safe_findings(connection, kind, filled.findings))
        value = cast(Value, filled.value)
        found = intake(connection, kind, [Row(0, value)], update=False, calendars=deployment.settings.calendars)
        raise_findings(found.findings)
        now = instant_of_change(connection, kind, deployment.clock.now())
        write(connection, kind, found, now=now, actor=deployment.actor, reason=reason, verb="create")
    return value, bool(found.new)


def deployment_defaults(deployment: Deployment, form: Form[Value]) -> dict[str, str]:
    """Return the fields whose default is the deployment's, with what its settings say."""
    settings = deployment.settings.deployment
    return {field.name: str(getattr(settings, field.name)) for field in form.fields if field.of_deployment}


def intake(
    connection: Connection,
    kind: MasterKind[Value],
    rows: Sequence[Row[Value]],
    *,
    file: str = "",
    update: bool,
    calendars: Collection[str],
) -> Intake[Value]:
    """Return what `rows` would do to what is stored; nothing is written.

    Args:
        connection: a connection.
        kind: what they are.
        rows: the values with their lines.
        file: name of their file, for messages.
        update: True where rows that differ from what is stored may change it.
        calendars: names of the deployment's own billing calendars.
    """
    stored = stored_like(connection, kind, [row.value for row in rows])
    new = [row for row in rows if kind.identity(row.value) not in stored]
    changed = [(was, row) for row in rows if (was := stored.get(kind.identity(row.value))) is not None and was.value != row.value]
    replacing = changed if update else []
    values, old = [*new, *(row for _, row in replacing)], [was for was, _ in replacing]
    findings = references(connection, kind, values, old, file, calendars=calendars)
    if not update:
        findings += [_other_content(kind, was, row, file) for was, row in changed]
    findings.sort(key=lambda finding: finding.line)
    return Intake(new=tuple(new), changed=tuple(changed), unchanged=len(rows) - len(new) - len(changed), findings=tuple(findings))


def references(
    connection: Connection,
    kind: MasterKind[Value],
    rows: Sequence[Row[Value]],
    old: Sequence[Stored[Value]],
    file: str,
    *,
    calendars: Collection[str] = (),
) -> list[Finding]:
    """Return what is wrong between the values to be written and what else is stored.

    Args:
        connection: a connection.
        kind: what they are.
        rows: values to be written.
        old: stored values that they replace.
        file: name of their file, for messages.
        calendars: names of the deployment's own billing calendars, which accounts may name.
    """
    values: list[Row[Any]] = list(rows)
    by_identity: dict[tuple[Any, ...], Any] = {kind.identity(was.value): was.value for was in old}
    by_code = {identity[0]: was for identity, was in by_identity.items()}
    if not values:
        return []
    match kind.name:
        case "account":
            return account_findings(connection, values, by_code, file, calendars=calendars)
        case "agreement":
            return agreement_findings(connection, values, by_code, file)
        case "assignment":
            return assignment_findings(connection, values, by_identity, file)
        case "share":
            return share_reference_findings(connection, values, by_identity, file)
        case _:
            return []


def write(
    connection: Connection, kind: MasterKind[Value], found: Intake[Value], *, now: datetime, actor: str, reason: str, verb: str
) -> None:
    """Write what `intake` found, with one row of the audit for each value.

    Args:
        connection: a connection with the write transaction.
        kind: what they are.
        found: new and changed values.
        now: when, aware UTC.
        actor: who.
        reason: why.
        verb: what the officer did: ``create``, ``import``, ``change``.
    """
    insert_values(connection, kind, [row.value for row in found.new])
    for was, row in found.changed:
        replace_value(connection, kind, was, row.value)
    record_many(connection, now, actor, sealed_events(connection, kind, list(_audit(kind, found, reason, verb))))


def sealed_events(connection: Connection, kind: MasterKind[Value], events: Sequence[AuditEvent]) -> list[AuditEvent]:
    """Return rows of the audit with their personal facts sealed, where the deployment has a key."""
    if not seals(connection, kind):
        return list(events)
    desk = KeyDesk.of(connection)
    desk.load(owner_of_party(event.object_key) for event in events)
    sealed = [
        attrs.evolve(
            event,
            before=sealed_facts(desk, owner_of_party(event.object_key), event.before, kind.personal),
            after=sealed_facts(desk, owner_of_party(event.object_key), event.after, kind.personal),
        )
        for event in events
    ]
    desk.save()
    return sealed


def safe_findings(connection: Connection, kind: MasterKind[Value], findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings that quote no personal value, where the deployment has a key."""
    if not seals(connection, kind):
        return tuple(findings)
    return tuple(attrs.evolve(one, value=REDACTED) if one.field in kind.personal and one.value else one for one in findings)


def _audit(kind: MasterKind[Value], found: Intake[Value], reason: str, verb: str) -> Iterator[AuditEvent]:
    action = f"{kind.name} {verb}"
    for row in found.new:
        yield audit_event(kind, action, None, row.value, reason)
    for was, row in found.changed:
        yield audit_event(kind, action, was.value, row.value, reason)


def audit_event(kind: MasterKind[Value], action: str, before: Value | None, after: Value | None, reason: str) -> AuditEvent:
    """Return the row of the audit for one value that was created, changed or removed."""
    key = kind.key(cast(Value, before if after is None else after))
    return AuditEvent(
        action=action,
        object_kind=kind.name,
        object_key=key,
        before=None if before is None else kind.form.write(before),
        after=None if after is None else kind.form.write(after),
        reason=reason,
    )


def _other_content(kind: MasterKind[Value], was: Stored[Value], row: Row[Value], file: str) -> Finding:
    old, new = kind.form.write(was.value), kind.form.write(row.value)
    fields = [name for name in {**old, **new} if old.get(name, "") != new.get(name, "")]
    return Finding(
        code="ACCOUNT10",
        severity=Severity.BLOCKING,
        what=f"the {kind.name} exists with another {', '.join(fields)}",
        remedy="Use the change command, or import with --update",
        file=file,
        line=row.line,
        field=fields[0],
        subject=kind.key(row.value),
    )


def raise_findings(findings: Sequence[Finding]) -> None:
    """Raise the first finding that stops as an error: what is wrong with the call, or what the stored state refuses."""
    stopping = [finding for finding in findings if finding.stops]
    if not stopping:
        return
    error: type[BillingError] = InputRefused
    if stopping[0].code in _REFUSED_BY_STATE:
        error = Refused
    elif stopping[0].code == "ACCOUNT10":
        error = Conflict
    raise_first(stopping, error)
