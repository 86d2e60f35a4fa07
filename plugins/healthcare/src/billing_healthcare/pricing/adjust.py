"""What modifiers do to the fee of one procedure: both sides, assistants, two surgeons, parts of the package. Each rounds once."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import attrs

from billing_healthcare.pricing.contract import Contract
from billing_healthcare.pricing.procedure import Procedure, percent_of
from billing_healthcare.tables.rows import ValueRow

_BILATERAL = {"1": Fraction(150), "3": Fraction(200)}
"""Percentage for both sides by indicator; 0 pays one fee, 2 has both sides in the fee, 9 knows no sides (MPFSDB, BILAT SURG)."""

PACKAGE = {"54": ("pre_op", "intra_op"), "55": ("post_op",), "56": ("pre_op",), "78": ("intra_op",)}
"""Which shares of the global package a modifier bills."""


def adjusted(procedure: Procedure, bilateral: str, row: ValueRow | None, contract: Contract) -> Procedure | None:
    """Return a procedure with the fee that its modifiers leave, None where a person must decide (53 without its own row).

    Args:
        procedure: the procedure with the fee of one unit.
        bilateral: its indicator for both sides.
        row: its relative values, None for a fee schedule.
        contract: percentages.
    """
    fee, steps = procedure.fee, list(procedure.steps)
    for percent, label in _percents(procedure.line.modifier_list, bilateral, row, contract):
        if percent is None:
            return None
        fee, step = percent_of(fee, percent, label)
        steps.append(step)
    return attrs.evolve(procedure, fee=fee, steps=tuple(steps))


def _percents(
    modifiers: tuple[str, ...], bilateral: str, row: ValueRow | None, contract: Contract
) -> Iterator[tuple[Fraction | None, str]]:
    """Yield percentage and label in the order of the rules: both sides first."""
    if "50" in modifiers and bilateral in _BILATERAL:
        yield _BILATERAL[bilateral], f"both sides (50, indicator {bilateral})"
    for modifier in modifiers:
        if modifier in PACKAGE and row is not None:
            share = sum((getattr(row, name) for name in PACKAGE[modifier]), Fraction(0))
            if share:
                yield share * 100, f"share of the global package ({modifier})"
        elif modifier == "62":
            yield contract.co_surgeon_percent, "two surgeons (62)"
        elif modifier in {"80", "81", "82"}:
            yield contract.assistant_percent, f"assistant surgeon ({modifier})"
        elif modifier == "AS":
            yield contract.assistant_as_percent, "assistant who is no physician (AS)"
        elif modifier == "52":
            yield contract.reduced_percent, "reduced service (52)"
        elif modifier == "53" and (row is None or row.mod != "53"):
            yield contract.discontinued_percent, "discontinued service (53)"
