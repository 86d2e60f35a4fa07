"""The fast twin of a rater in its columnar form, and the way from billing groups to it and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from billing_framework.rating.group import BillingGroup
from billing_framework.rating.rating import Rating
from billing_framework.usage.record import UsageKind
from billing_framework.values.errors import ContractBroken

if TYPE_CHECKING:
    from billing_framework.rating.rated_columns import RatedColumns
    from billing_framework.rating.usage_columns import UsageColumns


def a_kind(made: object, _field: object, kind: Any) -> None:
    """Refuse anything but a usage kind itself, such as its name.

    Raises:
        ContractBroken: ``RATE03``.
    """
    if not isinstance(kind, UsageKind):
        what = f"the kind of the {type(made).__name__} is {kind!r}, not a UsageKind"
        raise ContractBroken("RATE03", what, remedy="Give the UsageKind that billing_usage_kinds offers, not its name")


@attrs.frozen(kw_only=True)
class ShardTwin:
    """Rates the records of one kind of a whole shard as columns, digit for digit as the reference does group by group.

    Attributes:
        kind: the usage kind whose records it rates; groups that have records of other kinds too are left to the reference.
        fields: names of the fields of its body that it reads.
        rate: columns in, columns out; import what needs numpy inside of it, so that commands without columns do not wait.
    """

    kind: UsageKind = attrs.field(validator=a_kind)
    fields: tuple[str, ...]
    rate: Callable[[UsageColumns], RatedColumns]


LEFT = Rating()
"""Stands for the rating of a group that a twin leaves, where the reference is asked later and answers for itself."""


def left(_group: BillingGroup) -> Rating:
    """Return the stand-in for the rating of a group that a twin leaves."""
    return LEFT


def rate_by_columns(
    groups: Sequence[BillingGroup], twin: ShardTwin, rate: Callable[[BillingGroup], Rating]
) -> tuple[Rating, ...]:
    """Return the ratings of many groups by a columnar twin; what it leaves is rated by the reference.

    Args:
        groups: the groups with their records as objects.
        twin: the twin.
        rate: the reference.

    Raises:
        ContractBroken: ``RATE03`` where the twin's columns contradict themselves or the records.
    """
    from billing_framework.rating.gather_columns import columns_of  # noqa: PLC0415  numpy, only where columns are used
    from billing_framework.rating.rated_columns import columns_faults, ratings_of  # noqa: PLC0415

    columns = columns_of(groups, twin.kind, twin.fields)
    rated = twin.rate(columns)
    for fault in columns_faults(columns, rated):
        raise ContractBroken("RATE03", f"the columnar twin of kind {twin.kind.name!r} {fault}")
    found = ratings_of(columns, rated)
    return tuple(rating or rate(group) for rating, group in zip(found, groups, strict=True))
