"""Officers change, end and continue what is stored: one at a time, with the reason, in one transaction, audited."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar, cast

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.csv_file import Row
from billing_framework.accounts.form import change as changed_form
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.closing import closing_findings
from billing_framework.run.master.customers import (
    Intake,
    audit_event,
    deployment_defaults,
    raise_findings,
    references,
    safe_findings,
    write,
)
from billing_framework.run.master.share_succession import move_shares
from billing_framework.run.reason import needs_reason
from billing_framework.run.usage.changed_agreements import instant_of_change
from billing_framework.storage.audit import AuditEvent, events, record_many
from billing_framework.storage.master.account_rows import Stored, remove_value, replace_value, rows_of
from billing_framework.storage.master.book_rows import load_book
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES, MasterKind
from billing_framework.storage.master.near_codes import near_codes
from billing_framework.storage.master.plan_rows import plan_source
from billing_framework.storage.usage.kind_table import kind_tables
from billing_framework.values.errors import NotFound, Refused
from billing_framework.values.spelling import did_you_mean

Value = TypeVar("Value")

_SUCCESSION = re.compile(r"(?P<stem>.+)~(?P<number>\d+)")


@attrs.frozen(kw_only=True)
class Succession:
    """What continuing an agreement under another plan or terms did.

    Attributes:
        ended: the agreement, which now ends.
        begun: the one that continues it.
        moved: the identifiers that went over to it.
    """

    ended: Agreement
    begun: Agreement
    moved: tuple[str, ...]


def find(connection: Connection, kind: MasterKind[Value], code: str) -> Stored[Value]:
    """Return a stored party, account or agreement.

    Raises:
        NotFound: ``ACCOUNT09``, with the nearest code.
    """
    for stored in rows_of(connection, kind, kind.keys[0], [code]):
        return stored
    near = near_codes(connection, kind.table.c[kind.keys[0]], code)
    raise NotFound("ACCOUNT09", f"there is no {kind.name} {code!r}", remedy=did_you_mean(code, near))


def refuse_unknown_names(connection: Connection, kind: MasterKind[Any], named: Mapping[str, str]) -> None:
    """Refuse to look for rows by a name that there is not: there would be none, which looks as if nothing were there yet.

    Args:
        connection: a connection.
        kind: what is looked for.
        named: field to what it is to say; fields that name nothing else are passed over.

    Raises:
        NotFound: ``ACCOUNT09``, ``BOOK08`` or ``PLAN32``, with the nearest name.
    """
    kinds = {"code": kind, "party": PARTIES, "account": ACCOUNTS, "parent": ACCOUNTS, "agreement": AGREEMENTS}
    for field, code in named.items():
        if field == "book":
            load_book(connection, code)
        elif field == "plan":
            plan_source(connection, code)
        elif field in kinds:
            find(connection, kinds[field], code)


def find_assignment(connection: Connection, subject: str, on: date | None = None) -> Stored[Assignment]:
    """Return the assignment of an identifier on a date, or its last one where no date is given.

    Raises:
        NotFound: ``ACCOUNT09`` where the identifier is assigned to nothing then.
    """
    held = list(rows_of(connection, ASSIGNMENTS, "subject", [subject]))
    for stored in reversed(held):
        ends_on = stored.value.ends_on
        if on is None or (stored.value.starts_on <= on and (ends_on is None or ends_on > on)):
            return stored
    shown = f" on {on.isoformat()}" if on else ""
    raise NotFound(
        "ACCOUNT09",
        f"the identifier {subject!r} is assigned to no agreement{shown}",
        remedy="billing assignment list --subject shows its dates; write the identifier exactly as the records carry it",
    )


def change(
    deployment: Deployment,
    kind: MasterKind[Value],
    code: str,
    changes: Mapping[str, str],
    *,
    reason: str,
    leave_open: bool = False,
) -> tuple[Value, Value]:
    """Change fields of a party, account or agreement and return it before and after.

    Args:
        deployment: the open deployment.
        kind: what it is.
        code: its code.
        changes: field name to text; an empty text takes the field back to its default.
        reason: why.
        leave_open: True to close an account though items are open on it or agreements still run.

    Raises:
        NotFound: it does not exist.
        InputRefused: a field is wrong.
        Refused: the change does not fit what is stored; ``ACCOUNT33`` for an account that cannot be closed yet.
    """
    needs_reason(reason, f"changing this {kind.name}")
    with deployment.database.begin() as connection:
        was = find(connection, kind, code)
        value = _change(deployment, connection, kind, was, changes, reason=reason)
        if isinstance(was.value, Account) and isinstance(value, Account) and not leave_open:
            raise_findings(closing_findings(connection, was.value, value, deployment.clock, kind_tables(deployment.host.kinds)))
        return was.value, value


@attrs.frozen(kw_only=True)
class StillEnded:
    """What the end of an agreement did to its assignments, and stands although that end is taken back.

    Attributes:
        ended: assignments that end on the date on which the agreement had ended.
        removed: identifier and first date of those that would have begun later.
    """

    ended: tuple[Assignment, ...] = ()
    removed: tuple[tuple[str, str], ...] = ()


def still_ended(deployment: Deployment, before: Agreement, after: Agreement) -> StillEnded:
    """Return which assignments do not go on with an agreement that now ends later, or not at all.

    Those of an agreement with a successor went over to it, so nothing is left behind.
    """
    if before.ends_on is None or (after.ends_on is not None and after.ends_on <= before.ends_on):
        return StillEnded()
    with deployment.database.read() as connection:
        if next(rows_of(connection, AGREEMENTS, "succeeds", [after.code]), None) is not None:
            return StillEnded()
        held = [stored.value for stored in rows_of(connection, ASSIGNMENTS, "agreement", [after.code])]
        removed = tuple(_removed_with(connection, after.code))
    return StillEnded(ended=tuple(one for one in held if one.ends_on == before.ends_on), removed=removed)


def _removed_with(connection: Connection, agreement: str) -> Iterator[tuple[str, str]]:
    """Yield what the last end of an agreement removed, as the trail keeps it."""
    past = events(connection, object_kind="agreement", object_key=agreement, limit=None)
    end = next((one for one in past if one.action == "agreement end"), None)
    if end is None or end.at is None:
        return
    for one in events(connection, since=end.at, until=end.at + timedelta(microseconds=1), limit=None):  # found by their instant
        facts = one.before or {}
        if one.object_kind == "assignment" and one.action == "assignment remove" and facts.get("agreement") == agreement:
            yield str(facts["subject"]), str(facts["starts_on"])


def change_assignment(
    deployment: Deployment, subject: str, on: date | None, changes: Mapping[str, str], *, reason: str
) -> tuple[Assignment, Assignment]:
    """Change dates, agreement or details of an identifier's assignment; arguments and errors as `change`."""
    needs_reason(reason, "changing this assignment")
    with deployment.database.begin() as connection:
        was = find_assignment(connection, subject, on)
        return was.value, _change(deployment, connection, ASSIGNMENTS, was, changes, reason=reason)


def _change(
    deployment: Deployment,
    connection: Connection,
    kind: MasterKind[Value],
    was: Stored[Value],
    changes: Mapping[str, str],
    *,
    reason: str,
) -> Value:
    fixed = kind.keys[0]
    if changes.get(fixed, kind.identity(was.value)[0]) != kind.identity(was.value)[0]:
        raise Refused("ACCOUNT12", f"the {fixed} of this {kind.name} never changes", remedy="End it and create another")
    own = deployment_defaults(deployment, kind.form)
    filled = changed_form(kind.form, was.value, {name: text or own.get(name, "") for name, text in changes.items()})
    raise_findings(safe_findings(connection, kind, filled.findings))
    value = cast(Value, filled.value)
    if value == was.value:
        return value
    row = Row(0, value)
    raise_findings(references(connection, kind, [row], [was], "", calendars=deployment.settings.calendars))
    found = Intake(new=(), changed=((was, row),), unchanged=0, findings=())
    now = instant_of_change(connection, kind, deployment.clock.now())
    write(connection, kind, found, now=now, actor=deployment.actor, reason=reason, verb="change")
    return value


def end_assignment(deployment: Deployment, subject: str, on: date, *, reason: str) -> Assignment:
    """End the assignment of an identifier: `on` is the first date on which it no longer holds.

    Raises:
        NotFound: the identifier is assigned to nothing that begins before `on` and ends later.
    """
    needs_reason(reason, "ending this assignment")
    with deployment.database.begin() as connection:
        was = find_assignment(connection, subject)
        return _change(deployment, connection, ASSIGNMENTS, was, {"ends_on": on.isoformat()}, reason=reason)


def remove_assignment(deployment: Deployment, subject: str, on: date, *, reason: str) -> Assignment:
    """Remove an assignment that was a mistake from its first day; the audit trail keeps it.

    Raises:
        NotFound: the identifier is assigned to nothing on that date.
    """
    needs_reason(reason, "removing this assignment")
    with deployment.database.begin() as connection:
        was = find_assignment(connection, subject, on)
        remove_value(connection, ASSIGNMENTS, was)
        event = audit_event(ASSIGNMENTS, "assignment remove", was.value, None, reason)
        record_many(connection, instant_of_change(connection, ASSIGNMENTS, deployment.clock.now()), deployment.actor, [event])
    return was.value


def end_agreement(deployment: Deployment, code: str, on: date, *, reason: str) -> Agreement:
    """End an agreement and its assignments: `on` is the first date without service.

    Raises:
        NotFound: it does not exist.
        Refused: it does not run on the day before.
    """
    needs_reason(reason, "ending this agreement")
    with deployment.database.begin() as connection:
        was = find(connection, AGREEMENTS, code)
        ended = _ended(was.value, on)
        acts = [audit_event(AGREEMENTS, "agreement end", was.value, ended, reason)]
        for held in _reaching(connection, code, on):
            acts += _cut(connection, held, on, reason)
        replace_value(connection, AGREEMENTS, was, ended)
        record_many(connection, instant_of_change(connection, AGREEMENTS, deployment.clock.now()), deployment.actor, acts)
    return ended


def _ended(agreement: Agreement, on: date) -> Agreement:
    if on <= agreement.starts_on or (agreement.ends_on is not None and agreement.ends_on <= on):
        until = f" until {agreement.ends_on.isoformat()}" if agreement.ends_on else ""
        raise Refused(
            "ACCOUNT05",
            f"agreement {agreement.code} runs from {agreement.starts_on.isoformat()}{until} and cannot end on {on.isoformat()}",
            remedy="Give a date after its first date and before its end; billing agreement change corrects mistaken dates",
        )
    return attrs.evolve(agreement, ends_on=on)


def _reaching(connection: Connection, agreement: str, on: date) -> list[Stored[Assignment]]:
    held = rows_of(connection, ASSIGNMENTS, "agreement", [agreement])
    return [stored for stored in held if stored.value.ends_on is None or stored.value.ends_on > on]


def _cut(connection: Connection, held: Stored[Assignment], on: date, reason: str) -> list[AuditEvent]:
    """End an assignment on a date; one that would only begin later is removed."""
    if held.value.starts_on >= on:
        remove_value(connection, ASSIGNMENTS, held)
        return [audit_event(ASSIGNMENTS, "assignment remove", held.value, None, reason)]
    shorter = attrs.evolve(held.value, ends_on=on)
    replace_value(connection, ASSIGNMENTS, held, shorter)
    return [audit_event(ASSIGNMENTS, "assignment end", held.value, shorter, reason)]


def continue_agreement(deployment: Deployment, code: str, on: date, changes: Mapping[str, str], *, reason: str) -> Succession:
    """End an agreement and begin its successor on the same day, with another plan or other terms; identifiers and shares go over.

    Args:
        deployment: the open deployment.
        code: the agreement that ends.
        on: first date of the new plan or terms.
        changes: fields of the successor that differ: ``plan``, ``term.NAME``, and ``code`` where it shall not be counted up.
        reason: why.

    Raises:
        NotFound: the agreement does not exist.
        Refused: it does not run on the day before, or has a successor already.
        InputRefused: a field is wrong.
    """
    needs_reason(reason, "changing this agreement")
    with deployment.database.begin() as connection:
        was = find(connection, AGREEMENTS, code)
        ended = _ended(was.value, on)
        fields = {"code": next_code(code), "starts_on": on.isoformat(), "succeeds": code} | dict(changes)
        filled = changed_form(AGREEMENTS.form, was.value, fields)
        raise_findings(filled.findings)
        begun = cast(Agreement, filled.value)
        if next(rows_of(connection, AGREEMENTS, "succeeds", [code]), None) is not None:
            raise Refused("ACCOUNT12", f"agreement {code} has a successor already", remedy="Change that one")
        replace_value(connection, AGREEMENTS, was, ended)
        row = Row(0, begun)
        raise_findings(references(connection, AGREEMENTS, [row], [], ""))
        begin = Intake(new=(row,), changed=(), unchanged=0, findings=())
        now, actor = instant_of_change(connection, AGREEMENTS, deployment.clock.now()), deployment.actor
        write(connection, AGREEMENTS, begin, now=now, actor=actor, reason=reason, verb="change")
        acts = [audit_event(AGREEMENTS, "agreement end", was.value, ended, reason)]
        moved = _reaching(connection, code, on)
        for held in moved:
            acts += _moved(connection, held, begun, on, reason)
        acts += move_shares(connection, code, begun.code, on, reason=reason)
        record_many(connection, now, actor, acts)
    return Succession(ended=ended, begun=begun, moved=tuple(held.value.subject for held in moved))


def _moved(connection: Connection, held: Stored[Assignment], begun: Agreement, on: date, reason: str) -> list[AuditEvent]:
    cut = _cut(connection, held, on, reason)
    over = attrs.evolve(held.value, agreement=begun.code, starts_on=max(on, held.value.starts_on))
    connection.execute(ASSIGNMENTS.table.insert().values(**ASSIGNMENTS.to_row(over), revision=1))
    return [*cut, audit_event(ASSIGNMENTS, "assignment create", None, over, reason)]


def next_code(code: str) -> str:
    """Return the code of the agreement that continues another: ``A-17`` is followed by ``A-17~2``, that by ``A-17~3``."""
    match = _SUCCESSION.fullmatch(code)
    return f"{match['stem']}~{int(match['number']) + 1}" if match else f"{code}~2"
