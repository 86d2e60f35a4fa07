"""The check of tax rates before they are taken: impossible rates, overlapping dates, taxes on taxes that are not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from graphlib import CycleError, TopologicalSorter
from itertools import combinations

from billing_framework.taxing.tax_rate import TaxKind, TaxRate
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean


def check_tax_rates(rates: Sequence[TaxRate]) -> tuple[Finding, ...]:
    """Return what is wrong with a set of rates; none of it depends on a document."""
    return tuple(finding for _, finding in numbered_findings(rates))


def numbered_findings(rates: Sequence[TaxRate]) -> tuple[tuple[int, Finding], ...]:
    """Return what is wrong with a set of rates, each with the 0-based position of the rate that it is about."""
    found = [(rate, finding) for rate in rates for finding in _rate_findings(rate)]
    found.extend(_overlaps(rates))
    found.extend(_compounds(rates))
    positions = {id(rate): position for position, rate in enumerate(rates)}
    return tuple((positions[id(rate)], finding) for rate, finding in found)


def _rate_findings(rate: TaxRate) -> Iterator[Finding]:
    if rate.kind is TaxKind.STANDARD:
        if rate.rate <= 0 or (rate.gross_up and rate.rate >= 1):
            yield _finding(
                "TAX06", rate, "a tax of this kind needs a rate above zero, a grossed-up one below 100 %", "Correct percent"
            )
    elif rate.rate != 0:
        yield _finding("TAX06", rate, f"a tax of kind {rate.kind.value} has no rate", 'Give percent = "0"')
    elif rate.kind is not TaxKind.ZERO and not rate.exemption:
        yield _finding("TAX03", rate, f"kind {rate.kind.value} needs the reason that is printed", 'Write exemption = "..."')
    if rate.inclusive and (rate.gross_up or rate.compound_on):
        yield _finding(
            "TAX08", rate, "a tax inside the price can be neither grossed up nor a tax on a tax", "Let the price exclude it"
        )
    if rate.valid_to is not None and rate.valid_to <= rate.valid_from:
        yield _finding("TAX09", rate, "the rate ends before it begins", "valid_to is the date after the last one")
    if not rate.titles.get("en"):
        yield _finding("TAX12", rate, "the English title is missing", 'Write title = { en = "..." }')


def _overlaps(rates: Sequence[TaxRate]) -> Iterator[tuple[TaxRate, Finding]]:
    for left, right in combinations(rates, 2):
        alike = (left.code, left.jurisdiction, left.category) == (right.code, right.jurisdiction, right.category)
        if (
            alike
            and left.holds_on(max(left.valid_from, right.valid_from))
            and right.holds_on(max(left.valid_from, right.valid_from))
        ):
            chosen = set(left.charge_codes) & set(right.charge_codes) or not left.charge_codes or not right.charge_codes
            if chosen:
                what = f"two rates of the category {right.category!r} hold on {max(left.valid_from, right.valid_from)}"
                yield right, _finding("TAX02", right, what, "End the earlier one by valid_to")


def _compounds(rates: Sequence[TaxRate]) -> Iterator[tuple[TaxRate, Finding]]:
    codes = {rate.code for rate in rates}
    graph: dict[str, set[str]] = {}
    for rate in rates:
        graph.setdefault(rate.code, set()).update(rate.compound_on)
        for code in rate.compound_on:
            if code not in codes:
                what = f"it is a tax on {code!r}, which is no tax"
                yield rate, _finding("TAX07", rate, what, did_you_mean(code, codes))
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = error.args[1]
        first = next(rate for rate in rates if rate.code in circle)
        what = f"taxes are part of each other's base: {' on '.join(circle)}"
        yield first, _finding("TAX07", first, what, "Take one of them out of compound_on")


def _finding(number: str, rate: TaxRate, what: str, remedy: str) -> Finding:
    return Finding(
        code=number,
        severity=Severity.BLOCKING,
        what=f"tax {rate.code!r}: {what}",
        remedy=remedy,
        subject=rate.code,
        value=str(rate.rate),
    )
