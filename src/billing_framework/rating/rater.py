"""The contract of a rater: what a plugin offers that rates usage.

A rater turns the usage records of a billing group into measures (quantities that plan components price) and, where the trade
prices record by record, into charges. It is pure: same input, same output; it keeps nothing and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import attrs

from billing_framework.rating.group import BillingGroup
from billing_framework.rating.rating import Rating
from billing_framework.rating.shard_twin import ShardTwin, left, rate_by_columns

ColumnarRate = Callable[[Sequence[BillingGroup]], Sequence[Rating]]
"""The fast twin of a rater: many billing groups in, one rating for each in the same order."""


@attrs.frozen(kw_only=True)
class Rater:
    """A rater that a plugin offers.

    Attributes:
        name: unique in the deployment.
        kinds: names of the usage kinds that it rates; each kind has one rater.
        rate: the reference: one billing group in, one rating out.
        models: names of charge models that this rater prices itself, to the attrs class of their parameters; a plan component
            naming one is left to the rater.
        measures: names of the measures that it may yield, by which the check of a plan finds misspelt ones; empty where they are
            not known beforehand. ``consumption.*`` stands for all names that begin with ``consumption.``.
        rate_columns: fast twin of `rate` for volume: the groups of a whole shard at once, equal to `rate` of each, digit for
            digit. None where the reference is fast enough, or `shard` is given.
        shard: the same over columns instead of objects; see `ShardTwin`. The run asks it where there is no `rate_columns`.
    """

    name: str
    kinds: tuple[str, ...]
    rate: Callable[[BillingGroup], Rating]
    models: Mapping[str, type] = attrs.field(factory=dict)
    measures: tuple[str, ...] = ()
    rate_columns: ColumnarRate | None = None
    shard: ShardTwin | None = None

    @property
    def twin(self) -> ColumnarRate | None:
        """The fast twin that a run asks before the reference, and explanations never do: `rate_columns`, else `shard`.

        Made of `shard` it answers ``LEFT`` for groups that it leaves.
        """
        if self.rate_columns is not None or self.shard is None:
            return self.rate_columns
        return partial(rate_by_columns, twin=self.shard, rate=left)
