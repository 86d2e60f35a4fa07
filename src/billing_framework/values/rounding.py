"""The only place in the project where anything is rounded or shared out.

`divide` rounds: integers in, one rounding out. `allocate` shares a whole out by largest remainder, so that the parts always
sum to the whole; `round_parts` does so for parts that are known exactly. Everything else that looks like rounding is one of these
with a name.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from fractions import Fraction

import attrs

from billing_framework.values.errors import ValueRefused


class RoundingMode(enum.Enum):
    """Where a value between two steps goes; all modes are symmetric, so a credit mirrors its charge.

    ``HALF_UP`` rounds halves away from zero (the commercial rule), ``HALF_EVEN`` halves to the even neighbour, ``UP`` away
    from zero, ``DOWN`` toward zero.
    """

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    UP = "up"
    DOWN = "down"


def divide(numerator: int, denominator: int, mode: RoundingMode) -> int:
    """Return ``numerator / denominator`` as an integer, rounded once by `mode`.

    Raises:
        ZeroDivisionError: `denominator` is zero, which is a fault of the caller.
    """
    negative = (numerator < 0) != (denominator < 0)
    whole, rest = divmod(abs(numerator), abs(denominator))
    if mode is RoundingMode.UP:
        away = rest > 0
    elif mode is RoundingMode.DOWN:
        away = False
    else:
        twice = 2 * rest
        half = abs(denominator)
        away = twice > half or (twice == half and (mode is RoundingMode.HALF_UP or whole % 2 == 1))
    result = whole + away
    return -result if negative else result


def to_places(number: Fraction, places: int, mode: RoundingMode) -> Fraction:
    """Return `number` rounded once to `places` decimals (negative places round to tens, hundreds, ...)."""
    step = Fraction(10) ** -places
    return to_step(number, step, mode)


def to_step(number: Fraction, step: Fraction, mode: RoundingMode) -> Fraction:
    """Return the multiple of `step` that `number` rounds to: whole therms, tenths of an hour, five cents, six seconds."""
    if step <= 0:
        raise ValueRefused("VALUE03", f"a rounding step must be positive, not {step}")
    ratio = number / step
    return divide(ratio.numerator, ratio.denominator, mode) * step


@attrs.frozen
class RoundingStep:
    """A named rounding inside a rule, shown in the explanation of the line that it shaped.

    Attributes:
        name: what is rounded, in the trade's words: ``billed therms``.
        step: the grid, in the unit of the value that is rounded; 1 means whole units.
        mode: the rounding mode.
    """

    name: str
    step: Fraction
    mode: RoundingMode = RoundingMode.HALF_UP

    def __call__(self, number: Fraction) -> Fraction:
        """Return `number` on the grid."""
        return to_step(number, self.step, self.mode)


def allocate(total: int, weights: Sequence[int | Fraction]) -> list[int]:
    """Share `total` out in proportion to `weights` by largest remainder; the parts sum to `total` exactly.

    Every share is first cut toward zero; what is left goes one by one to the largest remainders, ties to the earlier
    position. A negative total mirrors the positive one, part by part.

    Raises:
        ValueRefused: ``VALUE04`` where a weight is negative, or all weights are zero and `total` is not.
    """
    exact_weights = [Fraction(weight) for weight in weights]
    whole = sum(exact_weights, Fraction(0))
    if any(weight < 0 for weight in exact_weights) or (whole == 0 and total != 0):
        raise ValueRefused(
            "VALUE04",
            f"cannot share {total} out by the weights {', '.join(map(str, weights))}",
            remedy="Weights must not be negative, and one of them must be above zero",
        )
    if total == 0:
        return [0] * len(exact_weights)
    size = abs(total)
    ideal = [size * weight / whole for weight in exact_weights]
    parts = [share.numerator // share.denominator for share in ideal]
    order = sorted(range(len(parts)), key=lambda position: (parts[position] - ideal[position], position))
    for position in order[: size - sum(parts)]:
        parts[position] += 1
    return parts if total > 0 else [-part for part in parts]


def round_parts(total: int, parts: Sequence[Fraction]) -> list[int]:
    """Return whole numbers beside exact `parts` that sum to `total`, which is their rounded sum; see `round_ratios`."""
    denominator = math.lcm(*(part.denominator for part in parts))
    return round_ratios(total, [part.numerator * (denominator // part.denominator) for part in parts], denominator)


def round_ratios(total: int, numerators: Sequence[int], denominator: int) -> list[int]:
    """Return whole numbers beside exact parts that sum to `total`, which is their rounded sum; parts may have both signs.

    Every part is first cut toward zero; what is left goes one by one to the largest remainders, ties to the earlier position.
    Negative parts and total mirror the positive ones.

    Args:
        total: what the parts shall sum to.
        numerators: the parts, each over `denominator`.
        denominator: above zero.

    Raises:
        ValueRefused: ``VALUE04`` where there are no parts and `total` is not zero.
    """
    whole = [numerator // denominator if numerator >= 0 else -(-numerator // denominator) for numerator in numerators]
    missing = total - sum(whole)
    if missing and not whole:
        raise ValueRefused("VALUE04", f"cannot share {total} out to nobody", remedy="Give at least one part")
    if not missing:
        return whole
    sign = 1 if missing > 0 else -1
    order = sorted(
        range(len(whole)), key=lambda position: (sign * (whole[position] * denominator - numerators[position]), position)
    )
    each, rest = divmod(abs(missing), len(whole))
    for rank, position in enumerate(order):
        whole[position] += sign * (each + (rank < rest))
    return whole
