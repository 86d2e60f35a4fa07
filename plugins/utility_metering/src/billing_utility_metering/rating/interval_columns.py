"""Interval days of a shard as columns: one matrix of values for all plain accounts of a period, summed and searched at once.

Plain is an agreement with one plan version and one usage point in the whole period, whose one channel has every interval of it,
in records that lie inside of it and none of which is missing a value. All others are left to the reference. Periods of the day
and highest windows are worked out for the whole matrix when the first account's charges ask for them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework import Charge, LineColumns, Measure, Quantity, RatedColumns, UsageColumns, timezone
from billing_utility_metering.kinds import Flow
from billing_utility_metering.pricing.day_periods import Classifier
from billing_utility_metering.rating.contribution import Context, Contribution
from billing_utility_metering.rating.intervals import Counted, channel_facts, channel_step, estimates_in
from billing_utility_metering.rating.matrix_times import Division, Grid, counting_windows, period_places
from billing_utility_metering.rating.measures import measures_of
from billing_utility_metering.rating.series import Run
from billing_utility_metering.settings import UtilitySettings
from billing_utility_metering.time_cover import seconds_of

Integers = npt.NDArray[Any]
_SECOND_US = 10**6
_LIMIT = 2**62
_ONE_CHANNEL = ("channel", "unit", "flow", "interval_seconds", "scale")


@attrs.define(eq=False)
class Matrix:
    """The values of agreements that share the instants of their intervals, one row per agreement.

    Attributes:
        values: the counts.
        start: begin of the first interval, in seconds since 1970.
        seconds: length of an interval.
    """

    values: Integers
    start: int
    seconds: int
    _totals: dict[object, Mapping[str, tuple[int, Integers]] | None] = attrs.field(factory=dict, init=False)
    _peaks: dict[object, tuple[Integers, Integers] | None] = attrs.field(factory=dict, init=False)
    _sums: Integers | None = attrs.field(default=None, init=False)

    @property
    def count(self) -> int:
        """Number of intervals."""
        return int(self.values.shape[1])

    @property
    def grid(self) -> Grid:
        """The intervals."""
        return Grid(self.start, self.seconds, self.count)

    def sums(self) -> Integers:
        """Return the sum of each row."""
        if self._sums is None:
            self._sums = self.values.sum(axis=1, dtype=np.int64)
        return self._sums

    def totals(self, classifier: Classifier) -> Mapping[str, tuple[int, Integers]] | None:
        """Return for each period of the day the number of intervals and their sum in each row; None where one has no period."""
        key = Division.of(classifier)
        if key not in self._totals:
            self._totals[key] = self._by_period(classifier)
        return self._totals[key]

    def _by_period(self, classifier: Classifier) -> Mapping[str, tuple[int, Integers]] | None:
        names, places = period_places(Division.of(classifier), self.grid)
        if "" in names:
            return None
        begins = np.flatnonzero(np.diff(places, prepend=-1))
        sums = np.add.reduceat(self.values, begins, axis=1, dtype=np.int64)
        numbers = np.bincount(places, minlength=len(names)).tolist()
        return {
            name: (numbers[place], sums[:, np.flatnonzero(places[begins] == place)].sum(axis=1))
            for place, name in enumerate(names)
        }

    def peaks(self, classifier: Classifier, window: int, *, rolling: bool) -> tuple[Integers, Integers] | None:
        """Return start and sum of the highest window of each row; None where intervals do not make up a window."""
        key = (Division.of(classifier), window, rolling)
        if key not in self._peaks:
            self._peaks[key] = self._highest(classifier, window, rolling=rolling) if window % self.seconds == 0 else None
        return self._peaks[key]

    def _highest(self, classifier: Classifier, window: int, *, rolling: bool) -> tuple[Integers, Integers]:
        length = window // self.seconds
        firsts = counting_windows(Division.of(classifier), self.grid, window, rolling=rolling)
        rows = len(self.values)
        if not len(firsts):
            return np.zeros(rows, dtype=np.int64), np.zeros(rows, dtype=np.int64)
        found = self.values[:, firsts].astype(np.int64)
        for step in range(1, length):
            found += self.values[:, firsts + step]
        place = found.argmax(axis=1)  # the first of equal ones
        highest = np.maximum(found[np.arange(rows), place], 0)
        return np.where(highest > 0, self.start + firsts[place] * self.seconds, 0), highest


@attrs.frozen
class MatrixSums:
    """What is known of one row of a matrix; see `KnownSums`."""

    matrix: Matrix
    row: int

    def totals(self, classifier: Classifier) -> Mapping[str, tuple[int, int]] | None:
        """Return the number of intervals and their sum for each period of the day."""
        found = self.matrix.totals(classifier)
        return None if found is None else {name: (number, int(sums[self.row])) for name, (number, sums) in found.items()}

    def peak(self, classifier: Classifier, window: int, *, rolling: bool) -> tuple[int, int] | None:
        """Return start and sum of the highest window."""
        found = self.matrix.peaks(classifier, window, rolling=rolling)
        return None if found is None else (int(found[0][self.row]), int(found[1][self.row]))


@attrs.frozen
class MatrixRuns:
    """The values of one row as runs, a run per record, made when they are asked for.

    Attributes:
        matrix: the matrix.
        row: the row.
        lengths: number of intervals of each record.
        value: what a count of one is.
    """

    matrix: Matrix
    row: int
    lengths: tuple[int, ...]
    value: Fraction

    def __iter__(self) -> Iterator[Run]:
        counts, position = self.matrix.values[self.row].tolist(), 0
        for length in self.lengths:
            start = self.matrix.start + position * self.matrix.seconds
            run = tuple(counts[position : position + length])
            yield Run(start=start, seconds=self.matrix.seconds, counts=run, value=self.value)
            position += length

    def __len__(self) -> int:
        return len(self.lengths)


def rated_intervals(columns: UsageColumns) -> RatedColumns:
    """Return the measures of a shard's interval days."""
    shard = _Shard.of(columns)
    plain = shard.plain()
    left = {int(columns.group_of[place]) for place in np.flatnonzero(~plain).tolist()} | columns.mixed
    kept = np.flatnonzero(plain & ~np.isin(columns.group_of, sorted(left)))
    for places, matrix in _matrices(shard, kept):
        shard.rows.update((place, (matrix, row)) for row, place in enumerate(places))
    shard.estimates.update(zip(kept.tolist(), _estimates(shard, kept), strict=True))
    named = np.zeros(len(columns.usages), dtype=bool)
    named[kept] = True
    return RatedColumns(
        lines=LineColumns.none(),
        unpriced=np.full(len(columns), RatedColumns.PRICED, dtype=np.int64),
        left=frozenset(left),
        charge=_no_charge,
        measures=shard.measures,
        measured=named[shard.agreement],
    )


def _no_charge(line: int) -> Charge:
    raise AssertionError(line)  # measures only


@attrs.define(eq=False)
class _Shard:
    """A shard being measured.

    Attributes:
        rows: place of each plain agreement to its matrix, and its row there.
        estimates: how many of its values were not read.
    """

    columns: UsageColumns
    agreement: Integers
    firsts: Integers
    counts: Integers
    begins: Integers
    rows: dict[int, tuple[Matrix, int]] = attrs.field(factory=dict)
    estimates: dict[int, int] = attrs.field(factory=dict)

    @classmethod
    def of(cls, columns: UsageColumns) -> _Shard:
        starts = columns.fields["values"].starts
        counts = np.zeros(0, dtype=np.int64) if starts is None else np.diff(starts)
        return cls(columns, columns.agreement_of_rows(), columns.firsts, counts, columns.start // _SECOND_US)

    def numbers(self, name: str) -> Integers:
        return self.columns.fields[name].numbers

    def plain(self) -> npt.NDArray[np.bool_]:
        """Return which agreements are plain."""
        columns = self.columns
        agreements = len(columns.usages)
        if not len(columns):
            return np.zeros(agreements, dtype=bool)
        other = columns.fields["flow"].code(Flow.OTHER.value)
        gaps = columns.fields["missing"].starts
        ends = self.begins + self.counts * self.numbers("interval_seconds")
        sound = columns.own & (columns.start % _SECOND_US == 0) & (self.counts > 0) & (self.numbers("flow") != other)
        if gaps is not None:
            sound &= np.diff(gaps) == 0
        follows = self.begins[1:] == ends[:-1]
        for numbers in (*(self.numbers(name) for name in _ONE_CHANNEL), columns.subject.numbers):
            follows &= numbers[1:] == numbers[:-1]
        sound[1:] &= follows | (self.agreement[1:] != self.agreement[:-1])
        found = np.bincount(self.agreement[~sound], minlength=agreements) == 0
        found &= np.diff(self.firsts) > 0
        windows = self._windows()
        first = np.minimum(self.firsts[:-1], len(columns) - 1)
        found &= (self.begins[first] == windows[:, 0]) & (ends[self.firsts[1:] - 1] == windows[:, 1])
        found &= np.array([self._has_one_point(place) for place in range(agreements)], dtype=bool)
        longest = int(np.abs(self.numbers("values")).max(initial=0)) * int(self.counts.sum())
        return found if longest < _LIMIT else np.zeros(agreements, dtype=bool)

    def _windows(self) -> Integers:
        """Return first and last instant of the period of each agreement; an impossible one where several plan versions hold."""
        terms, term_of = np.unique(self.columns.terms, return_inverse=True)
        found = []
        for place in terms.tolist():
            usage, zone = self.columns.usages[place], timezone(self.columns.group(place).account.zone)
            span = usage.period.instants(zone)
            found.append((seconds_of(span.start), seconds_of(span.end)) if len(usage.tiles) == 1 else (-1, -1))
        return np.array(found, dtype=np.int64)[term_of]

    def _has_one_point(self, place: int) -> bool:
        """Tell whether one usage point is the agreement's in the whole period, whatever channels it has."""
        usage = self.columns.usages[place]
        if len(usage.assignments) != 1 or self.firsts[place] == self.firsts[place + 1]:
            return False
        (own,), period = usage.assignments, usage.period
        lasts = own.starts_on <= period.start and (own.ends_on is None or own.ends_on >= period.end)
        details = own.details
        lasts = lasts and self.columns.subject.text(int(self.firsts[place])) == own.subject
        return lasts and (not details or (details.get("data", "") in {"", "intervals"} and not details.get("channels", "")))

    def measures(self, place: int) -> tuple[Measure, ...]:
        """Return the measures of an agreement, by the words and sums of the reference."""
        matrix, row = self.rows[place]
        columns = self.columns
        records = range(*self.firsts[place : place + 2].tolist())
        account, fields = columns.group(place).account, columns.fields
        usage, first = columns.usages[place], records[0]
        channel, unit = fields["channel"].text(first), fields["unit"].text(first)
        value = Fraction(1, 10 ** int(self.numbers("scale")[first]))
        total = int(matrix.sums()[row]) * value
        estimated = self.estimates[place]
        meters = dict(zip(fields["meter"].numbers[first : records.stop].tolist(), records, strict=True))
        counted = Counted(values=matrix.count, estimated=estimated, lengths=frozenset({matrix.seconds}))
        lengths = tuple(self.counts[first : records.stop].tolist())
        one = Contribution(
            tile=0,
            subject=columns.subject.text(first),
            name=channel,
            flow=Flow(fields["flow"].text(first)),
            unit=unit,
            quantity=total,
            records=tuple(columns.keys[first : records.stop].tolist()),
            estimated=bool(estimated),
            runs=MatrixRuns(matrix, row, lengths, value),
            known=MatrixSums(matrix, row),
            count_value=value,
            facts=channel_facts(account.locale, channel, map(fields["meter"].text, meters.values()), counted),
            steps=(channel_step(channel, matrix.count, Quantity(total, unit)),),
        )
        settings = columns.settings if isinstance(columns.settings, UtilitySettings) else UtilitySettings()
        context = Context(usage=usage, zone=timezone(account.zone), locale=account.locale, settings=settings)
        measures, _ = measures_of(context, [one])
        return tuple(measures)


def _estimates(shard: _Shard, kept: Integers) -> list[int]:
    """Return how many values of each of some agreements were not read; each way to say so is looked at once."""
    if not len(kept):
        return []
    qualities, rows = shard.columns.fields["qualities"], np.flatnonzero(np.isin(shard.agreement, kept))
    counts = shard.counts[rows]
    _, examples, kind_of = np.unique(
        qualities.numbers[rows] * (counts.max() + 1) + counts, return_index=True, return_inverse=True
    )
    told = zip(map(qualities.text, rows[examples].tolist()), counts[examples].tolist(), strict=True)
    before = np.zeros(len(shard.agreement) + 1, dtype=np.int64)
    before[rows + 1] = np.array([estimates_in(text, 0, count) for text, count in told], dtype=np.int64)[kind_of]
    before = np.cumsum(before)
    found: list[int] = (before[shard.firsts[kept + 1]] - before[shard.firsts[kept]]).tolist()
    return found


def _matrices(shard: _Shard, kept: Integers) -> Iterator[tuple[Sequence[int], Matrix]]:
    """Yield the agreements that share instants, with the matrix of their values."""
    values, starts = shard.columns.fields["values"].numbers, shard.columns.fields["values"].starts
    if starts is None or not len(kept):
        return
    first, last = shard.firsts[kept], shard.firsts[kept + 1]
    low, high = starts[first], starts[last]
    begin, seconds = shard.begins[first], shard.numbers("interval_seconds")[first]
    kinds = np.stack([begin, seconds, high - low], axis=1)
    for start, length, count in np.unique(kinds, axis=0).tolist():
        own = np.flatnonzero((kinds == (start, length, count)).all(axis=1))
        if (low[own[1:]] == high[own[:-1]]).all():
            matrix = values[low[own[0]] : high[own[-1]]].reshape(len(own), count)
        else:
            matrix = np.stack([values[begins : begins + count] for begins in low[own].tolist()])
        yield kept[own].tolist(), Matrix(matrix, start, length)
