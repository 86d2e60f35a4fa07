"""Telephone numbers by columns; the rules of `numbers.normalised` for digits with or without a plus."""

from __future__ import annotations

from typing import Any

import polars as pl

from billing_telecom_usage.numbers import LEAST_BEFORE_PREFIX, LONGEST_DIALLED, NumberClass, NumberPlan, Plain, without_separators

_NUMBER = "^[+]?[0-9]+$"


def number_columns(text: pl.Expr, plan: NumberPlan) -> tuple[pl.Expr, pl.Expr]:
    """Return the digits of numbers, null where `normalised` has to look at the text, and the text of their class.

    Args:
        text: the numbers as written, without blanks around them.
        plan: how the switch's numbers are dialled.
    """
    plain = _without_tech_prefix(text, plan)
    has_plus = plain.str.starts_with("+")
    rest = pl.when(has_plus).then(plain.str.slice(1)).otherwise(plain)
    length = rest.str.len_bytes()
    international: Any = pl.when(has_plus).then(rest)
    for prefix in plan.international:
        is_dialled = (length > LEAST_BEFORE_PREFIX) & rest.str.starts_with(prefix)
        international = international.when(is_dialled).then(rest.str.slice(len(prefix)))
    known = international.otherwise(None)
    is_short = known.is_null() & (length <= plan.short_digits)
    whole = known.fill_null(_with_country(rest, plan))
    digits = (
        pl.when(~plain.str.contains(_NUMBER) | (length > LONGEST_DIALLED))
        .then(None)
        .when(is_short)
        .then(rest)
        .when((whole.str.len_bytes() > 0) & ~whole.str.starts_with("0"))
        .then(whole)
        .otherwise(None)
    )
    short, other = pl.lit(NumberClass.SHORT.value), pl.lit(NumberClass.INTERNATIONAL.value)
    return digits, pl.when(is_short).then(short).otherwise(other)


def _without_tech_prefix(text: pl.Expr, plan: NumberPlan) -> pl.Expr:
    prefixes = [prefix for prefix in plan.tech_prefixes if without_separators(prefix) == prefix != ""]
    if not prefixes:
        return text
    first, *others = prefixes
    stripped: Any = pl.when(text.str.starts_with(first)).then(text.str.slice(len(first)))
    for prefix in others:
        stripped = stripped.when(text.str.starts_with(prefix)).then(text.str.slice(len(prefix)))
    found: pl.Expr = stripped.otherwise(text)
    return found


def _with_country(digits: pl.Expr, plan: NumberPlan) -> pl.Expr:
    if plan.plain is not Plain.NATIONAL:
        return digits
    local = pl.concat_str(pl.lit(plan.country + plan.area), digits)
    if not plan.trunk:
        return local
    national = pl.concat_str(pl.lit(plan.country), digits.str.slice(len(plan.trunk)))
    return pl.when(digits.str.starts_with(plan.trunk)).then(national).otherwise(local)
