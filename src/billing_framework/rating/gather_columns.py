"""The records of many billing groups become the columns of a shard: from the columns that they stand in, or from objects."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework.rating.group import AgreementUsage, BillingGroup, KeyedUsage
from billing_framework.rating.stored_records import Records, StoredRecords, of_kinds
from billing_framework.rating.usage_columns import NEVER, FieldColumn, UsageColumns
from billing_framework.usage.kind_fields import BodyField, Sort, body_fields
from billing_framework.usage.record import UsageKind
from billing_framework.values.clock import timezone
from billing_framework.values.columns import Column, Integers, integers_of
from billing_framework.values.instant import EPOCH, MICROSECOND
from billing_framework.values.local_columns import local_time

_EPOCH_DAY = date(1970, 1, 1).toordinal()


def columns_of(groups: Sequence[BillingGroup], kind: UsageKind, fields: Sequence[str]) -> UsageColumns:
    """Return the records of one kind of many billing groups as columns.

    Args:
        groups: the groups with their records, as a rater sees them.
        kind: the usage kind.
        fields: names of the fields of its body that are needed.
    """
    usages = tuple(usage for group in groups for usage in group.agreements)
    own = [of_kinds(usage.records, (kind.name,)) for usage in usages]
    group_of = [place for place, group in enumerate(groups) for _ in group.agreements]
    mixed = {place for place, usage, some in zip(group_of, usages, own, strict=True) if some is not usage.records}
    firsts = integers_of([0, *itertools.accumulate(map(len, own))])
    rows = _stored_rows(own, usages, fields) or _object_rows(own, usages, kind, fields)
    zones = [timezone(groups[place].account.zone) for place in group_of]
    day, second = _local(rows.start, zones, firsts)
    return UsageColumns(
        kind=kind.name,
        groups=tuple(groups),
        usages=usages,
        group_of=integers_of(group_of),
        firsts=firsts,
        terms=terms_of(groups),
        state_until=integers_of([state_until(usage) for usage in usages]),
        keys=rows.keys,
        own=rows.own,
        subject=rows.subject,
        start=rows.start,
        end=rows.end,
        day=day,
        second=second,
        fields=rows.fields,
        mixed=frozenset(mixed),
        settings=groups[0].settings if groups else None,
        record=rows.record,
    )


@attrs.frozen(kw_only=True, eq=False)
class _Rows:
    """What `UsageColumns` says of each record by itself."""

    keys: Integers
    own: npt.NDArray[np.bool_]
    subject: FieldColumn
    start: Integers
    end: Integers
    fields: dict[str, FieldColumn]
    record: Callable[[int], KeyedUsage]


def _stored_rows(own: Sequence[Records], usages: Sequence[AgreementUsage], fields: Sequence[str]) -> _Rows | None:
    """Return records that stand in the same columns, without an object for any; None where they do not."""
    stored = [some for some in own if isinstance(some, StoredRecords)]
    stretches = [stretch for some in stored for stretch in some.stretches]
    if len(stored) < len(own) and any(not isinstance(some, StoredRecords) and some for some in own):
        return None
    if len({id(stretch.columns) for stretch in stretches}) != 1:
        return None
    columns = stretches[0].columns
    lows, lengths = integers_of([stretch.low for stretch in stretches]), integers_of([len(stretch) for stretch in stretches])
    ends = np.cumsum(lengths)
    places = np.arange(int(ends[-1])) + np.repeat(lows - (ends - lengths), lengths)
    guided = [
        stretch.assignment.agreement == usage.agreement.code
        for usage, some in zip(usages, own, strict=True)
        if isinstance(some, StoredRecords)
        for stretch in some.stretches
    ]
    subjects = text_column([columns.subject(stretch.low) for stretch in stretches])
    edges, listed = ends.tolist(), stretches

    def record(row: int) -> KeyedUsage:
        number = bisect_right(edges, row)
        stretch = listed[number]
        (found,) = attrs.evolve(stretch, low=int(places[row]), high=int(places[row]) + 1).records()
        return found

    return _Rows(
        keys=integers_of(columns.keys)[places],
        own=np.repeat(np.array(guided, dtype=bool), lengths),
        subject=attrs.evolve(subjects, numbers=np.repeat(subjects.numbers, lengths)),
        start=integers_of(columns.starts)[places],
        end=integers_of(columns.ends)[places],
        fields={name: columns.field(name).at(places) for name in fields},
        record=record,
    )


def _object_rows(own: Sequence[Records], usages: Sequence[AgreementUsage], kind: UsageKind, fields: Sequence[str]) -> _Rows:
    """Return records that are objects."""
    records = [record for some in own for record in some]
    firsts = [0, *itertools.accumulate(map(len, own))]
    if not _ordered(records, firsts):
        for first, last in pairwise(firsts):
            records[first:last] = sorted(records[first:last], key=lambda one: (one.usage.subject, one.usage.start, one.key))
    delivered = [one.usage for one in records]
    spans, bodies = [one.span for one in delivered], [one.body for one in delivered]
    known = {field.name: field for field in body_fields(kind)}
    owners = [usage.agreement.code for usage, some in zip(usages, own, strict=True) for _ in some]
    return _Rows(
        keys=integers_of([one.key for one in records]),
        own=np.array([one.assignment.agreement == owner for one, owner in zip(records, owners, strict=True)], dtype=bool),
        subject=text_column([one.subject for one in delivered]),
        start=_instants([span.start for span in spans]),
        end=_instants([span.end for span in spans]),
        fields={name: field_column(known[name], list(map(attrgetter(name), bodies))) for name in fields},
        record=records.__getitem__,
    )


def _ordered(records: Sequence[KeyedUsage], firsts: Sequence[int]) -> bool:
    """Tell whether the records of each agreement stand in order of subject, start and key, as they are given nearly always."""
    edges = set(firsts)
    for place, (one, other) in enumerate(pairwise(records), start=1):
        left, right = one.usage, other.usage
        if left.subject is right.subject and left.span.start < right.span.start:
            continue
        before, after = (left.subject, left.span.start, one.key), (right.subject, right.span.start, other.key)
        if after < before and place not in edges:
            return False
    return True


def terms_of(groups: Sequence[BillingGroup]) -> Integers:
    """Return for each agreement the place of the first one that shares its terms; see `UsageColumns.terms`."""
    known: dict[Hashable, int] = {}
    found: list[int] = []
    for group in groups:
        account = group.account
        calendars = tuple(sorted(group.holidays.items()))
        for usage in group.agreements:
            tiles = tuple((tile.dates, id(tile.plan)) for tile in usage.tiles)
            earlier = tuple((tile.dates, id(tile.plan)) for tile in usage.earlier_tiles)
            periods = (group.period, usage.period, usage.full_period)
            key = (account.zone, account.currency, calendars, periods, tiles, earlier, tuple(map(id, usage.tables)))
            found.append(known.setdefault(key, len(found)))
    return integers_of(found)


def state_until(usage: AgreementUsage) -> int:
    """Return the latest end of a period after which the agreement's carried state was written, as days since 1970."""
    return max((state.period.end.toordinal() - _EPOCH_DAY for state in usage.state.values()), default=NEVER)


def field_column(field: BodyField, values: Sequence[Any]) -> FieldColumn:
    """Return the values of one field as a column."""
    missing = np.array([value is None for value in values], dtype=bool) if field.optional else None
    if missing is not None and missing.any():
        empty = _EMPTY[field.sort]
        values = [empty if value is None else value for value in values]
    if field.sort in (Sort.TEXT, Sort.CHOICE):
        column = text_column(values) if field.choices is None else _choice_column(values)
        return FieldColumn(numbers=column.numbers, texts=column.texts, missing=missing)
    if field.sort is Sort.EXACT:
        exact = Column.of(values)
        return FieldColumn(numbers=exact.numbers, scale=exact.scale, missing=missing)
    if field.sort is Sort.WHOLES:
        starts = np.concatenate(([0], np.cumsum([len(value) for value in values], dtype=np.int64)))
        numbers = np.fromiter(itertools.chain.from_iterable(values), dtype=np.int64, count=int(starts[-1]))
        return FieldColumn(numbers=numbers, starts=starts, missing=missing)
    if field.sort is Sort.INSTANT:
        return FieldColumn(numbers=_instants(values), missing=missing)
    if field.sort is Sort.DAY:
        return FieldColumn(numbers=integers_of([value.toordinal() - _EPOCH_DAY for value in values]), missing=missing)
    return FieldColumn(numbers=integers_of(list(map(int, values))), missing=missing)


_EMPTY: Mapping[Sort, Any] = {
    Sort.TEXT: "",
    Sort.CHOICE: "",
    Sort.EXACT: 0,
    Sort.WHOLES: (),
    Sort.WHOLE: 0,
    Sort.FLAG: 0,
    Sort.DAY: date(1970, 1, 1),
    Sort.INSTANT: EPOCH,
}


def _choice_column(values: Sequence[Any]) -> FieldColumn:
    """Return members of an enumeration of texts, of which there are few, or "" for none, as a column."""
    members = {id(value): value for value in values}
    texts = {place: "" if value == "" else value.value for place, value in members.items()}
    return text_column([texts[id(value)] for value in values])


def _instants(values: Sequence[datetime]) -> Integers:
    return integers_of([(value - EPOCH) // MICROSECOND for value in values])


def text_column(values: Sequence[str]) -> FieldColumn:
    """Return texts as a column, each different text once."""
    codes = {text: code for code, text in enumerate(dict.fromkeys(values))}
    numbers = list(map(codes.__getitem__, values))  # without a step of Python for each
    return FieldColumn(numbers=integers_of(numbers), texts=np.array([text.encode() for text in codes] or [b""]))


def _local(starts: Integers, zones: Sequence[ZoneInfo], firsts: Integers) -> tuple[Integers, Integers]:
    """Return local day and second of each record, by the zone of its agreement."""
    if len(set(zones)) <= 1:
        return local_time(starts, zones[0]) if zones else (starts, starts)
    code_of = {zone: code for code, zone in enumerate(dict.fromkeys(zones))}
    codes = np.repeat(integers_of([code_of[zone] for zone in zones]), np.diff(firsts))
    day, second = np.zeros_like(starts), np.zeros_like(starts)
    for zone, code in code_of.items():
        rows = np.flatnonzero(codes == code)
        day[rows], second[rows] = local_time(starts[rows], zone)
    return day, second
