"""Columns: the fast twin of exact numbers, as int64 and one scale, for a whole shard at a time.

numpy wraps silently when an int64 overflows, so every step first bounds its result in Python integers. A block that could reach
2^62 is computed with Python integers instead: the same digits, slower, and counted in `Overflows` for the run's report. The
scalar functions of `rounding` are the reference; a property test holds both to the same digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Self

import attrs
import numpy as np
import numpy.typing as npt

from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.money import HALF_UP, Rounding, minor_digits
from billing_framework.values.number import Exact, exact, scaled
from billing_framework.values.rounding import RoundingMode, allocate, divide

Integers = npt.NDArray[Any]
"""An array of int64, or of Python integers (dtype object) where a block outgrew int64."""

LIMIT = 2**62
"""No intermediate of the int64 path may reach this; half of int64's range, so that one addition more is always safe."""


@attrs.define
class Overflows:
    """Counts the blocks that took the scalar path, for the report of a run.

    Attributes:
        blocks: number of steps that were computed with Python integers.
        rows: number of values in those steps.
    """

    blocks: int = 0
    rows: int = 0

    def note(self, rows: int) -> None:
        """Count one block of `rows` values."""
        self.blocks += 1
        self.rows += rows


def _read_only_integers(values: Integers | Sequence[int]) -> Integers:
    if isinstance(values, np.ndarray) and values.dtype.kind == "i" and values.ndim == 1:
        view = values.astype(np.int64, copy=False).view()
    elif not (isinstance(values, np.ndarray) and values.dtype.kind != "O") and all(type(item) is int for item in values):
        view = narrowed(values)  # never left to numpy, which makes floats of an empty list and uint64 of 2^63
    else:
        raise ValueRefused("VALUE12", "a column needs one dimension of integers")
    view.flags.writeable = False
    return view


@attrs.frozen(eq=False)
class Column:
    """Exact numbers as scaled integers: value ``i`` is ``numbers[i] / 10**scale``.

    Attributes:
        numbers: the unscaled integers, read-only; int64 unless a value is too large for it.
        scale: number of decimals, 0 or more.
        label: unit or currency; columns of different labels cannot be added. Empty for a bare number.
    """

    numbers: Integers = attrs.field(converter=_read_only_integers)
    scale: int = attrs.field(default=0, validator=attrs.validators.ge(0))
    label: str = ""

    @classmethod
    def of(cls, values: Sequence[Exact], *, scale: int | None = None, label: str = "") -> Self:
        """Return the column of exact `values` at the smallest scale that holds them, or at `scale`.

        Raises:
            ValueRefused: ``VALUE02`` where a value has no finite decimals, ``VALUE13`` where it has more than `scale`.
        """
        pairs = [scaled(exact(value)) for value in values]
        needed = max((own for own, _ in pairs), default=0)
        if scale is not None and needed > scale:
            raise ValueRefused("VALUE13", f"a value has {needed} decimals, the column {scale}", remedy="Round it by a named step")
        places = needed if scale is None else scale
        return cls([unscaled * 10 ** (places - own) for own, unscaled in pairs], places, label)

    def __len__(self) -> int:
        return len(self.numbers)

    def fractions(self) -> list[Fraction]:
        """Return the values as exact rationals: the way back to the scalar path."""
        size = 10**self.scale
        return [Fraction(number, size) for number in self.numbers.tolist()]


def bound(numbers: Integers) -> int:
    """Return the largest absolute value as a Python integer, 0 for no values."""
    return max(int(numbers.max()), -int(numbers.min())) if len(numbers) else 0


def narrowed(numbers: Integers | Sequence[int]) -> Integers:
    """Return Python integers as int64 where all of them fit, else as they are."""
    wide = np.array(numbers, dtype=object)
    return wide.astype(np.int64) if bound(wide) < LIMIT else wide


def integers_of(numbers: Sequence[int]) -> Integers:
    """Return Python integers as a column: int64 where all of them fit, which is the common case and quick to see."""
    try:
        return np.array(numbers, dtype=np.int64)
    except OverflowError:
        return narrowed(numbers)


def fitting(reach: int, overflows: Overflows, *arrays: Integers) -> tuple[Integers, ...]:
    """Return `arrays` for a step whose results stay within `reach`: unchanged if int64 is safe, else as Python integers."""
    if reach < LIMIT and all(array.dtype != object for array in arrays):
        return arrays
    overflows.note(len(arrays[0]))
    return tuple(array.astype(object) for array in arrays)


def times(numbers: Integers, factor: int, overflows: Overflows) -> Integers:
    """Return ``numbers * factor`` exactly."""
    (safe,) = fitting(max(bound(numbers), 1) * abs(factor), overflows, numbers)
    product: Integers = safe * factor
    return product


def _labelled_alike(left: Column, right: Column) -> None:
    if left.label != right.label:
        raise UnitMismatch(
            "VALUE08",
            f"{left.label or 'a bare number'} and {right.label or 'a bare number'} cannot be combined",
            remedy="Convert one of them by a named factor of the plan",
        )


def widened(column: Column, scale: int, overflows: Overflows) -> Column:
    """Return the same values with `scale` decimals, never fewer than the column has (``VALUE13``)."""
    if scale == column.scale:
        return column
    if scale < column.scale:
        raise ValueRefused("VALUE13", f"{column.scale} decimals do not fit {scale}", remedy="Round the column by a named step")
    return Column(times(column.numbers, 10 ** (scale - column.scale), overflows), scale, column.label)


def add(left: Column, right: Column, overflows: Overflows) -> Column:
    """Return the sums row by row, exactly; both columns need the same label and length."""
    _labelled_alike(left, right)
    scale = max(left.scale, right.scale)
    first, second = widened(left, scale, overflows).numbers, widened(right, scale, overflows).numbers
    first, second = fitting(bound(first) + bound(second), overflows, first, second)
    return Column(first + second, scale, left.label)


def multiply(left: Column, right: Column, overflows: Overflows, *, label: str = "") -> Column:
    """Return the products row by row, exactly; the scales add up and the result bears `label`."""
    first, second = fitting(bound(left.numbers) * bound(right.numbers), overflows, left.numbers, right.numbers)
    return Column(first * second, left.scale + right.scale, label)


def total(column: Column) -> Fraction:
    """Return the exact sum of a column."""
    numbers = column.numbers
    safe = bound(numbers) * len(numbers) < LIMIT and numbers.dtype != object
    return Fraction(int(numbers.sum()) if safe else sum(numbers.tolist()), 10**column.scale)


def _checked_starts(group_starts: Integers | Sequence[int], rows: int) -> Integers:
    starts = np.asarray(group_starts, dtype=np.int64)
    covered = starts[0] == 0 and starts[-1] <= rows if len(starts) else rows == 0
    if not covered or (np.diff(starts) < 0).any():
        raise ValueRefused("VALUE14", f"group starts must begin at row 0 and ascend to at most {rows}")
    return starts


def _sums(numbers: Integers, starts: Integers) -> Integers:
    sums = np.zeros(len(starts), dtype=numbers.dtype)
    filled = np.flatnonzero(np.diff(np.append(starts, len(numbers))) > 0)  # reduceat returns a row, not 0, for an empty group
    if len(filled):
        sums[filled] = np.add.reduceat(numbers, starts[filled])
    return sums


def sum_groups(column: Column, group_starts: Integers | Sequence[int], overflows: Overflows) -> Column:
    """Return the exact sum of each group of neighbouring rows.

    Args:
        column: the values, ordered by group.
        group_starts: first row of each group, ascending from 0; a group without rows sums to 0.
        overflows: where a block beyond int64 is counted.
    """
    starts = _checked_starts(group_starts, len(column))
    (numbers,) = fitting(bound(column.numbers) * len(column), overflows, column.numbers)
    return Column(_sums(numbers, starts), column.scale, column.label)


def divide_columns(numerator: Integers, denominator: Integers | int, mode: RoundingMode, overflows: Overflows) -> Integers:
    """Return ``numerator / denominator`` row by row, rounded once by `mode`: the columnar twin of `rounding.divide`.

    Raises:
        ZeroDivisionError: a denominator is zero, which is a fault of the caller.
    """
    below = (
        np.array(denominator, dtype=object if abs(denominator) >= LIMIT else np.int64)
        if isinstance(denominator, int)
        else denominator
    )
    below = np.broadcast_to(below, numerator.shape)
    if (below == 0).any():
        raise ZeroDivisionError("a denominator of the column is zero")
    if max(bound(numerator), bound(below)) >= LIMIT or object in (numerator.dtype, below.dtype):
        overflows.note(len(numerator))
        return narrowed([divide(above, under, mode) for above, under in zip(numerator.tolist(), below.tolist(), strict=True)])
    # numpy divides by one number much faster than by an array of it, and twice as fast as it gives quotient and rest
    size = np.int64(abs(denominator)) if isinstance(denominator, int) else np.abs(below)
    above = np.abs(numerator)
    whole = above // size
    rest = above - whole * size
    if mode is RoundingMode.UP:
        away = rest > 0
    elif mode is RoundingMode.DOWN:
        away = np.zeros(len(whole), dtype=bool)
    else:
        short = size - rest  # compare with what is missing to the next whole, because 2 * rest may not fit
        away = (rest > short) | ((rest == short) if mode is RoundingMode.HALF_UP else (rest == short) & (whole % 2 == 1))
    whole = whole + away
    negative = (numerator < 0) != (below < 0)
    return np.where(negative, -whole, whole) if negative.any() else whole


def round_column(column: Column, step: Fraction, mode: RoundingMode, overflows: Overflows) -> Column:
    """Return the column with each value on the nearest multiple of `step`: the columnar twin of `rounding.to_step`.

    Args:
        column: exact values.
        step: a positive grid with finite decimals in the column's unit, such as ``1/100`` or ``5``.
        mode: the rounding mode.
        overflows: where a block beyond int64 is counted.

    Raises:
        ValueRefused: ``VALUE03`` for a step that is not positive, ``VALUE02`` for one without finite decimals.
    """
    if step <= 0:
        raise ValueRefused("VALUE03", f"a rounding step must be positive, not {step}")
    scale, unscaled = scaled(step)
    aligned = widened(column, max(scale, column.scale), overflows)
    steps = divide_columns(aligned.numbers, unscaled * 10 ** (aligned.scale - scale), mode, overflows)
    return Column(times(steps, unscaled, overflows), scale, column.label)


def payable_column(column: Column, overflows: Overflows, rounding: Rounding = HALF_UP) -> Integers:
    """Return the minor units of amounts, rounded once: the columnar twin of `Amount.payable`; the label is the currency."""
    digits = minor_digits(column.label)
    rounded = round_column(column, Fraction(rounding.step_minor, 10**digits), rounding.mode, overflows)
    return widened(rounded, digits, overflows).numbers


def multiply_ratio(
    column: Column, factor: Fraction, scale: int, mode: RoundingMode, overflows: Overflows, *, label: str = ""
) -> Column:
    """Return ``column * factor`` rounded once to `scale` decimals: a share of a month, a factor between units.

    Args:
        column: exact values.
        factor: any rational, also one without finite decimals.
        scale: decimals of the result.
        mode: the rounding mode.
        overflows: where a block beyond int64 is counted.
        label: unit or currency of the result.
    """
    ratio = factor * Fraction(10) ** (scale - column.scale)
    above = times(column.numbers, ratio.numerator, overflows)
    return Column(divide_columns(above, ratio.denominator, mode, overflows), scale, label)


def allocate_columns(
    totals: Integers, group_starts: Integers | Sequence[int], weights: Integers, overflows: Overflows
) -> Integers:
    """Share each group's total out over its rows by largest remainder: the columnar twin of `rounding.allocate`.

    Args:
        totals: one signed whole per group, in minor units.
        group_starts: first row of each group, ascending from 0.
        weights: one non-negative integer per row; all weights of a group have the same scale.
        overflows: where a block beyond int64 is counted.

    Returns:
        One part per row; the parts of a group sum to its total.

    Raises:
        ValueRefused: ``VALUE04`` where a weight is negative, or a group's weights are zero and its total is not.
    """
    starts = _checked_starts(group_starts, len(weights))
    if len(totals) != len(starts):
        raise ValueRefused("VALUE14", f"{len(totals)} totals for {len(starts)} groups")
    if not len(starts):
        return np.zeros(0, dtype=np.int64)
    reach = bound(weights) * max(bound(totals), len(weights))
    if reach >= LIMIT or object in (totals.dtype, weights.dtype):
        overflows.note(len(weights))
        shares = np.split(weights.astype(object), starts[1:])
        return narrowed(
            [part for whole, share in zip(totals.tolist(), shares, strict=True) for part in allocate(whole, share.tolist())]
        )
    sums = _sums(weights, starts)
    refused = np.flatnonzero((sums == 0) & (totals != 0))
    if (weights < 0).any() or len(refused):
        raise ValueRefused(
            "VALUE04",
            "cannot share out: " + (f"group {refused[0]} has no weight" if len(refused) else "a weight is negative"),
            remedy="Weights must not be negative, and one of them must be above zero",
        )
    return _largest_remainders(np.abs(totals), starts, weights, sums) * np.sign(totals)[_group_of_row(starts, len(weights))]


def _group_of_row(starts: Integers, rows: int) -> Integers:
    return np.repeat(np.arange(len(starts)), np.diff(np.append(starts, rows)))


def _largest_remainders(sizes: Integers, starts: Integers, weights: Integers, sums: Integers) -> Integers:
    group = _group_of_row(starts, len(weights))
    parts, rest = np.divmod(sizes[group] * weights, np.maximum(sums, 1)[group])
    missing = sizes - _sums(parts, starts)
    rows = np.arange(len(weights))
    order = _largest_first(group, rest, len(starts))
    rank = np.empty_like(rows)
    rank[order] = rows - starts[group]
    result: Integers = parts + (rank < missing[group])
    return result


def _largest_first(group: Integers, rest: Integers, groups: int) -> Integers:
    """Return the rows ordered by group, then by falling remainder; both sorts are stable, so ties go to the earlier row."""
    width = bound(rest) + 1
    if groups * width < LIMIT:  # one key instead of two is more than ten times as fast, because the rows already stand by group
        return np.argsort(group * width - rest, kind="stable")
    return np.lexsort((-rest, group))
