"""The desk of one intake batch for records as columns: what is plainly new and assigned is stored at once, the rest sorted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import polars as pl

from billing_framework.run.usage.intake_desk import IntakeDesk
from billing_framework.run.usage.seen_keys import SeenKeys
from billing_framework.storage.master.account_tables import subject_id
from billing_framework.storage.usage.column_rows import (
    Keys,
    any_keys,
    guided_spans,
    insert_key_columns,
    insert_new_subjects,
    insert_record_columns,
    keys_among,
    waiting_keys,
)
from billing_framework.storage.usage.rows import load_guide
from billing_framework.usage.columnar.identity import IdentifiedColumns
from billing_framework.usage.columnar.record_columns import instant_of
from billing_framework.usage.content import usage_key
from billing_framework.usage.reader import BadRecord
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.usage.record import AnyUsage

Flags = np.ndarray[Any, np.dtype[np.bool_]]

_KEYS_AT_ONCE = 1_000_000
_RECORDS_AT_ONCE = 2_000
_SUBJECTS_AT_ONCE = 1_000_000


@attrs.define(kw_only=True)
class ColumnDesk:
    """Sorts and stores blocks of records; what it cannot decide by columns it hands to the desk that looks at each record.

    Attributes:
        desk: the desk of the same batch that looks at each record.
    """

    desk: IntakeDesk
    _asks_database: bool = False
    _seen: SeenKeys = attrs.field(factory=SeenKeys)
    _pending: dict[str, list[pl.DataFrame]] = attrs.field(factory=dict)
    _pending_count: int = 0
    _subjects: pl.DataFrame | None = None
    _asks_subjects: bool = False
    _stored_subjects: dict[int, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, desk: IntakeDesk) -> ColumnDesk:
        """Return the desk beside one that looks at each record."""
        is_first = not any_keys(desk.connection)
        made = cls(desk=desk, asks_database=not is_first, asks_subjects=not is_first)
        made._seen.add(waiting_keys(desk.connection))
        return made

    def take(self, records: IdentifiedColumns | None, items: Sequence[AnyUsage | BadRecord]) -> None:
        """Sort and store a block of lines: its columns, and what was not plainly good among them."""
        others = list(items)
        if records is not None:
            kind, frame = self.desk.rules[records.columns.kind], records.columns.frame
            others += records.columns.records(kind, records.others) if records.others.height else []
            subjects = self._known_of(frame["subject"])
            again = _repeated_alike(records)
            is_good = self._is_new(records, others, again) & self._is_guided(frame, subjects)
            is_good[again] = np.isin(records.keys[again], records.keys[is_good & ~again])
            if not is_good.all():
                others += records.columns.records(kind, frame.filter(pl.Series(~is_good)))
            self._count_duplicates(int((is_good & again).sum()))
            is_good &= ~again
            if not is_good.all():
                records, subjects = _chosen(records, is_good), subjects.filter(pl.Series(is_good))
            self._store(records, subjects["subject_id"])
        if others:
            self._seen.add(_keys_of(others))
            self._asks_subjects = True
            self._flush()
            others.sort(key=lambda item: item.line)
            for start in range(0, len(others), _RECORDS_AT_ONCE):
                self.desk.take(others[start : start + _RECORDS_AT_ONCE])

    def close(self) -> None:
        """Store what is still to be stored."""
        self._flush()

    def _known_of(self, subjects: pl.Series) -> pl.DataFrame:
        """Return id and assigned span of each identifier, after learning about those that were not met before."""
        known = self._subjects
        if known is None or known.height > _SUBJECTS_AT_ONCE:
            known = self._learned(subjects.unique())
        else:
            new = subjects.unique().to_frame().join(known, on="subject", how="anti")["subject"]
            known = pl.concat([known, self._learned(new)]) if len(new) else known
        self._subjects = known
        return subjects.to_frame().join(known, on="subject", how="left", maintain_order="left")

    def _learned(self, subjects: pl.Series) -> pl.DataFrame:
        names = subjects.to_list()
        ids = pl.Series("subject_id", list(map(subject_id, names)), dtype=pl.Int64)
        spans = guided_spans(self.desk.connection, ids.to_numpy())
        return pl.DataFrame([subjects.alias("subject"), ids]).join(spans, on="subject_id", how="left")

    def _is_new(self, records: IdentifiedColumns, others: Sequence[AnyUsage | BadRecord], again: Flags) -> Flags:
        """Return which records have keys that nothing else has: in the block, the file, the database or in suspense."""
        keys = records.keys
        met = [_repeated(keys[~again]), self._seen.among(keys), _keys_of(others)]
        if self._asks_database:
            met.append(keys_among(self.desk.connection, keys))
        return ~np.isin(keys, np.concatenate(met))

    def _is_guided(self, frame: pl.DataFrame, subjects: pl.DataFrame) -> Flags:
        """Return which records are of an identifier that is assigned when they start."""
        starts = subjects.with_columns(frame["start"])
        is_guided = starts.select(pl.col("start").is_between("since", "until", closed="left").fill_null(value=False)).to_series()
        found = is_guided.to_numpy().copy()
        if not found.all():
            unsure = starts.filter(~is_guided)
            guide = load_guide(self.desk.connection, unsure["subject"].unique().to_list())
            asked = zip(unsure["subject"].to_list(), unsure["start"].to_list(), strict=True)
            found[~found] = [guide.at(subject, instant_of(start)) is not None for subject, start in asked]
        return found

    def _store(self, records: IdentifiedColumns, ids: pl.Series) -> None:
        columns, count = records.columns, records.columns.frame.height
        if not count:
            return
        frame = columns.frame
        self._store_subjects(pl.DataFrame([ids, frame["subject"]]).unique())
        insert_record_columns(self.desk.connection, self.desk.tables[columns.kind], records, ids, self.desk.batch_id)
        self._seen.add(records.keys)
        keys = pl.DataFrame([pl.Series("key", records.keys), ids, frame["start"].alias("start_at")])
        self._pending.setdefault(columns.kind, []).append(keys)
        self._pending_count += count
        self.desk.totals += ControlTotals(
            records=count,
            accepted=count,
            by_kind={columns.kind: count},
            start=instant_of(int(frame["start"].to_numpy().min())),
            end=instant_of(int(frame["end"].to_numpy().max())),
        )
        if self._pending_count >= _KEYS_AT_ONCE:
            self._flush()

    def _count_duplicates(self, count: int) -> None:
        self.desk.totals += ControlTotals(records=count, duplicate=count)

    def _store_subjects(self, named: pl.DataFrame) -> None:
        new: dict[int, str] = {key: name for key, name in named.iter_rows() if self._stored_subjects.get(key) != name}
        may_be_there = self._asks_subjects or not self._stored_subjects.keys().isdisjoint(new)
        insert_new_subjects(self.desk.connection, new, may_be_there=may_be_there)
        self._stored_subjects.update(new)

    def _flush(self) -> None:
        for kind, keys in self._pending.items():
            insert_key_columns(self.desk.connection, kind, keys, self.desk.batch_id)
        self._pending.clear()
        self._pending_count = 0


def _repeated_alike(records: IdentifiedColumns) -> Flags:
    """Return which records are the very same as an earlier one of the block, and as all others that have their key."""
    keys = records.keys
    again = np.zeros(len(keys), dtype=np.bool_)
    places = np.flatnonzero(np.isin(keys, _repeated(keys)))
    digests: dict[int, set[bytes]] = {}
    for place in places.tolist():
        digests.setdefault(int(keys[place]), set()).add(records.digests[place])
    met: set[int] = set()
    for place in places.tolist():
        key = int(keys[place])
        again[place] = key in met and len(digests[key]) == 1
        met.add(key)
    return again


def _keys_of(items: Sequence[AnyUsage | BadRecord]) -> Keys:
    """Return the keys of those records that could be read."""
    return np.array([usage_key(one.source, one.external_id) for one in items if not isinstance(one, BadRecord)], dtype=np.int64)


def _repeated(keys: Keys) -> Keys:
    """Return the keys that stand there more than once."""
    ordered = np.sort(keys)
    found: Keys = ordered[1:][ordered[1:] == ordered[:-1]]
    return found


def _chosen(records: IdentifiedColumns, is_chosen: Flags) -> IdentifiedColumns:
    frame = records.columns.frame
    return attrs.evolve(
        records,
        columns=attrs.evolve(records.columns, frame=frame.filter(pl.Series(is_chosen))),
        keys=records.keys[is_chosen],
        digests=[digest for digest, chosen in zip(records.digests, is_chosen.tolist(), strict=True) if chosen],
        others=frame.clear(),
    )
