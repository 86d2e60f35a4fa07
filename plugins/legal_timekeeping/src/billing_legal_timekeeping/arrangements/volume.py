"""A volume discount: percents that grow with the fees of all bills so far, by band or for the whole amount."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from fractions import Fraction

import attrs

from billing_framework import Component, Money, ValueRefused
from billing_legal_timekeeping.arrangements.deduction import Shown, deduct
from billing_legal_timekeeping.rating.line import Line, total
from billing_legal_timekeeping.rating.matter import Arranged, Matter


class TierMode(enum.Enum):
    """``INCREMENTAL`` each band at its own percent; ``RETROACTIVE`` the whole amount at the percent that was reached."""

    INCREMENTAL = "incremental"
    RETROACTIVE = "retroactive"


@attrs.frozen(kw_only=True)
class Band:
    """A band of fees.

    Attributes:
        to: upper end in major units, None for the last.
        percent: percent off.
    """

    to: Fraction | None = None
    percent: Fraction


def _rising(_params: object, _field: object, bands: tuple[Band, ...]) -> None:
    ends = [band.to for band in bands]
    bounded = [end for end in ends[:-1] if end is not None]
    if not bands or ends[-1] is not None or len(bounded) != len(ends) - 1 or bounded != sorted(set(bounded)):
        raise ValueRefused(
            "LEGAL06", "the bands do not follow each other", remedy="Let each end above the one before, the last open"
        )


@attrs.frozen(kw_only=True)
class VolumeDiscount:
    """A discount by volume: `legal_timekeeping.volume_discount`. It counts all fees, as those before it have left them.

    Attributes:
        bands: bands by rising upper end; the last is open.
        mode: how a band counts. The mode must be stated; nothing is assumed.
        shown: whether it is taken off each line, or stands in one line below.
    """

    bands: tuple[Band, ...] = attrs.field(validator=_rising)
    mode: TierMode
    shown: Shown = Shown.BELOW


def discount_of(fees: Fraction, bands: Sequence[Band], mode: TierMode) -> Fraction:
    """Return the exact discount on all fees so far.

    Args:
        fees: cumulative fees in major units.
        bands: the bands.
        mode: how they count.
    """
    if mode is TierMode.RETROACTIVE:
        reached = next(band for band in bands if band.to is None or fees <= band.to)
        return fees * reached.percent / 100
    discount, start = Fraction(0), Fraction(0)
    for band in bands:
        end = fees if band.to is None else min(fees, band.to)
        discount += max(end - start, Fraction(0)) * band.percent / 100
        start = end if band.to is None else band.to
    return discount


def apply_volume_discount(component: Component, lines: tuple[Line, ...], matter: Matter) -> Arranged:
    """Take off ``D(fees so far) - D(fees before)``, so that the bills sum to what one bill would give, in both modes."""
    params: VolumeDiscount = component.params
    currency, name = matter.plan.currency, f"volume.{component.code}"
    base = [line for line in lines if line.is_fee]
    before = Money.of(matter.before(name).get("fees", Fraction(0)), currency)
    after = before + total(base, currency)
    given, due = (matter.payable(discount_of(money.major, params.bands, params.mode)) for money in (before, after))
    formula = f"{params.mode.value} on {after} so far: {due}, less {given} on {before} before"
    changed = deduct(
        component, lines, base, due - given, matter, reason="volume", formula=formula, shown=params.shown, state_read=(name,)
    )
    state = matter.state(name, {"fees": after.major}) if after else None
    return Arranged(lines=changed, state=state)
