"""Charge models over columns: the fast twins of per unit, graduated, volume, package and percentage, for a whole shard at a time.

One row is one quantity to be priced. The scalar models are the reference; a property test holds both to the same digits,
negatives and quantities on a threshold among them. Steps that could leave int64 are computed with Python integers and counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import attrs
import numpy as np

from billing_framework.rating.tiers import Bound
from billing_framework.values.columns import (
    Column,
    Integers,
    Overflows,
    add,
    bound,
    divide_columns,
    fitting,
    multiply,
    round_column,
    widened,
)
from billing_framework.values.errors import ValueRefused
from billing_framework.values.rounding import RoundingMode


@attrs.frozen
class TierColumns:
    """Tiers for each row.

    Attributes:
        ends: upper threshold of each tier but the last, one value per row, ascending from tier to tier.
        prices: price of one unit in each tier.
        flats: flat price of each tier.
    """

    ends: tuple[Column, ...]
    prices: tuple[Fraction, ...]
    flats: tuple[Fraction, ...]

    def __attrs_post_init__(self) -> None:
        if not len(self.ends) + 1 == len(self.prices) == len(self.flats):
            raise ValueRefused("PLAN07", f"{len(self.prices)} prices and {len(self.flats)} flats for {len(self.ends) + 1} tiers")


def per_unit_columns(quantities: Column, price: Fraction, currency: str, overflows: Overflows) -> Column:
    """Return quantity times price for each row: the twin of ``per_unit``.

    Args:
        quantities: quantities in the unit of the price.
        price: price of one unit; must have finite decimals.
        currency: currency of the price, the label of the result.
        overflows: where a block beyond int64 is counted.
    """
    return multiply(quantities, _repeated(price, len(quantities)), overflows, label=currency)


def graduated_columns(quantities: Column, tiers: TierColumns, currency: str, overflows: Overflows) -> tuple[Column, ...]:
    """Return the amounts of each tier, one column per tier: the twin of ``graduated`` on quantities that do not accumulate.

    Args:
        quantities: quantities in the unit of the thresholds.
        tiers: thresholds for each row, and prices.
        currency: currency of the prices.
        overflows: where a block beyond int64 is counted.
    """
    sizes, ends, scale = _aligned(quantities, tiers.ends, overflows)
    signs = np.sign(sizes)
    sizes = np.abs(sizes)
    amounts = []
    low: Integers = np.zeros(len(sizes), dtype=np.int64)
    for number, (price, flat) in enumerate(zip(tiers.prices, tiers.flats, strict=True)):
        reached = np.maximum(np.minimum(sizes, ends[number]), low) if number < len(ends) else np.maximum(sizes, low)
        portion = Column((reached - low) * signs, scale, quantities.label)
        amount = per_unit_columns(portion, price, currency, overflows)
        amounts.append(_with_flat(amount, flat, np.where(sizes > low, signs, 0), overflows))
        low = ends[number] if number < len(ends) else low
    return tuple(amounts)


def volume_columns(
    quantities: Column, tiers: TierColumns, currency: str, overflows: Overflows, *, edge: Bound = Bound.INCLUSIVE
) -> Column:
    """Return the amount of each row at the price of the tier that it reaches: the twin of ``volume``.

    Args:
        quantities: quantities in the unit of the thresholds.
        tiers: thresholds for each row, and prices.
        currency: currency of the prices.
        overflows: where a block beyond int64 is counted.
        edge: whether a quantity equal to a threshold still belongs to the lower tier.
    """
    sizes, ends, _ = _aligned(quantities, tiers.ends, overflows)
    tier: Integers = np.zeros(len(sizes), dtype=np.int64)
    for end in ends:
        tier = tier + ((np.abs(sizes) > end) if edge is Bound.INCLUSIVE else (np.abs(sizes) >= end))
    prices, flats = Column.of(tiers.prices), Column.of(tiers.flats)
    amount = multiply(quantities, Column(prices.numbers[tier], prices.scale), overflows, label=currency)
    (signs,) = fitting(bound(flats.numbers), overflows, np.sign(sizes).astype(np.int64))
    return add(amount, Column(flats.numbers[tier] * signs, flats.scale, currency), overflows)


def package_columns(quantities: Column, size: Fraction, price: Fraction, currency: str, overflows: Overflows) -> Column:
    """Return the price of the packages that each row begins: the twin of ``package``.

    Args:
        quantities: quantities in the unit of the package.
        size: units in a package.
        price: price of one package.
        currency: currency of the price.
        overflows: where a block beyond int64 is counted.
    """
    per_package = 1 / size / 10**quantities.scale
    (numbers,) = fitting(bound(quantities.numbers) * per_package.numerator, overflows, quantities.numbers)
    packages = divide_columns(numbers * per_package.numerator, per_package.denominator, RoundingMode.UP, overflows)
    return per_unit_columns(Column(packages, 0, "package"), price, currency, overflows)


@attrs.frozen(kw_only=True)
class PercentageBounds:
    """What a percentage of each item is held within.

    Attributes:
        step: grid in major units to which each result is rounded; None leaves it exact.
        mode: rounding mode of that step.
        at_least: least amount.
        at_most: largest amount.
    """

    step: Fraction | None = None
    mode: RoundingMode = RoundingMode.HALF_UP
    at_least: Fraction | None = None
    at_most: Fraction | None = None


UNBOUNDED = PercentageBounds()


def percentage_columns(amounts: Column, rate: Fraction, overflows: Overflows, bounds: PercentageBounds = UNBOUNDED) -> Column:
    """Return the percentage of each row: the twin of ``percentage`` with ``each``.

    Args:
        amounts: amounts of one currency.
        rate: the rate as a ratio with finite decimals: 5/100.
        overflows: where a block beyond int64 is counted.
        bounds: rounding and bounds of each result.
    """
    result = multiply(amounts, _repeated(rate, len(amounts)), overflows, label=amounts.label)
    if bounds.step is not None:
        result = round_column(result, bounds.step, bounds.mode, overflows)
    for limit, take in ((bounds.at_least, np.maximum), (bounds.at_most, np.minimum)):
        if limit is not None:
            limits = Column.of([limit], label=amounts.label)
            scale = max(limits.scale, result.scale)
            left, right = widened(result, scale, overflows), widened(limits, scale, overflows)
            result = Column(take(left.numbers, right.numbers[0]), scale, amounts.label)
    return result


def _repeated(number: Fraction, rows: int) -> Column:
    one = Column.of([number])
    return Column(np.broadcast_to(one.numbers, (rows,)), one.scale)


def _aligned(quantities: Column, ends: Sequence[Column], overflows: Overflows) -> tuple[Integers, list[Integers], int]:
    scale = max([quantities.scale, *(end.scale for end in ends)])
    sizes = widened(quantities, scale, overflows).numbers
    return sizes, [widened(end, scale, overflows).numbers for end in ends], scale


def _with_flat(amount: Column, flat: Fraction, times: Integers, overflows: Overflows) -> Column:
    if not flat:
        return amount
    one = Column.of([flat])
    (numbers,) = fitting(bound(one.numbers), overflows, times.astype(np.int64))
    return add(amount, Column(numbers * one.numbers[0], one.scale, amount.label), overflows)
