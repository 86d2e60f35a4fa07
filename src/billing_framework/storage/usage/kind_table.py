"""The table of a usage kind, derived from its class: common key columns, then one typed column per field of the body."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection
from sqlalchemy.types import TypeEngine

from billing_framework.storage.column_types import (
    Day,
    Digest,
    ExactText,
    Flag,
    Instant,
    Key,
    Sealed,
    Whole,
)
from billing_framework.storage.guard import Guard, create_guards, never_emptied, row_taken
from billing_framework.storage.packed import PackedWholes
from billing_framework.storage.partitions import create_others
from billing_framework.storage.usage.tables import USAGE_APPEND_ONLY, usage_key
from billing_framework.usage.content import field_text
from billing_framework.usage.kind_fields import ENVELOPE, MARK, BodyField, Sort, body_fields
from billing_framework.usage.record import AnyUsage, Usage, UsageKind
from billing_framework.usage.withheld import is_personal_kind, withheld_value
from billing_framework.values.errors import UNREADABLE, unreadable
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import Span

_TYPES: Mapping[Sort, type[TypeEngine[Any]]] = {
    Sort.TEXT: sa.Text,
    Sort.WHOLE: Whole,
    Sort.FLAG: Flag,
    Sort.EXACT: ExactText,
    Sort.DAY: Day,
    Sort.INSTANT: Instant,
    Sort.CHOICE: Key,
    Sort.WHOLES: PackedWholes,
}


SLOT = "slot_key"
"""Column of `KindTable.query` with the key of a carried record's slot, 0 for none."""

Seal = Callable[[str, str], bytes]
"""Seals a text for a place."""


@attrs.frozen(eq=False)
class KindTable:
    """A usage kind with its fields and its table.

    Attributes:
        kind: the kind.
        fields: fields of its body.
        table: its table, ``usage_KIND``.
    """

    kind: UsageKind
    fields: tuple[BodyField, ...]
    table: sa.Table

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, in the order of `row`."""
        return (*ENVELOPE, *([MARK] if self.personal else []), *(field.name for field in self.fields))

    @property
    def personal(self) -> bool:
        """True where the kind has personal fields."""
        return is_personal_kind(self.fields)

    @property
    def query(self) -> sa.Select[Any]:
        """All columns but the sealed ones, as `usage` needs them; of carried records the key of the slot, too."""
        sealed = {field.name for field in self.fields if field.personal}
        query = sa.select(*(column for column in self.table.c if column.name not in sealed))
        return query.add_columns(self._slot) if self.kind.carried else query

    @property
    def _slot(self) -> sa.Label[int]:
        mine, columns = usage_key.alias("of_slot"), self.table.c
        stored = sa.select(mine.c.slot_key).where(mine.c.key == columns.key).scalar_subquery()
        return sa.case((columns.slot == "", 0), else_=stored).label(SLOT)

    def row(
        self,
        usage: AnyUsage,
        *,
        key: int,
        subject_id: int,
        digest: bytes,
        batch_id: int,
        mark: bytes = b"",
        seal: Seal | None = None,
    ) -> tuple[Any, ...]:
        """Return the row that stores a record, as Python values in the order of `columns`.

        Args:
            usage: the record.
            key: its key.
            subject_id: id of its subject.
            digest: digest of its content.
            batch_id: number of its batch.
            mark: keyed digest of its personal fields, where the kind has some.
            seal: seals the text of a personal field for its place; needed where the kind has some.
        """
        envelope = (
            key, usage.source, usage.external_id, subject_id, usage.span.start, usage.span.end,
            usage.slot, usage.version, digest, batch_id,
        )  # fmt: skip
        if seal is None:
            return (*envelope, *(_plain(getattr(usage.body, field.name), field) for field in self.fields))
        return (*envelope, mark, *(self._sealed(getattr(usage.body, field.name), field, key, seal) for field in self.fields))

    def _sealed(self, value: Any, field: BodyField, key: int, seal: Seal) -> Any:
        if not field.personal or value is None:
            return _plain(value, field)
        return seal(self.place(key, field), field_text(value, field))

    def place(self, key: int, field: BodyField) -> str:
        """Return the place to which a sealed value is bound."""
        return f"{self.table.name}|{key}|{field.name}"

    def usage(self, row: Any, subject: str) -> AnyUsage:
        """Return the record that a row stores, equal to the one that was taken in; its personal fields are withheld.

        Args:
            row: a row of `query`.
            subject: the identifier behind its `subject_id`.

        Raises:
            StorageError: ``STORAGE21`` where it is no such record any more.
        """
        try:
            return self._usage(row, subject)
        except UNREADABLE as error:
            raise unreadable(f"usage record of the kind {self.kind.name}") from error

    def _usage(self, row: Any, subject: str) -> AnyUsage:
        values = {
            field.name: withheld_value(field) if field.personal else _from_plain(getattr(row, field.name), field)
            for field in self.fields
        }
        return Usage(
            kind=self.kind.name,
            source=row.source,
            external_id=row.external_id,
            subject=subject,
            span=Span(row.start_at, row.end_at),
            slot=row.slot,
            version=row.version,
            body=self.kind.body(**values),
        )


def kind_table(kind: UsageKind) -> KindTable:
    """Return a kind with its derived table, which belongs to a schema of its own so that kinds never meet.

    Its rows stand in the order in which they came, with one index by subject and start. That a key is there once, whatever the
    kind, is kept by the table ``usage_key``, which also says under which subject and start the row of a key is found. On
    PostgreSQL the table is partitioned by start, so that a look-up by subject and start reads one partition.

    Raises:
        ContractBroken: ``PLUGIN11`` where the kind cannot be stored.
    """
    fields = body_fields(kind)
    table = sa.Table(
        f"usage_{kind.name}",
        sa.MetaData(),
        sa.Column("key", Whole, nullable=False),
        sa.Column("source", Key, nullable=False),
        sa.Column("external_id", Key, nullable=False),
        sa.Column("subject_id", Whole, nullable=False),
        sa.Column("start_at", Instant, nullable=False),
        sa.Column("end_at", Instant, nullable=False),
        sa.Column("slot", Key, nullable=False),
        sa.Column("version", Whole, nullable=False),
        sa.Column("digest", Digest, nullable=False),
        sa.Column("batch_id", Whole, nullable=False),
        *([sa.Column(MARK, Digest, nullable=False)] if is_personal_kind(fields) else []),
        *(sa.Column(field.name, Sealed if field.personal else _TYPES[field.sort], nullable=field.optional) for field in fields),
        sqlite_strict=True,
        postgresql_partition_by="RANGE (start_at)",
    )
    sa.Index(f"usage_{kind.name}_by_subject", table.c.subject_id, table.c.start_at)
    return KindTable(kind, fields, table)


def kind_tables(kinds: Mapping[str, UsageKind]) -> Mapping[str, KindTable]:
    """Return all kinds of a deployment with their tables."""
    return {name: kind_table(kind) for name, kind in kinds.items()}


def create_kind_tables(connection: Connection, tables: Sequence[KindTable]) -> list[str]:
    """Create the tables that are not there yet, with their guards; return their names. A table that is there stays as it is."""
    there = set(sa.inspect(connection).get_table_names())
    created = []
    for derived in tables:
        name = derived.table.name
        if name not in there:
            derived.table.create(connection)
            create_guards(connection, kind_guards(derived))
            create_others(connection, name, kind_guards(derived))
            created.append(name)
    return created


def kind_guards(derived: KindTable) -> tuple[Guard, ...]:
    """Return the guards of the table of a kind."""
    name = derived.table.name
    changing = (
        Guard(name=f"{name}_{event.lower()}", table=name, event=event, refuse_when="1 = 1", message=USAGE_APPEND_ONLY)
        for event in ("UPDATE", "DELETE")
    )
    return (*changing, row_taken(name, usage_key.name, USAGE_APPEND_ONLY), *never_emptied([name], USAGE_APPEND_ONLY))


def kind_table_findings(connection: Connection, tables: Sequence[KindTable]) -> list[Finding]:
    """Return a finding for each table that is missing or differs from its class: another set of columns, type or NULL rule."""
    inspector = sa.inspect(connection)
    there = set(inspector.get_table_names())
    findings: list[Finding] = []
    for derived in tables:
        name = derived.table.name
        if name not in there:
            findings.append(_mismatch(name, "the table is missing", "Run billing db upgrade"))
            continue
        stored = {
            column["name"]: (_type_name(column["type"], connection), column["nullable"]) for column in inspector.get_columns(name)
        }
        wanted = {column.name: (_type_name(column.type, connection), bool(column.nullable)) for column in derived.table.columns}
        for column in sorted(wanted.keys() | stored.keys()):
            if stored.get(column) != wanted.get(column):
                what = (
                    f"column {column}: the class needs {_shown(wanted.get(column))}, the table has {_shown(stored.get(column))}"
                )
                findings.append(_mismatch(name, what, "Add a migration to the plugin, or enable the version that made the table"))
    return findings


def _type_name(kind: TypeEngine[Any], connection: Connection) -> str:
    return kind.compile(dialect=connection.dialect).split(" COLLATE")[0]


def _shown(column: tuple[str, bool] | None) -> str:
    return "no such column" if column is None else f"{column[0]}{'' if column[1] else ' NOT NULL'}"


def _mismatch(table: str, what: str, remedy: str) -> Finding:
    return Finding(code="STORAGE17", severity=Severity.BLOCKING, what=what, remedy=remedy, subject=table)


def _plain(value: Any, field: BodyField) -> Any:
    return value.value if field.choices is not None and value is not None else value


def _from_plain(value: Any, field: BodyField) -> Any:
    if value is None:
        return None
    if field.choices is not None:
        return field.choices(value)
    return value
