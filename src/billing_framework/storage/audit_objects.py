"""Finds under which kinds and keys the audit trail speaks of one thing, so that an auditor asks for it by the one name it has."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.storage.audit import audit_event
from billing_framework.storage.billing.hold_tables import SCOPES, hold
from billing_framework.storage.billing.numbers import documents_numbered
from billing_framework.storage.billing.tables import document, run, run_account
from billing_framework.storage.column_types import canonical_json
from billing_framework.storage.many import one_of
from billing_framework.storage.master.account_tables import account_id, agreement
from billing_framework.storage.master.master_tables import manual_charge
from billing_framework.storage.receivable.payments import payments_called
from billing_framework.storage.receivable.tables import open_item, payment, payment_file

KINDS = (
    "account", "agreement", "answer", "answer_item", "assignment", "book", "charge", "document", "hold", "open_item", "party",
    "payment", "payment_file", "period", "personal_data", "plan", "rate table", "role", "run", "run account", "schema", "share",
    "tax", "usage_batch", "usage_suspense",
)  # fmt: skip
"""Every kind of object under which a row of the trail is written."""


@attrs.frozen
class Named:
    """One name under which the trail speaks of a thing.

    Attributes:
        kind: kind of the object.
        key: its code or number.
        saying: text that its facts afterwards hold where they speak of the thing; any where empty.
    """

    kind: str
    key: str
    saying: str = ""


def names_of(connection: Connection, kind: str, key: str) -> list[Named]:
    """Return the names under which the trail speaks of a thing: its own first, then those of what was done with it elsewhere.

    Args:
        connection: a connection.
        kind: kind of the thing: of an account also its agreements, charges, holds, documents, payments and what was done to its
            drafts in runs; of a document also its run and drafts, its holds and open items; of a payment also the file that it
            came in, and what it settled; of a run also the drafts of its accounts.
        key: its code or number.
    """
    match kind:
        case "account":
            others = _of_account(connection, key)
        case "document":
            others = _of_document(connection, key)
        case "payment":
            others = _of_payment(connection, key)
        case "run":
            others = _drafts(connection, audit_event.c.object_key.startswith(f"{key}/", autoescape=True))
        case _:
            others = iter(())
    return [Named(kind, key), *dict.fromkeys(others)]


def about(connection: Connection, key: str, kinds: Sequence[str]) -> sa.ColumnElement[bool]:
    """Return the condition that a row of the trail speaks of the thing of this key, be it of the one or the other kind."""
    return _known_by([name for kind in kinds for name in names_of(connection, kind, key)])


def _known_by(names: Sequence[Named]) -> sa.ColumnElement[bool]:
    whole = defaultdict(list)
    for name in names:
        if not name.saying:
            whole[name.kind].append(name.key)
    table = audit_event.c
    said = sa.type_coerce(table.after, sa.Text)
    return sa.or_(
        *(sa.and_(table.object_kind == kind, one_of(table.object_key, keys)) for kind, keys in whole.items()),
        *(
            sa.and_(table.object_kind == one.kind, table.object_key == one.key, said.contains(one.saying, autoescape=True))
            for one in names
            if one.saying
        ),
    )


def _of_account(connection: Connection, code: str) -> Iterator[Named]:
    yield from _drafts_of(connection, code)
    numbers = list(
        connection.scalars(sa.select(document.c.number).where(document.c.account_id == account_id(code), document.c.number != ""))
    )
    yield from _named("document", numbers)
    yield from _named("agreement", connection.scalars(sa.select(agreement.c.code).where(agreement.c.account == code)))
    yield from _named(
        "charge", connection.scalars(sa.select(manual_charge.c.id).where(manual_charge.c.account_id == account_id(code)))
    )
    yield from _named(
        "payment", connection.scalars(sa.select(payment.c.external_ref).where(payment.c.account_id == account_id(code)))
    )
    yield from _named(
        "open_item", connection.scalars(sa.select(open_item.c.key).where(open_item.c.account_id == account_id(code)))
    )
    yield from _holds(connection, [code, *numbers])


def _of_document(connection: Connection, number: str) -> Iterator[Named]:
    row = connection.execute(sa.select(document).where(document.c.id.in_(documents_numbered(connection, [number])))).first()
    if row is None:
        return
    code = connection.scalar(sa.select(run.c.code).where(run.c.id == row.run_id))
    if code is not None:
        yield Named("run", code)
        on_it = sa.select(run_account.c.account).where(run_account.c.document_id == row.id)
        yield from _named("run account", (f"{code}/{account}" for account in connection.scalars(on_it)))
    before = [one for one in (row.corrects_id, row.replaces_id) if one is not None]
    for earlier in connection.scalars(sa.select(document.c.number).where(document.c.id.in_(before))):
        yield Named("document", earlier, canonical_json(number))
    for item in connection.execute(sa.select(open_item).where(open_item.c.reference == number)):
        yield Named("open_item", item.key)
        yield Named("account", item.account, canonical_json(item.key))
    yield from _holds(connection, [number])


def _of_payment(connection: Connection, reference: str) -> Iterator[Named]:
    files = [one.file_id for one in payments_called(connection, reference) if one.file_id]
    yield from _named("payment_file", connection.scalars(sa.select(payment_file.c.name).where(payment_file.c.id.in_(files))))
    for item in connection.execute(sa.select(open_item).where(open_item.c.reference == reference)):
        yield Named("open_item", item.key)
        yield Named("account", item.account, canonical_json(item.key))


def _drafts(connection: Connection, of_it: sa.ColumnElement[bool]) -> Iterator[Named]:
    """Yield what was done to drafts; a rehearsal that was purged left its acts in the trail, and nothing else."""
    query = sa.select(audit_event.c.object_key).where(audit_event.c.object_kind == "run account", of_it).distinct()
    return _named("run account", connection.scalars(query.order_by(audit_event.c.object_key)))


def _drafts_of(connection: Connection, account: str) -> Iterator[Named]:
    """Yield what was done to the drafts of an account; codes may hold slashes, so that ``B`` ends what was done to ``A/B``."""
    ending, columns = f"/{account}", audit_event.c
    found = list(_drafts(connection, columns.object_key.endswith(ending, autoescape=True)))
    runs = sa.select(columns.object_key).where(
        columns.object_kind == "run", one_of(columns.object_key, {one.key.removesuffix(ending) for one in found})
    )
    known = set(connection.scalars(runs))
    return (one for one in found if one.key.removesuffix(ending) in known)


def _holds(connection: Connection, scopes: Sequence[str]) -> Iterator[Named]:
    for scope in scopes:
        whole = sa.and_(hold.c.scope.in_(SCOPES), hold.c.scope_key == scope)
        # Its lines; the sign after the slash is the nought.
        lines = sa.and_(hold.c.scope == "line", hold.c.scope_key > f"{scope}/", hold.c.scope_key < f"{scope}0")
        yield from _named("hold", map(str, connection.scalars(sa.select(hold.c.id).where(whole | lines))))


def _named(kind: str, keys: sa.ScalarResult[str] | Iterator[str] | Sequence[str]) -> Iterator[Named]:
    return (Named(kind, key) for key in keys)
