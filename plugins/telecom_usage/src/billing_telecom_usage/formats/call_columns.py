"""Calls as columns: the rules of `call_record` for many records at once; a record that they do not fit plainly is read by it."""

from __future__ import annotations

from datetime import timedelta

import attrs
import polars as pl

from billing_framework import Instants, ReadRequest, RecordColumns, instants_of, timezone
from billing_telecom_usage.formats.call_record import YES, Shape
from billing_telecom_usage.formats.number_columns import number_columns
from billing_telecom_usage.formats.stamps import TOLERANCE
from billing_telecom_usage.kinds import CALL, LONGEST_SECONDS, Direction
from billing_telecom_usage.settings import Source, Start

_SECOND = 1_000_000
_TIME_FORMATS = ("", "%Y-%m-%d %H:%M:%S")
_CODECS = ("utf-8", "utf8", "utf_8", "ascii")
_SECONDS = "^[0-9]{0,9}$"
_NO = ("", "0", "false", "no")
_TEXTS = ("disposition", "account_code")


@attrs.frozen(kw_only=True, eq=False)
class CallColumns:
    """Makes columns of the cells of one file.

    Attributes:
        request: what the reader was told.
        source: settings of the switch.
        shape: layout of the records.
    """

    request: ReadRequest
    source: Source
    shape: Shape

    @property
    def fits(self) -> bool:
        """Whether records of the source can be read by columns at all; rarer settings are left to the other road."""
        known = self.source.encoding.lower() in _CODECS
        return known and self.shape.time_format in _TIME_FORMATS and self.shape.per_second == 1

    @property
    def places(self) -> list[tuple[str, int]]:
        """The columns of cells that are needed: those of the fields by name, and ``id0`` and on, with their positions."""
        return [*self.shape.fields.items(), *((f"id{number}", place) for number, place in enumerate(self.shape.ids))]

    def calls(self, cells: pl.DataFrame) -> tuple[RecordColumns, list[int]]:
        """Return the calls of cells, and the numbers of the lines that have to be read one by one.

        Args:
            cells: the columns of `places`, without blanks around the texts, and ``line``.
        """
        numbers = self.source.numbers
        (a_number, _), (b_number, b_class) = (number_columns(pl.col(name), numbers) for name in ("caller", "called"))
        read = (
            cells.with_columns(self._stamps(cells))
            .lazy()
            .with_columns(*self._lengths(), a_number.alias("a_number"), b_number.alias("b_number"), b_class.alias("b_class"))
            .with_columns(self._answered().alias("answered"))
            .with_columns(
                self._start().alias("begins"),
                (pl.col("setup") + pl.max_horizontal("duration_seconds", "heard_seconds") * _SECOND).alias("ends"),
                self._is_plain().alias("plain"),
            )
            .with_columns(pl.col("plain") & (pl.col("ends") >= pl.col("begins")))
            .collect()
        )
        is_plain = read["plain"]
        others: list[int] = [] if is_plain.all() else read.filter(~is_plain)["line"].to_list()
        return self._records(read.filter(is_plain) if others else read), others

    def _stamps(self, cells: pl.DataFrame) -> list[pl.Series]:
        """Return the instants of the stamps, and whether all of them are plain and in order."""
        zone = timezone(self.request.zone)
        known: dict[str, Instants] = {
            name: instants_of(cells[name], zone) for name in ("start", "answer", "end") if name in self.shape.fields
        }
        setup, in_order = known["start"].microseconds, known["start"].is_known.copy()
        for name, slack in (("answer", TOLERANCE // timedelta(microseconds=1)), ("end", 0)):
            if name in known:
                is_empty = (cells[name].str.len_bytes() == 0).to_numpy()
                in_order &= is_empty | (known[name].is_known & (known[name].microseconds >= setup - slack))
        found = [pl.Series("setup", setup), pl.Series("in_order", in_order)]
        if "answer" in known:
            found += [pl.Series("heard", known["answer"].microseconds), pl.Series("has_answer", known["answer"].is_known)]
        return found

    def _lengths(self) -> tuple[pl.Expr, ...]:
        found = []
        for name, other in (("duration", "billed"), ("billed", "duration")):
            text = pl.col(name if name in self.shape.fields else other)
            found.append(pl.when(text == "").then(pl.lit("0")).otherwise(text).cast(pl.Int64, strict=False))
        return found[0].alias("duration_seconds"), found[1].alias("heard_seconds")

    def _answered(self) -> pl.Expr:
        if "answer" in self.shape.fields:
            return pl.col("has_answer")
        is_heard = pl.col("heard_seconds") > 0
        if not self.shape.answered:
            return is_heard
        if "disposition" not in self.shape.fields:
            return is_heard & pl.lit("" in self.shape.answered)
        return is_heard & pl.col("disposition").is_in(list(self.shape.answered))

    def _start(self) -> pl.Expr:
        if self.source.start is Start.ANSWER and "answer" in self.shape.fields:
            return pl.when("answered").then(pl.col("heard")).otherwise(pl.col("setup"))
        return pl.col("setup")

    def _is_plain(self) -> pl.Expr:
        """Return what is true for records that surely are good."""
        fields = self.shape.fields
        tests = [pl.col("in_order"), pl.col("a_number").is_not_null(), pl.col("b_number").is_not_null()]
        tests += [pl.col(name).str.contains(_SECONDS) for name in ("duration", "billed") if name in fields]
        tests += [pl.col(name) <= LONGEST_SECONDS for name in ("duration_seconds", "heard_seconds")]
        tests += [pl.any_horizontal(pl.col(f"id{number}").str.contains("[^/]") for number in range(len(self.shape.ids)))]
        if "direction" in fields:
            tests.append(pl.col("direction").is_in(["", *(one.value for one in Direction)]))
        if "continuation" in fields:
            tests.append(pl.col("continuation").is_in([*YES, *_NO]))
        return pl.all_horizontal(tests).fill_null(value=False)

    def _records(self, read: pl.DataFrame) -> RecordColumns:
        fields = self.shape.fields
        answered_at = pl.col("heard") if "answer" in fields else pl.col("setup")
        chosen = [
            pl.col("line"),
            pl.concat_str([pl.col(f"id{number}") for number in range(len(self.shape.ids))], separator="/").alias("external_id"),
            self._subject().alias("subject"),
            pl.col("begins").alias("start"),
            pl.col("ends").alias("end"),
            pl.col("a_number"),
            pl.col("b_number"),
            pl.col("b_class"),
            pl.when("answered").then(answered_at).otherwise(None).alias("answered_at"),
            pl.col("duration_seconds"),
            pl.when("answered").then(pl.col("heard_seconds")).otherwise(0).alias("billed_seconds"),
            *(pl.col(name) for name in _TEXTS if name in fields),
        ]
        constants = {}
        if "direction" in fields:
            chosen.append(self._direction().alias("direction"))
        else:
            constants["direction"] = self.source.direction
        if "continuation" in fields:
            chosen.append(pl.col("continuation").is_in(list(YES)))
        return RecordColumns(kind=CALL.name, source=self.request.source, frame=read.select(chosen), constants=constants)

    def _direction(self) -> pl.Expr:
        text = pl.col("direction")
        return pl.when(text == "").then(pl.lit(self.source.direction.value)).otherwise(text)

    def _subject(self) -> pl.Expr:
        if "direction" in self.shape.fields:
            is_incoming = self._direction() == Direction.INCOMING.value
            return pl.when(is_incoming).then(pl.col("b_number")).otherwise(pl.col("a_number"))
        return pl.col("b_number" if self.source.direction is Direction.INCOMING else "a_number")
