"""What an officer should look at before a bill of consumption is approved, and what the bill says about estimates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from billing_framework import (
    BilledQuantity,
    DraftDocument,
    DraftLine,
    Finding,
    Note,
    Quantity,
    ReviewBatch,
    ReviewCheck,
    Reviewed,
    billed_quantities,
    median,
    to_places,
)
from billing_framework import RoundingMode as Mode
from billing_utility_metering.units import CONSUMPTION_UNIT, family_of
from billing_utility_metering.wording import word

_LOOK = "Compare the readings with the meter; correct the data, or note why they are right"
_SHOWN_PLACES = 3


def review_checks() -> tuple[ReviewCheck, ...]:
    """Return the checks that the plugin offers."""
    return (
        ReviewCheck(
            name="utility_metering.high_low",
            title="Consumption per day is far from the account's own history",
            check=high_low,
        ),
        ReviewCheck(name="utility_metering.negative", title="Consumption is negative", check=negative_consumption),
    )


def _is_consumption(quantity: Quantity | None) -> bool:
    return quantity is not None and family_of(quantity.unit) in CONSUMPTION_UNIT


def high_low(batch: ReviewBatch) -> Iterator[Finding]:
    """Yield accounts whose consumption per day is above or below the median of their last bills by the deployment's factor.

    Totals in money hide a doubled consumption behind fixed charges and new prices; consumption per day does not. The bounds are
    those of the review settings (``factor``, ``least_history``); only the first component of an agreement that stands out is
    told, because riders price the same consumption again.
    """
    factor, least = batch.bounds.factor, batch.bounds.least_history
    for reviewed in batch.documents if factor else ():
        if not reviewed.history:
            continue
        told: set[str] = set()
        for billed in billed_quantities(reviewed.document):
            if not _is_consumption(billed.quantity) or billed.agreement in told:
                continue
            usual = _usual(reviewed, billed, least)
            if usual is None or usual <= 0:
                continue
            daily = _daily(reviewed.document, billed)
            if daily > usual * factor or daily * factor < usual:
                told.add(billed.agreement)
                unit = billed.quantity.unit
                yield Finding(
                    code="UTIL40",
                    what=f"{billed.agreement} used {_shown(daily)} {unit} a day, usually {_shown(usual)}",
                    remedy=_LOOK,
                    subject=reviewed.document.account,
                    field=billed.component,
                    value=str(billed.quantity),
                )


def _shown(number: Fraction) -> str:
    return str(Quantity(to_places(number, _SHOWN_PLACES, Mode.HALF_UP), "")).strip()


def _daily(document: DraftDocument, billed: BilledQuantity) -> Fraction:
    own = {line.service for line in document.lines if (line.agreement, line.component) == (billed.agreement, billed.component)}
    return billed.quantity.value / (sum(dates.days for dates in own) or document.period.days)


def _usual(reviewed: Reviewed, billed: BilledQuantity, least: int) -> Fraction | None:
    past = [
        other.quantity.value / document.days
        for document in reviewed.history
        for other in document.quantities
        if (other.agreement, other.component) == (billed.agreement, billed.component) and document.days
    ]
    return median(past) if len(past) >= max(least, 1) else None


def negative_consumption(batch: ReviewBatch) -> Iterator[Finding]:
    """Yield accounts that are billed a negative consumption, which no meter counts."""
    for reviewed in batch.documents:
        if not any(line.quantity is not None and line.quantity.value.numerator < 0 for line in reviewed.document.lines):
            continue  # as nearly always, and nothing has to be summed
        for billed in billed_quantities(reviewed.document):
            if _is_consumption(billed.quantity) and billed.quantity.value < 0:
                yield Finding(
                    code="UTIL42",
                    what=f"{billed.agreement} is billed a negative consumption",
                    remedy=_LOOK,
                    subject=reviewed.document.account,
                    field=billed.component,
                    value=str(billed.quantity),
                )
                break


def estimate_notes(documents: Sequence[DraftDocument]) -> list[Note]:
    """Return a note for every document with estimated consumption, in its language."""
    return [
        Note(kind="estimate", text=word(document.locale, "note_estimated"), document=document.key)
        for document in documents
        if any(_is_estimated(line) for line in document.lines)
    ]


def _is_estimated(line: DraftLine) -> bool:
    return line.estimated and _is_consumption(line.quantity)
