"""The contract of measures: checked where the rater returns them, so that no model is blamed for what it was given."""

from __future__ import annotations

from collections.abc import Mapping

from billing_framework.rating.declared_types import (
    are_facts,
    are_steps,
    are_texts,
    is_exactly,
    is_name,
    is_quantity,
    is_span_of_dates,
)
from billing_framework.rating.group import AgreementUsage
from billing_framework.rating.rating import Measure


def measure_fault(measure: object, agreements: Mapping[str, AgreementUsage], given: set[int]) -> str:
    """Return in what way a measure breaks the contract, or an empty text.

    Args:
        measure: what a rater returned.
        agreements: code to agreement of those that it was asked for.
        given: keys of the records that it was given.
    """
    if type(measure) is not Measure:
        return f"returned {type(measure).__name__} as a measure"
    if not is_name(measure.name) or not is_name(measure.agreement):
        return "returned a measure without a name or agreement that can be stored"
    usage = agreements.get(measure.agreement)
    if usage is None:
        return f"measured agreement {measure.agreement!r}, which is not in the billing group"
    if not is_quantity(measure.quantity):
        return f"returned a quantity that is not exact, or too long a number, for measure {measure.name!r}"
    if not is_span_of_dates(measure.dates) or measure.dates not in [tile.dates for tile in usage.tiles]:
        return f"measured {measure.name!r} for {measure.dates}, {_not_a_tile(measure.dates, usage)}"
    if not _is_sound(measure):
        return f"returned a measure {measure.name!r} with fields of wrong types"
    if not given.issuperset(measure.records):
        return f"measured {measure.name!r} on records that it was not given"
    return ""


def _not_a_tile(dates: object, usage: AgreementUsage) -> str:
    """Return why no component can price a measure of these dates, and what can be done where a carried record is the reason."""
    if dates not in [tile.dates for tile in usage.earlier_tiles]:
        return "which is no tile of the period"
    return (
        "which lies before the period: components price tiles of the period only, "
        "so measure it for one of these, or charge it by the plan of its own date"
    )


def _is_sound(measure: Measure) -> bool:
    return (
        {type(measure.records), type(measure.state_read)} == {tuple}
        and is_exactly(measure.estimated, bool)
        and set(map(type, measure.records)) <= {int}
        and are_texts([measure.source, *measure.state_read])
        and are_steps(measure.steps)
        and are_facts(measure.details)
    )
