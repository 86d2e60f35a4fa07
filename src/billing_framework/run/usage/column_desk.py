"""The desk of one intake batch for records as columns: what is plainly new and assigned is stored at once, the rest sorted."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import polars as pl

from billing_framework.run.usage.column_block import Block, ReadyColumns
from billing_framework.run.usage.intake_desk import IntakeDesk
from billing_framework.run.usage.seen_keys import Flags, SeenKeys, are_among
from billing_framework.storage.bulk_columns import insert_prepared
from billing_framework.storage.usage.column_rows import (
    Keys,
    any_keys,
    guided_spans,
    insert_key_columns,
    insert_new_subjects,
    keys_among,
    record_rows,
    slots_among,
    waiting_among,
    waiting_keys,
)
from billing_framework.storage.usage.rows import load_guide
from billing_framework.usage.columnar.identity import IdentifiedColumns, slot_keys
from billing_framework.usage.content import slot_key, usage_key
from billing_framework.usage.reader import BadRecord
from billing_framework.usage.reconcile import ControlTotals
from billing_framework.usage.record import AnyUsage
from billing_framework.values.instant import instant_at

_KEYS_AT_ONCE = 1_000_000
"""Keys are hashes, so the more of them are stored in order at once, the more of them share a page of the index."""

_WAITING_AT_ONCE = 100_000
"""Of so many records in suspense the keys are read once; where there are more, each block asks about its own."""

_OTHERS_AT_ONCE = 20_000
_RECORDS_AT_ONCE = 2_000


@attrs.define(kw_only=True)
class ColumnDesk:
    """Sorts and stores blocks of records; what it cannot decide by columns it hands to the desk that looks at each record.

    Attributes:
        desk: the desk of the same batch that looks at each record.
    """

    desk: IntakeDesk
    _asks_keys: bool = False
    _asks_subjects: bool = False
    _asks_suspense: bool = False
    _seen: SeenKeys = attrs.field(factory=SeenKeys)
    _seen_slots: SeenKeys = attrs.field(factory=SeenKeys)
    _pending: dict[str, list[pl.DataFrame]] = attrs.field(factory=dict)
    _pending_count: int = 0
    _others: list[AnyUsage | BadRecord] = attrs.field(factory=list)
    _spans: pl.DataFrame | None = None
    _unstored: dict[int, str] = attrs.field(factory=dict)

    @classmethod
    def of(cls, desk: IntakeDesk) -> ColumnDesk:
        """Return the desk beside one that looks at each record."""
        is_first = not any_keys(desk.connection)
        waiting = waiting_keys(desk.connection, _WAITING_AT_ONCE)
        made = cls(desk=desk, asks_keys=not is_first, asks_subjects=not is_first, asks_suspense=waiting is None)
        if waiting is not None:
            made._seen.add(waiting)
        return made

    def take(self, block: Block) -> None:
        """Sort and store a block: its columns, and what was not plainly good among them."""
        others = list(block.items)
        if block.ready is not None:
            others += self._take_columns(block.ready, others)
        if others:
            self._seen.add(_keys_of(others))
            self._seen_slots.add(self._slots_of(others))
            others.sort(key=lambda item: item.line)
            self._others += others
        if len(self._others) >= _OTHERS_AT_ONCE:
            self._take_others()

    def close(self) -> None:
        """Store what is still to be stored."""
        self._take_others()

    def _take_others(self) -> None:
        """Look at each of the other records; whatever came after one of them with its key or slot is among them, too."""
        self._flush()
        for start in range(0, len(self._others), _RECORDS_AT_ONCE):
            self._asks_subjects = True
            self.desk.take(self._others[start : start + _RECORDS_AT_ONCE])
        self._others.clear()

    def _take_columns(self, ready: ReadyColumns, items: Sequence[AnyUsage | BadRecord]) -> list[AnyUsage]:
        """Store what is plainly good among columns, and return the others."""
        self._learn(ready.names)
        records, ids = ready.records, ready.subject_ids
        columns, kind = records.columns, self.desk.rules[records.columns.kind]
        others = columns.records(kind, records.others) if records.others.height else []
        met = [*items, *others]
        is_good = self._is_new(records, met) & self._is_alone(records, met) & self._is_guided(columns.frame, ids)
        is_again = are_among(records.again_keys, np.sort(records.keys[is_good]))
        self.desk.totals += ControlTotals(records=int(is_again.sum()), duplicate=int(is_again.sum()))
        if not is_again.all():
            others += columns.records(kind, records.again.filter(pl.Series(~is_again)))
        if is_good.all():
            self._store(ready)
            return others
        chosen, chosen_ids = records.chosen(is_good), ids.filter(pl.Series(is_good))
        table = self.desk.tables[columns.kind]
        rows = record_rows(self.desk.connection.dialect.name, table, chosen, chosen_ids, self.desk.batch_id)
        self._store(attrs.evolve(ready, records=chosen, subject_ids=chosen_ids, rows=rows))
        return others + columns.records(kind, columns.frame.filter(pl.Series(~is_good)))

    def _learn(self, names: pl.DataFrame) -> None:
        """Learn when identifiers that the file has not had before are assigned."""
        if not names.height and self._spans is not None:
            return
        self._unstored.update(names.iter_rows())
        spans = guided_spans(self.desk.connection, names["subject_id"].to_numpy())
        self._spans = spans if self._spans is None else pl.concat([self._spans, spans])

    def _is_new(self, records: IdentifiedColumns, others: Sequence[AnyUsage | BadRecord]) -> Flags:
        """Return which records have keys that nothing else has: in the block, the file, the database or in suspense."""
        met = [self._seen.among(records.keys), _keys_of(others)]
        if self._asks_keys:
            met.append(keys_among(self.desk.connection, records.keys))
        if self._asks_suspense:
            met.append(waiting_among(self.desk.connection, records.keys))
        return ~are_among(records.keys, np.sort(np.concatenate(met)))

    def _is_alone(self, records: IdentifiedColumns, others: Sequence[AnyUsage | BadRecord]) -> Flags:
        """Return which records have no slot, or one that nothing else has: in the block, the file or the database."""
        slots = records.slots[records.slots != 0]
        if not len(slots):
            return np.ones(len(records.slots), dtype=np.bool_)
        met = [self._seen_slots.among(slots), self._slots_of(others)]
        if self._asks_keys:
            met.append(slots_among(self.desk.connection, slots))
        is_alone: Flags = (records.slots == 0) | ~are_among(records.slots, np.sort(np.concatenate(met)))
        if self._asks_keys and self.desk.rules[records.columns.kind].kind.carried:
            older = slot_keys(records.columns, carried=False)  # as `IntakeDesk` finds them, which then looks at each
            is_alone &= ~are_among(older, slots_among(self.desk.connection, older[older != 0]))
        return is_alone

    def _slots_of(self, items: Sequence[AnyUsage | BadRecord]) -> Keys:
        """Return the ids of the slots of those records that have one."""
        readable = [one for one in items if not isinstance(one, BadRecord) and one.slot and one.kind in self.desk.rules]
        slots = [slot_key(one, carried=self.desk.rules[one.kind].kind.carried) for one in readable]
        return np.array(slots, dtype=np.int64)

    def _is_guided(self, frame: pl.DataFrame, subject_ids: pl.Series) -> Flags:
        """Return which records are of an identifier that is assigned when they start."""
        starts = pl.DataFrame([subject_ids, frame["start"], frame["subject"]])
        if self._spans is not None:
            starts = starts.join(self._spans, on="subject_id", how="left", maintain_order="left")
        is_guided = starts.select(pl.col("start").is_between("since", "until", closed="left").fill_null(value=False)).to_series()
        found = is_guided.to_numpy().copy()
        if not found.all():
            unsure = starts.filter(~is_guided)
            guide = load_guide(self.desk.connection, unsure["subject"].unique().to_list())
            asked = zip(unsure["subject"].to_list(), unsure["start"].to_list(), strict=True)
            found[~found] = [guide.at(subject, instant_at(start)) is not None for subject, start in asked]
        return found

    def _store(self, ready: ReadyColumns) -> None:
        columns = ready.records.columns
        count, frame = columns.frame.height, columns.frame
        if not count:
            return
        self._store_subjects(ready.subject_ids)
        insert_prepared(self.desk.connection, ready.rows)
        self._seen.add(ready.records.keys)
        self._seen_slots.add(ready.records.slots[ready.records.slots != 0])
        keys = frame.select(
            pl.Series("key", ready.records.keys),
            ready.subject_ids,
            pl.col("start").alias("start_at"),
            pl.Series("slot_key", ready.records.slots),
            (pl.col("version") if columns.has_slots else pl.lit(0, dtype=pl.Int64)).alias("version"),
        )
        self._pending.setdefault(columns.kind, []).append(keys)
        self._pending_count += count
        self.desk.totals += ControlTotals(
            records=count,
            accepted=count,
            by_kind={columns.kind: count},
            start=instant_at(int(frame["start"].to_numpy().min())),
            end=instant_at(int(frame["end"].to_numpy().max())),
        )
        if self._pending_count >= _KEYS_AT_ONCE:
            self._flush()

    def _store_subjects(self, subject_ids: pl.Series) -> None:
        if self._unstored:
            ids = subject_ids.unique().to_list()
            new = {key: self._unstored.pop(key) for key in ids if key in self._unstored}
            insert_new_subjects(self.desk.connection, new, may_be_there=self._asks_subjects)

    def _flush(self) -> None:
        for kind, keys in self._pending.items():
            insert_key_columns(self.desk.connection, kind, keys, self.desk.batch_id)
        self._pending.clear()
        self._pending_count = 0


def _keys_of(items: Sequence[AnyUsage | BadRecord]) -> Keys:
    """Return the keys of those records that could be read."""
    return np.array([usage_key(one.source, one.external_id) for one in items if not isinstance(one, BadRecord)], dtype=np.int64)
