"""Key and digest of many records at once; the same as `content.usage_key` and `content.content_digest` give one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

import attrs
import numpy as np
import polars as pl
import polars_hash as plh

from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.content import (
    DIGEST_BYTES,
    ESCAPE,
    SEPARATOR,
    SLOT_OF_SOURCE,
    SLOT_OF_SUBJECT,
    field_text,
    separable,
)
from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.requirements import LONGEST_NAME, LONGEST_TEXT, MOST_PACKED, KindRules
from billing_framework.values.identity import LARGEST_ID
from billing_framework.values.period import EARLIEST, LATEST

Keys = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
Digests = np.ndarray[Any, np.dtype[np.uint8]]

_ODD = f"[\x00{ESCAPE}{SEPARATOR}]"
_CANONICAL = r"^(?:0|-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9])$"
_LARGEST_EXACT_TEXT = 39
_DAY = 86_400_000_000
_EPOCH_DAY = date(1970, 1, 1)


@attrs.frozen(kw_only=True, eq=False)
class IdentifiedColumns:
    """Records with their keys and digests, no two of which have one key.

    Attributes:
        columns: the records; all of them are what their kind requires.
        keys: the keys, in the order of the records.
        slots: ids of their slots, 0 for none, in the same order.
        digests: the digests, in the same order, a row of bytes each.
        again: records that say the very same as one of these, each after it in the file.
        again_keys: their keys.
        others: records that have to be looked at one by one, because a text or number in them is unusual, or their key or
            slot has several contents.
    """

    columns: RecordColumns
    keys: Keys
    slots: Keys
    digests: Digests
    again: pl.DataFrame
    again_keys: Keys
    others: pl.DataFrame

    def chosen(self, is_chosen: Flags) -> IdentifiedColumns:
        """Return some of the records, without the others that stand beside them."""
        frame = self.columns.frame
        return IdentifiedColumns(
            columns=attrs.evolve(self.columns, frame=frame.filter(pl.Series(is_chosen))),
            keys=self.keys[is_chosen],
            slots=self.slots[is_chosen],
            digests=self.digests[is_chosen],
            again=frame.clear(),
            again_keys=self.keys[:0],
            others=frame.clear(),
        )


def identified(columns: RecordColumns, rules: KindRules) -> IdentifiedColumns:
    """Return records with their keys and digests; those that may lack something that `record_findings` asks for are set apart.

    Args:
        columns: records as a reader has yielded them, of which it has kept what it promises; see `broken_columns`.
        rules: their kind.
    """
    plain = columns.frame.select(_is_plain(columns, rules)).to_series()
    others = columns.frame.clear()
    if not plain.all():
        others = columns.frame.filter(~plain)
        columns = attrs.evolve(columns, frame=columns.frame.filter(plain))
    frame = columns.frame
    keys, slots = record_keys(columns.source, frame["external_id"]), slot_keys(columns, carried=rules.kind.carried)
    texts = frame.select(pl.concat_str(list(_text_parts(columns, rules)))).to_series()
    digests = _digests_of_texts(texts)
    whole = IdentifiedColumns(
        columns=columns, keys=keys, slots=slots, digests=digests, again=frame.clear(), again_keys=keys[:0], others=others
    )
    again, apart = _repeats(keys, digests, frame["external_id"])
    apart |= ~again & _are_repeated(np.where(again, 0, slots)) & (slots != 0)
    if not (again | apart).any():
        return whole
    return attrs.evolve(
        whole.chosen(~(again | apart)),
        again=frame.filter(pl.Series(again)),
        again_keys=keys[again],
        others=pl.concat([others, frame.filter(pl.Series(apart))]),
    )


def _repeats(keys: Keys, digests: Digests, names: pl.Series) -> tuple[Flags, Flags]:
    """Return which records repeat an earlier one, and which have a key that several contents have."""
    again, apart = np.zeros(len(keys), dtype=np.bool_), np.zeros(len(keys), dtype=np.bool_)
    found: dict[int, list[int]] = {}
    for place in np.flatnonzero(_are_repeated(keys)).tolist():
        found.setdefault(int(keys[place]), []).append(place)
    for places in found.values():
        if len({(digests[place].tobytes(), names[place]) for place in places}) == 1:
            again[places[1:]] = True
        else:
            apart[places] = True
    return again, apart


def _are_repeated(keys: Keys) -> Flags:
    """Return which of some keys are there more than once."""
    ordered = np.sort(keys)
    repeated = ordered[1:][ordered[1:] == ordered[:-1]]
    return np.isin(keys, repeated) if len(repeated) else np.zeros(len(keys), dtype=np.bool_)


def record_keys(source: str, external_ids: pl.Series) -> Keys:
    """Return the keys of records of one source."""
    return _natural_ids(("usage", source), external_ids)


def slot_keys(columns: RecordColumns, *, carried: bool) -> Keys:
    """Return what `content.slot_key` tells of each record."""
    if not columns.has_slots:
        return np.zeros(columns.frame.height, dtype=np.int64)
    slots = columns.frame["slot"]
    if carried:
        found = _natural_ids((SLOT_OF_SOURCE, columns.kind, columns.source), slots)
    else:
        found = _natural_ids((SLOT_OF_SUBJECT, columns.kind), columns.frame["subject"], slots)
    found[(slots == "").to_numpy()] = 0
    return found


def _natural_ids(prefix: Iterable[str], *rest: pl.Series) -> Keys:
    head = "".join(f"s{len(part)}:{part}" for part in prefix)
    parts = [text for one in rest for text in (pl.lit("s"), one.str.len_chars().cast(pl.String), pl.lit(":"), one)]
    texts = pl.select(pl.concat_str(pl.lit(head), *parts).alias("text"))
    hashed = texts.select(plh.col("text").nchash.xxh3_64()).to_series().to_numpy()
    return (hashed & LARGEST_ID).astype(np.int64)


def _digests_of_texts(texts: pl.Series) -> Digests:
    """Return what `content.digest_of_text` gives of each text."""
    hexed = texts.alias("text").to_frame().select(plh.col("text").chash.sha2_256().str.head(2 * DIGEST_BYTES)).to_series()
    return np.frombuffer(bytes.fromhex(hexed.str.join("").item()), dtype=np.uint8).reshape(len(texts), DIGEST_BYTES)


def _is_plain(columns: RecordColumns, rules: KindRules) -> pl.Expr:
    """Return what is true for records that surely are what is required of them."""
    first = (EARLIEST - _EPOCH_DAY).days * _DAY
    last = ((LATEST - _EPOCH_DAY).days + 1) * _DAY
    tests = [pl.col(name).is_between(first, last, closed="left") for name in ("start", "end")]
    tests += [pl.col("end") >= pl.col("start")]
    for name in ("external_id", "subject"):
        column = pl.col(name)
        tests.append(column.str.len_bytes().is_between(1, LONGEST_NAME))
        if not _is_visible(columns.frame[name]):
            tests += [~column.str.contains(_ODD), column.str.contains("[!-~]")]
    if columns.has_slots:
        slot = pl.col("slot")
        tests += [slot.str.len_bytes() <= LONGEST_NAME, ~slot.str.contains(_ODD), pl.col("version").is_not_null()]
    for field in rules.fields:
        if field.name not in columns.frame.columns:
            continue
        column = pl.col(field.name)
        if field.sort is Sort.WHOLES:
            count = column.list.len()
            tests.append(((count <= MOST_PACKED) & (column.list.drop_nulls().list.len() == count)).fill_null(field.optional))
        elif field.sort is Sort.TEXT:
            is_short = column.str.len_bytes() <= LONGEST_TEXT
            is_sound = is_short if _is_visible(columns.frame[field.name]) else is_short & ~column.str.contains(_ODD)
            tests.append(is_sound.fill_null(field.optional))
        elif field.choices is not None:
            tests.append(column.is_in([str(member.value) for member in field.choices]).fill_null(field.optional))
        elif field.sort is Sort.EXACT:
            is_exact = (column.str.len_bytes() <= _LARGEST_EXACT_TEXT) & column.str.contains(_CANONICAL)
            tests.append(is_exact.fill_null(field.optional))
        elif not field.optional:
            tests.append(column.is_not_null())
    return pl.all_horizontal(tests).fill_null(value=False)


def _is_visible(texts: pl.Series) -> bool:
    """Return whether all letters of all texts are visible ASCII, as they nearly always are; looking at each text takes longer."""
    letters = np.frombuffer((texts.str.join("").item() or "").encode(), dtype=np.uint8)
    return not len(letters) or bool(letters.min() >= ord("!") and letters.max() <= ord("~"))


def _text_parts(columns: RecordColumns, rules: KindRules) -> Iterator[pl.Expr]:
    """Yield what the text of a record consists of; see `content.content_digest`."""
    said = separable(columns.kind) + SEPARATOR
    yield pl.lit(said)
    yield from (pl.col("subject"), pl.lit(SEPARATOR), pl.col("start").cast(pl.String), pl.lit(SEPARATOR))
    yield pl.col("end").cast(pl.String)
    said = f"{SEPARATOR}{SEPARATOR}0"  # no slot, version 0
    if columns.has_slots:
        yield from (pl.lit(SEPARATOR), pl.col("slot"), pl.lit(SEPARATOR), pl.col("version").cast(pl.String))
        said = ""
    for field in rules.fields:
        if field.name not in columns.frame.columns:
            value = columns.constants.get(field.name, field.default)
            if value != field.default:
                said += SEPARATOR + separable(field.name if value is None else f"{field.name}={field_text(value, field)}")
            continue
        head, always = f"{SEPARATOR}{field.name}", field.default is attrs.NOTHING and not field.optional
        text = _text_of(field)
        if always:
            yield from (pl.lit(f"{said}{head}="), text)
        else:
            yield from (pl.lit(said), _where_said(field, head, text))
        said = ""
    yield pl.lit(said)


def _where_said(field: BodyField, head: str, text: pl.Expr) -> pl.Expr:
    """Return the part of a field that may hold its default, or nothing."""
    column = pl.col(field.name)
    part = pl.concat_str(pl.lit(f"{head}="), text)
    if field.default is None:
        return part.fill_null("")
    if field.optional:
        part = pl.when(column.is_null()).then(pl.lit(head)).otherwise(part)
    if field.default is attrs.NOTHING:
        return part
    is_default = (text == pl.lit(field_text(field.default, field))).fill_null(value=False)
    return pl.when(is_default).then(pl.lit("")).otherwise(part)


def _text_of(field: BodyField) -> pl.Expr:
    """Return the text of a field, as `content.field_text` writes it."""
    column = pl.col(field.name)
    match field.sort:
        case Sort.TEXT | Sort.EXACT | Sort.CHOICE:
            return column
        case Sort.FLAG:
            return pl.when(column).then(pl.lit("1")).when(~column).then(pl.lit("0")).otherwise(None)
        case Sort.DAY:
            return column.dt.to_string("%Y-%m-%d")
        case Sort.WHOLES:
            return column.map_batches(_joined, return_dtype=pl.String)
        case _:
            return column.cast(pl.String)


def _joined(values: pl.Series) -> pl.Series:
    """Return the numbers of each list with commas between them; where they are within narrow bounds, each text is made once."""
    counts = values.list.len()
    count, numbers = counts[0] if len(values) else 0, values.explode()
    if count and not values.null_count() and counts.min() == counts.max() == count:
        low, high = int(numbers.to_numpy().min()), int(numbers.to_numpy().max())
        if high - low < len(numbers):
            texts = pl.int_range(low, high + 1, eager=True).cast(pl.String)
            return texts.gather(numbers - low).reshape((len(values), count)).arr.join(",").alias(values.name)
    return values.cast(pl.List(pl.String)).list.join(",")
