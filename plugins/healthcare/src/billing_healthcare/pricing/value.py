"""The arithmetic of the federal physician fee schedule: relative values by locality, times the factor, rounded once."""

from __future__ import annotations

from fractions import Fraction

import attrs

from billing_framework import RoundingStep, Step, exact_text
from billing_healthcare.tables.rows import LocalityRow, ValueRow

CENT = Fraction(1, 100)
FEE = RoundingStep("fee", CENT)
"""The one rounding of a fee: half up to cents, after everything was summed and multiplied (CMS, notes of the RVU files)."""


@attrs.frozen(kw_only=True)
class Valuation:
    """Relative values of one procedure in one setting, already multiplied by the factors of the locality.

    Attributes:
        work: work.
        expense: practice expense of the setting.
        malpractice: malpractice.
        factor: conversion factor, dollars for one unit.
    """

    work: Fraction
    expense: Fraction
    malpractice: Fraction
    factor: Fraction

    def exact(self, expense_share: Fraction = Fraction(1)) -> Fraction:
        """Return dollars before rounding, with a share of the practice expense."""
        return (self.work + self.expense * expense_share + self.malpractice) * self.factor

    def fee(self, expense_share: Fraction = Fraction(1)) -> Fraction:
        """Return the fee in dollars, rounded to cents."""
        return FEE(self.exact(expense_share))


def valuation(row: ValueRow, locality: LocalityRow | None, factor: Fraction, *, in_facility: bool) -> Valuation:
    """Return the valuation of a procedure.

    Args:
        row: its relative values.
        locality: factors of the locality; None for the national amount, where all are 1.
        factor: conversion factor of the date of service.
        in_facility: True where the place of service pays the facility rate.
    """
    expense = row.fac_pe_rvu if in_facility else row.nonfac_pe_rvu
    return Valuation(
        work=row.work_rvu * (locality.work_gpci if locality else 1),
        expense=expense * (locality.pe_gpci if locality else 1),
        malpractice=row.mp_rvu * (locality.mp_gpci if locality else 1),
        factor=factor,
    )


def fee_step(row: ValueRow, locality: LocalityRow | None, found: Valuation, *, in_facility: bool) -> Step:
    """Return the step that tells how a fee came to be, with every number in it."""
    parts = (
        (row.work_rvu, locality.work_gpci if locality else Fraction(1)),
        (row.fac_pe_rvu if in_facility else row.nonfac_pe_rvu, locality.pe_gpci if locality else Fraction(1)),
        (row.mp_rvu, locality.mp_gpci if locality else Fraction(1)),
    )
    summed = " + ".join(f"{exact_text(value)} × {exact_text(by)}" for value, by in parts)
    where = "facility" if in_facility else "non-facility"
    place = locality.locality_name.title() if locality else "national"
    label = f"fee of {row.hcpcs}{' ' + row.mod if row.mod else ''} ({where}, {place})"
    formula = f"({summed}) × {exact_text(found.factor)}, rounded to cents"
    return Step(label=label, formula=formula, result=exact_text(found.fee()))
