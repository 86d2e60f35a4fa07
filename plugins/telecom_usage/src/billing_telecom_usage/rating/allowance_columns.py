"""Included minutes of many agreements at once: running sums instead of buckets, the same to the second.

A bucket is used in whole steps in the order in which calls start. So of each call it covers the steps between two running sums,
as far as they lie below what the bucket holds; allowances follow each other by priority, each on what the one before left.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
import numpy.typing as npt

from billing_telecom_usage.deck.digits import Digits, Integers
from billing_telecom_usage.numbers import E164_DIGITS
from billing_telecom_usage.rating.tariff import Allowance


@attrs.frozen(kw_only=True, eq=False)
class CoverColumns:
    """What allowances cover of calls.

    Attributes:
        free: seconds that are covered.
        bears: whether one of them leaves the connection fee where all is covered.
        left: for each allowance the seconds that each agreement has left.
    """

    free: Integers
    bears: npt.NDArray[np.bool_]
    left: tuple[Integers, ...]


def covered_columns(
    allowances: Sequence[Allowance], granted: Sequence[Integers], need: Integers, agreement: Integers, covers: Sequence[Integers]
) -> CoverColumns:
    """Return what allowances cover, used in the order given.

    Args:
        allowances: the allowances by falling priority.
        granted: for each of them the seconds of each agreement.
        need: seconds of each call that are charged without allowances, in order of agreement and start.
        agreement: place of the agreement of each call, ascending.
        covers: for each allowance 1 where it covers the number of the call, else 0.
    """
    wanted = need
    bears = np.zeros(len(need), dtype=bool)
    begins = np.flatnonzero(np.diff(agreement, prepend=-1))
    owner = agreement[begins]
    runs = np.diff(np.append(begins, len(agreement)))
    left = []
    for allowance, seconds, is_covered in zip(allowances, granted, covers, strict=True):
        step = allowance.increment_s
        units = (need + (step - 1)) // step * is_covered
        used = np.cumsum(units)
        before = used - units
        room = before[begins] + seconds[owner] // step  # the running sum at which the bucket of each agreement is empty
        whole = np.clip(np.repeat(room, runs) - before, 0, units)
        taken = np.minimum(whole * step, need)
        need = need - taken
        if allowance.connect_fee:
            bears |= taken > 0
        rest = seconds.copy()
        rest[owner] -= (np.add.reduceat(whole, begins) if len(begins) else whole) * step
        left.append(rest)
    return CoverColumns(free=wanted - need, bears=bears, left=tuple(left))


def covers_columns(allowance: Allowance, numbers: Digits) -> Integers | None:
    """Return 1 where an allowance covers a number, else 0; None for prefixes that fifteen digits cannot tell."""
    if not allowance.prefixes:
        return np.ones(len(numbers.keys), dtype=np.int64)
    found = np.zeros(len(numbers.keys), dtype=bool)
    for prefix in allowance.prefixes:
        if len(prefix) > E164_DIGITS:
            return None
        if not prefix or (prefix.isascii() and prefix.isdigit()):
            size = 10 ** (E164_DIGITS - len(prefix))
            low = int(prefix or "0") * size if prefix else 0
            high = low + size if prefix else 10**E164_DIGITS
            found |= (low <= numbers.keys) & (numbers.keys < high) & (numbers.sizes >= len(prefix))
    return found.astype(np.int64)
