"""Loads and saves parties, accounts, agreements and assignments, in bulk: a few statements for any number of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.account import Account
from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.assignment import Assignment
from billing_framework.accounts.hierarchy import Branch
from billing_framework.accounts.party import Party
from billing_framework.storage.bulk import bulk_insert
from billing_framework.storage.likely import likely
from billing_framework.storage.many import one_of
from billing_framework.storage.master import account_tables as tables
from billing_framework.storage.master.master_kind import ACCOUNTS, AGREEMENTS, ASSIGNMENTS, PARTIES, MasterKind
from billing_framework.storage.master.sealed_rows import opened_rows, sealed_rows
from billing_framework.values.errors import Conflict, NotFound
from billing_framework.values.spelling import did_you_mean

Value = TypeVar("Value")
Item = TypeVar("Item")

_BLOCK = 5_000
"""Bound values per statement; below the limits of both databases."""


@attrs.frozen
class Stored(Generic[Value]):
    """A stored value and how often it was written.

    Attributes:
        value: the value.
        revision: 1 for a value as it was created.
    """

    value: Value
    revision: int


def blocks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield `items` in lists that are short enough to be bound in one statement."""
    source = iter(items)
    while block := list(islice(source, _BLOCK)):
        yield block


def rows_of(connection: Connection, kind: MasterKind[Value], column: str, values: Collection[str]) -> Iterator[Stored[Value]]:
    """Yield what is stored with one of `values` in `column`, in order of the kind's keys within each block of values."""
    table = kind.table
    order = [table.c[name] for name in kind.keys]
    for block in blocks(sorted(set(values))):
        query = sa.select(table).where(one_of(table.c[column], block)).order_by(*order)
        found = connection.execute(query)
        names = tuple(found.keys())  # a mapping of each row by SQLAlchemy costs several times as much
        for row in opened_rows(connection, kind, [dict(zip(names, row, strict=True)) for row in found.all()]):
            yield Stored(kind.from_row(row), row["revision"])


def all_rows(connection: Connection, kind: MasterKind[Value], **filters: str) -> Iterator[Stored[Value]]:
    """Yield everything of a kind, in order of its keys; `filters` are column names and the value wanted."""
    query = sa.select(kind.table).order_by(*(kind.table.c[name] for name in kind.keys))
    hidden = {name: wanted for name, wanted in filters.items() if name in kind.sealed}  # the database cannot compare them
    for name, wanted in filters.items():
        if name not in hidden:
            query = query.where(kind.table.c[name] == wanted)
    found = connection.execute(query).mappings()
    while some := [dict(row) for row in found.fetchmany(_BLOCK)]:
        for row in opened_rows(connection, kind, some):
            if all(row[name] == wanted for name, wanted in hidden.items()):
                yield Stored(kind.from_row(row), row["revision"])


def load_parties(connection: Connection, codes: Collection[str]) -> dict[str, Party]:
    """Return the parties of `codes` by code; unknown codes are left out."""
    return {stored.value.code: stored.value for stored in rows_of(connection, PARTIES, "code", codes)}


def parties_with_tax_id(connection: Connection, codes: Collection[str]) -> set[str]:
    """Return which of these parties have a tax number, without opening any; that one was there stays known after an erasure."""
    columns = tables.party.c
    found: set[str] = set()
    for block in blocks(sorted(set(codes))):
        query = sa.select(columns.code, columns.tax_id, columns.sealed).where(one_of(columns.code, block))
        found |= {row.code for row in connection.execute(query) if row.tax_id or "tax_id" in (row.sealed or {})}
    return found


def load_accounts(connection: Connection, codes: Collection[str]) -> dict[str, Account]:
    """Return the accounts of `codes` by code; unknown codes are left out."""
    return {stored.value.code: stored.value for stored in rows_of(connection, ACCOUNTS, "code", codes)}


def lock_accounts(connection: Connection, codes: Collection[str]) -> None:
    """Keep every other act on what these accounts owe from them until the transaction ends, in order of their codes."""
    table = tables.account
    for block in blocks(sorted(set(codes))):
        query = sa.select(table.c.id).where(one_of(table.c.code, block)).order_by(table.c.code).with_for_update()
        connection.execute(query).all()


def account_codes(connection: Connection, book: str, cycle: str = "", *, status: str = "active") -> tuple[str, ...]:
    """Return the codes of a book's accounts, in order; of one cycle where it is given."""
    query = sa.select(tables.account.c.code).where(tables.account.c.book == book, tables.account.c.status == status)
    if cycle:
        query = query.where(tables.account.c.cycle == cycle)
    return tuple(connection.scalars(query.order_by(tables.account.c.code)))


def accounts_of_groups(connection: Connection, book: str, groups: Collection[str], cycle: str = "") -> tuple[str, ...]:
    """Return the codes of a book's active accounts in some run groups, in order; of one cycle where it is given.

    Raises:
        NotFound: ``RUN58`` for a group in which no active account of the book is, with the nearest name.
    """
    columns = tables.account.c
    own = sa.select(columns.code, columns.run_group).where(columns.book == book, columns.status == "active")
    known = set(connection.scalars(sa.select(columns.run_group).distinct().where(columns.book == book, columns.run_group != "")))
    for group in groups:
        if group not in known:
            remedy = did_you_mean(group, known) or "Set it: billing account change CODE run_group=NAME"
            raise NotFound("RUN58", f"no account of book {book} is in the run group {group!r}", remedy=remedy)
    query = own.where(columns.run_group.in_(sorted(groups)))
    if cycle:
        query = query.where(columns.cycle == cycle)
    return tuple(row.code for row in connection.execute(query.order_by(columns.code)))


def account_cycles(connection: Connection, book: str, accounts: Collection[str] = ()) -> tuple[str, ...]:
    """Return the billing cycles of a book's active accounts, in order; only those of some accounts where any are given."""
    columns = tables.account.c
    query = sa.select(columns.cycle).distinct().where(columns.status == "active")
    if not accounts:
        return tuple(connection.scalars(query.where(columns.book == book).order_by(columns.cycle)))
    of_book = query.where(likely(columns.book == book))
    found = (connection.scalars(of_book.where(one_of(columns.code, block))) for block in blocks(sorted(accounts)))
    return tuple(sorted({cycle for some in found for cycle in some}))


def codes_on_cycle(connection: Connection, codes: Collection[str], cycle: str) -> set[str]:
    """Return which of these accounts are billed on a cycle."""
    columns = tables.account.c
    found: set[str] = set()
    for block in blocks(sorted(set(codes))):
        found.update(connection.scalars(sa.select(columns.code).where(one_of(columns.code, block), columns.cycle == cycle)))
    return found


def load_branches(connection: Connection, codes: Collection[str], *, below: Collection[str] = ()) -> dict[str, Branch]:
    """Return the places of some accounts in the tree, and of all that are above them, by code.

    Args:
        connection: a connection.
        codes: codes of the accounts.
        below: accounts of which those directly below are wanted, too.
    """
    table = tables.account.c
    query = sa.select(table.code, table.parent, table.payer, table.book, table.currency)
    found: dict[str, Branch] = {}

    def read(column: sa.Column[Any], some: Collection[str]) -> None:
        for block in blocks(sorted(some)):
            for code, parent, payer, book, currency in connection.execute(query.where(one_of(column, block))):
                found[code] = Branch(parent=parent or "", payer=payer, book=book, currency=currency)

    read(table.parent, set(below))
    missing, asked = set(codes) - found.keys(), set[str]()
    while missing:
        asked |= missing
        read(table.code, missing)
        missing = {branch.parent for branch in found.values() if branch.parent} - found.keys() - asked
    return found


def load_passed_on(connection: Connection, book: str) -> dict[str, str]:
    """Return each account of a book that passes its bill on, to the account above it; to itself where that is not of the book."""
    table = tables.account.c
    query = sa.select(table.code, table.parent, table.book).where(table.parent > "", table.payer == "parent")
    # The index of parents holds those alone; were the book asked for, SQLite would look at all of its accounts.
    found = {row.code: row.parent for row in connection.execute(query).all() if row.book == book}
    astray = not_of_book(connection, book, set(found.values()) - found.keys())
    return {code: code if above in astray else above for code, above in found.items()}


def not_of_book(connection: Connection, book: str, codes: Collection[str]) -> set[str]:
    """Return which of some codes are those of no account of a book."""
    columns = tables.account.c
    query = sa.select(columns.code, columns.book)
    found = (row for block in blocks(sorted(codes)) for row in connection.execute(query.where(one_of(columns.code, block))))
    return set(codes) - {row.code for row in found if row.book == book}


def load_agreements(connection: Connection, accounts: Collection[str]) -> dict[str, tuple[Agreement, ...]]:
    """Return the agreements of `accounts`, by account and in order of code, whatever their dates."""
    found: dict[str, list[Agreement]] = defaultdict(list)
    for stored in rows_of(connection, AGREEMENTS, "account", accounts):
        found[stored.value.account].append(stored.value)
    return {account: tuple(found[account]) for account in sorted(found)}


def load_assignments(connection: Connection, agreements: Collection[str]) -> dict[str, tuple[Assignment, ...]]:
    """Return the assignments of `agreements`, by agreement and in order of subject and date, whatever their dates."""
    found: dict[str, list[Assignment]] = defaultdict(list)
    for stored in rows_of(connection, ASSIGNMENTS, "agreement", agreements):
        found[stored.value.agreement].append(stored.value)
    return {agreement: tuple(found[agreement]) for agreement in sorted(found)}


def assignments_of_subjects(connection: Connection, subjects: Collection[str]) -> dict[str, tuple[Assignment, ...]]:
    """Return the assignments of identifiers of the field, by identifier and in order of date; intake guides by them."""
    found: dict[str, list[Assignment]] = defaultdict(list)
    for stored in rows_of(connection, ASSIGNMENTS, "subject", subjects):
        found[stored.value.subject].append(stored.value)
    return {subject: tuple(found[subject]) for subject in sorted(found)}


def stored_like(connection: Connection, kind: MasterKind[Value], values: Sequence[Value]) -> dict[tuple[Any, ...], Stored[Value]]:
    """Return what is stored under the identities of `values`, by identity."""
    first = kind.keys[0]
    wanted = {kind.identity(value): value for value in values}
    found = rows_of(connection, kind, first, [str(identity[0]) for identity in wanted])
    return {identity: stored for stored in found if (identity := kind.identity(stored.value)) in wanted}


def insert_values(connection: Connection, kind: MasterKind[Value], values: Sequence[Value]) -> int:
    """Write new values in bulk and return how many they were."""
    columns = [column.name for column in kind.table.columns]
    rows = sealed_rows(connection, kind, [kind.to_row(value) | {"revision": 1} for value in values])
    return bulk_insert(connection, kind.table, columns, (tuple(row[name] for name in columns) for row in rows))


def replace_value(connection: Connection, kind: MasterKind[Value], old: Stored[Value], new: Value) -> None:
    """Write `new` in the place of `old`.

    Raises:
        Conflict: ``ACCOUNT14`` where somebody changed it since `old` was loaded.
    """
    [row] = sealed_rows(connection, kind, [kind.to_row(new) | {"revision": old.revision + 1}])
    changed = kind.table.update().where(*_is(kind, old)).values(**row)
    if connection.execute(changed).rowcount != 1:
        raise _changed_meanwhile(kind, old)


def remove_value(connection: Connection, kind: MasterKind[Value], old: Stored[Value]) -> None:
    """Remove a row whose content the audit keeps; only assignments made by mistake are ever removed.

    Raises:
        Conflict: ``ACCOUNT14`` where somebody changed it since `old` was loaded.
    """
    if connection.execute(kind.table.delete().where(*_is(kind, old))).rowcount != 1:
        raise _changed_meanwhile(kind, old)


def _is(kind: MasterKind[Value], old: Stored[Value]) -> list[sa.ColumnElement[bool]]:
    keys: Mapping[str, Any] = dict(zip(kind.keys, kind.identity(old.value), strict=True))
    return [
        *(kind.table.c[name] == wanted for name, wanted in keys.items()),
        kind.table.c.revision == old.revision,
    ]


def _changed_meanwhile(kind: MasterKind[Value], old: Stored[Value]) -> Conflict:
    return Conflict(
        "ACCOUNT14",
        f"the {kind.name} {kind.key(old.value)} was changed by somebody else meanwhile",
        remedy="Look at it again, then repeat the change if it is still right",
    )
