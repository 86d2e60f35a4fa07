"""Figures of a tariff: a number that is the same for everyone, or one that a term of the agreement chooses."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import attrs
import cattrs

from billing_framework.values.errors import ValueRefused
from billing_framework.values.number import exact
from billing_framework.values.spelling import did_you_mean
from billing_framework.values.structuring import strict_converter


@attrs.frozen
class ByTerm:
    """A number that depends on a term of the agreement: the base charge by meter size, the contracted kilowatts.

    Attributes:
        term: name of the term.
        values: text of the term to number; empty where the term's own text is the number.
    """

    term: str
    values: Mapping[str, Fraction] = attrs.field(factory=dict)


Figure = Fraction | ByTerm
"""A number of the tariff; a plan file gives ``"12.70"``, or ``{ term = "meter_size", values = { "5/8" = "27.00" } }``."""


def figure(given: Figure, terms: Mapping[str, str]) -> Fraction:
    """Return the number of a figure for an agreement with these `terms`.

    Raises:
        ValueRefused: ``RATE07`` where the agreement lacks the term, or its text has no number.
    """
    if isinstance(given, Fraction):
        return given
    if given.term not in terms:
        raise ValueRefused("RATE07", f"the agreement has no term {given.term!r}", remedy=f"Add the term {given.term!r} to it")
    text = terms[given.term]
    if not given.values:
        return exact(text, name=f"term {given.term!r}")
    if text not in given.values:
        raise ValueRefused(
            "RATE07",
            f"the plan has no figure for {given.term} {text!r}",
            remedy=did_you_mean(text, given.values),
        )
    return given.values[text]


@functools.cache
def plan_converter() -> cattrs.Converter:
    """Return the strict converter that also knows figures; what it learns about a class serves every plan."""
    converter = strict_converter().copy()

    def structure_figure(value: object, _: object) -> Figure:
        wanted: Any = ByTerm if isinstance(value, Mapping) else Fraction
        result: Figure = converter.structure(value, wanted)
        return result

    def structure_optional(value: object, _: object) -> Figure | None:
        return None if value is None else structure_figure(value, None)

    converter.register_structure_hook(Figure, structure_figure)
    converter.register_structure_hook(Figure | None, structure_optional)
    return converter
