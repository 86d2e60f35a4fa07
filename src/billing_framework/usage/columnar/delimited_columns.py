"""Delimited text as columns: the reading of `delimited` for many lines at once; whatever is not plain is left to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

import attrs
import polars as pl

from billing_framework.usage.columnar.cells import LINE, cells_of
from billing_framework.usage.columnar.line_blocks import LineBlock
from billing_framework.usage.columnar.record_columns import RecordColumns
from billing_framework.usage.columnar.stamps import instants_of
from billing_framework.usage.kind_fields import BodyField, Sort
from billing_framework.usage.record import UsageKind

_WHOLE = "^-?[0-9]{1,18}$"
_EXACT = r"^(?:-?[1-9][0-9]{0,14}(?:\.[0-9]{1,15})?|0|0\.[0-9]{0,14}[1-9][0-9]{0,5})$"
_DAY = "^(?:19|20|21)[0-9]{2}-[0-9]{2}-[0-9]{2}$"
_FLAGS: Mapping[str, bool] = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
_SORTS = frozenset((Sort.TEXT, Sort.WHOLE, Sort.FLAG, Sort.EXACT, Sort.DAY, Sort.INSTANT, Sort.CHOICE))


@attrs.frozen(kw_only=True, eq=False)
class DelimitedColumns:
    """How the lines of a file become columns.

    Attributes:
        kind: usage kind of the records.
        source: source of the records.
        zone: zone of local times without an offset.
        fields: fields of the kind that the file has, by name.
        places: field or part of the envelope to the positions of its cells.
        width: how many cells a line has.
        delimiter: the character between cells.
    """

    kind: UsageKind
    source: str
    zone: ZoneInfo
    fields: Mapping[str, BodyField]
    places: Mapping[str, tuple[int, ...]]
    width: int
    delimiter: str

    def read(self, block: LineBlock) -> tuple[RecordColumns, Sequence[int]] | None:
        """Return the plain records of a block without quotes, and the numbers of its other lines; None where there are none."""
        parts = [(f"{name}/{number}", place) for name, some in self.places.items() for number, place in enumerate(some)]
        cells = cells_of(block, parts, width=self.width, delimiter=self.delimiter, strips=False)
        if cells is None:
            return None
        texts = cells.frame.select(LINE, *(self._joined(name, len(some)) for name, some in self.places.items()))
        columns = [
            texts[LINE],
            *self._envelope(texts),
            *(self._values(texts[name], field) for name, field in self.fields.items()),
        ]
        frame = pl.DataFrame(columns)
        is_plain = frame.select(pl.all_horizontal(*self._is_good())).to_series()
        is_plain &= pl.select(pl.all_horizontal(*self._is_read(texts, frame))).to_series()
        others = sorted([*cells.others, *frame.filter(~is_plain)[LINE].to_list()])
        return RecordColumns(kind=self.kind.name, source=self.source, frame=frame.filter(is_plain)), others

    def _joined(self, name: str, count: int) -> pl.Expr:
        return pl.concat_str([pl.col(f"{name}/{number}") for number in range(count)], separator="/").str.strip_chars().alias(name)

    def _envelope(self, texts: pl.DataFrame) -> Iterator[pl.Series]:
        yield from (texts["external_id"], texts["subject"])
        start = instants_of(texts["start"], self.zone)
        end = instants_of(texts["end"], self.zone) if "end" in self.places else start
        for name, found in (("start", start), ("end", end)):
            known = pl.DataFrame({"at": found.microseconds, "is_known": found.is_known})
            yield known.select(pl.when("is_known").then(pl.col("at")).otherwise(None).alias(name)).to_series()

    def _values(self, text: pl.Series, field: BodyField) -> pl.Series:
        """Return the values of cells, null where there is none or `cell_value` has to look at it."""
        cell = pl.col(text.name)
        match field.sort:
            case Sort.WHOLE:
                value = pl.when(cell.str.contains(_WHOLE)).then(cell).otherwise(None).cast(pl.Int64)
            case Sort.EXACT:
                plain = (
                    pl.when(cell.str.contains(r"\.")).then(cell.str.strip_chars_end("0").str.strip_chars_end(".")).otherwise(cell)
                )
                value = pl.when(cell.str.contains(_EXACT)).then(plain).otherwise(None)
            case Sort.FLAG:
                value = cell.replace_strict(list(_FLAGS), list(_FLAGS.values()), default=None, return_dtype=pl.Boolean)
            case Sort.DAY:
                value = pl.when(cell.str.contains(_DAY)).then(cell).otherwise(None).str.to_date("%Y-%m-%d", strict=False)
            case Sort.INSTANT:
                found = instants_of(text, self.zone)
                known = pl.DataFrame({"at": found.microseconds, "is_known": found.is_known})
                return known.select(pl.when("is_known").then(pl.col("at")).otherwise(None).alias(text.name)).to_series()
            case Sort.CHOICE:
                known_texts = [str(member.value) for member in field.choices or ()]
                value = pl.when(cell.is_in(known_texts)).then(cell).otherwise(None)
            case _:
                value = cell
        return text.to_frame().select(value.alias(text.name)).to_series()

    def _is_good(self) -> Iterator[pl.Expr]:
        """Yield what is true of records that have what every record needs."""
        yield from (pl.col(name).str.len_bytes() > 0 for name in ("external_id", "subject"))
        yield (pl.col("end") >= pl.col("start")).fill_null(value=False)

    def _is_read(self, texts: pl.DataFrame, frame: pl.DataFrame) -> Iterator[pl.Series]:
        """Yield of which records a cell was read; an empty one is nothing, where its field may be nothing."""
        for name, field in self.fields.items():
            is_empty = texts[name].str.len_bytes() == 0
            if field.sort is not Sort.TEXT:
                yield frame[name].is_not_null() | (is_empty if field.optional else frame[name].is_not_null())


def fits_columns(kind: UsageKind, fields: Mapping[str, BodyField], named: Sequence[str], *, is_plain_text: bool) -> bool:
    """Return whether the records of a layout can be read by columns.

    Args:
        kind: usage kind of the records; a class with checks of its own is left to the reading one by one, which asks it.
        fields: fields of the kind.
        named: fields and parts of the envelope that the file has.
        is_plain_text: whether encoding, delimiter and formats are the usual ones.
    """
    own = attrs.fields(kind.body)
    has_checks = hasattr(kind.body, "__attrs_post_init__") or any(one.validator or one.converter for one in own)
    known = all(fields[name].sort in _SORTS for name in named if name in fields)
    return is_plain_text and known and not has_checks and not {"slot", "version", "deleted"} & set(named)
