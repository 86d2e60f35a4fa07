"""Finds rows behind a document's input that say something else now, though no officer's act has changed them.

The input itself is stored with its document and proved by its digest. Carried state and edits never change once they are billed.
Customer data may change by acts of officers, each of which stands in the audit trail; any other change is behind their backs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.run.draft.bill_input import BillInput
from billing_framework.storage.audit import audit_event, events
from billing_framework.storage.billing.issued import written_states
from billing_framework.storage.billing.tables import edit
from billing_framework.storage.master.account_rows import stored_like
from billing_framework.storage.master.loaded_text import as_loaded
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, MasterKind
from billing_framework.storage.master.master_tables import tax_file
from billing_framework.storage.master.share_rows import SHARES
from billing_framework.values.errors import StorageError
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.plain_form import to_plain

Value = TypeVar("Value")


def altered_since(connection: Connection, inputs: Mapping[str, BillInput], run_id: int | None) -> Iterator[Finding]:
    """Yield a finding for each row behind these inputs that was altered.

    Args:
        connection: a connection.
        inputs: the manifest of each account that contributed to a document.
        run_id: the run that drafted it, None for a correction, whose edits are those of the document that it replaces.
    """
    given = list(inputs.values())
    yield from _readable("the carried state", _states(connection, given))
    if run_id is not None:
        yield from _readable("the edits", _edits(connection, given, run_id))
    yield from _tax_texts(connection)
    agreements = [one for each in given for one in each.agreements]
    held = [assigned for one in agreements for assigned in (*one.assignments, *one.earlier_assignments)]
    yield from _readable("the accounts", _customers(connection, ACCOUNTS, [each.account for each in given]))
    yield from _readable("the agreements", _customers(connection, AGREEMENTS, [one.agreement for one in agreements]))
    yield from _readable("the shares", _customers(connection, SHARES, [share for one in agreements for share in one.shares]))
    own = [assigned for assigned in held if not assigned.within]
    yield from _readable("the assignments", _customers(connection, ASSIGNMENTS, own))


def _readable(what: str, findings: Iterator[Finding]) -> Iterator[Finding]:
    """Yield findings, and one more where a row cannot even be read any more."""
    try:
        yield from findings
    except StorageError as error:
        if error.code != "STORAGE21":
            raise
        yield _altered(f"{what} that the line rests on: {error.what}", what)


def _states(connection: Connection, given: Iterable[BillInput]) -> Iterator[Finding]:
    read = [state for each in given for one in each.agreements for state in one.state]
    written = written_states(connection, {int(state.written_by or 0) for state in read})
    for state in read:
        place = (int(state.written_by or 0), state.scope, state.name, state.period.end.isoformat())
        if written.get(place) != to_plain(dict(state.values)):
            yield _altered(f"the carried state {state.name} of {state.scope} was altered since it was read", state.name)


def _edits(connection: Connection, given: Iterable[BillInput], run_id: int) -> Iterator[Finding]:
    rows = connection.scalars(sa.select(edit.c.content).where(edit.c.run_id == run_id, edit.c.content.is_not(None)))
    stored = list(rows)
    for each in given:
        for one in each.edits:
            if to_plain(attrs.evolve(one, position=0)) not in stored:  # its position is a column of its own
                what = f"the edit of {one.about or one.target} by {one.actor} is not among the stored edits any more"
                yield _altered(what, each.account.code)


def _tax_texts(connection: Connection) -> Iterator[Finding]:
    for row in connection.execute(sa.select(tax_file.c.name, tax_file.c.version, tax_file.c.source, tax_file.c.sha256)):
        try:
            as_loaded(row.source, row.sha256, f"the tax rates {row.name}, version {row.version}")
        except StorageError as error:
            yield _altered(error.what, row.name)


def _customers(connection: Connection, kind: MasterKind[Value], values: Sequence[Value]) -> Iterator[Finding]:
    """Yield a finding for customer data that differ now, where the audit trail does not say how they came to be so."""
    present = stored_like(connection, kind, values)
    for was in {kind.identity(value): value for value in values}.values():
        stored = present.get(kind.identity(was))
        if stored is not None and stored.value == was:
            continue
        if not _acted_on(connection, kind, was) or (stored is not None and not _left_so(connection, kind, stored.value)):
            what = "changed" if stored is not None else "removed"
            yield _altered(f"the {kind.name} {kind.key(was)} was {what} since, by no act of an officer", kind.key(was))


def _acted_on(connection: Connection, kind: MasterKind[Value], was: Value) -> bool:
    """Return whether an officer has changed or removed exactly this."""
    columns = audit_event.c
    query = sa.select(columns.id).where(columns.object_kind == kind.name, columns.before == kind.form.write(was)).limit(1)
    return connection.execute(query).first() is not None


def _left_so(connection: Connection, kind: MasterKind[Value], value: Value) -> bool:
    """Return whether the last act on this has left it as it is."""
    last = next(events(connection, object_kind=kind.name, object_key=kind.key(value), limit=1), None)
    return last is not None and last.after == kind.form.write(value)


def _altered(what: str, subject: str) -> Finding:
    return Finding(
        code="EXPLAIN07",
        severity=Severity.BLOCKING,
        what=what,
        remedy="Find out who changed it behind the program's back, and restore it from a backup",
        subject=subject,
    )
