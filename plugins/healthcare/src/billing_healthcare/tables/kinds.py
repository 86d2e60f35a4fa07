"""The kinds of rate tables that the plugin offers, with what is checked beyond types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from billing_framework import Finding, RateTable, RateTableKind, Severity
from billing_healthcare.tables.rows import ChargeRow, FactorRow, FeeRow, LocalityRow, ValueRow

CHARGE_MASTER = "healthcare.charge_master"
FEE_SCHEDULE = "healthcare.fee_schedule"
RELATIVE_VALUES = "healthcare.mpfs_rvu"
LOCALITIES = "healthcare.gpci"
CONVERSION_FACTORS = "healthcare.conversion_factor"

PARTICIPANTS = ("any", "qualifying", "other")


def rate_table_kinds() -> tuple[RateTableKind, ...]:
    """Return the kinds that the plugin offers."""
    return (
        RateTableKind(
            name=CHARGE_MASTER,
            title="What the provider charges",
            row=ChargeRow,
            key=("code", "modifier"),
            prices=("charge",),
            check=_licences(lambda row: row.code),
        ),
        RateTableKind(
            name=FEE_SCHEDULE,
            title="What a contract allows, code by code",
            row=FeeRow,
            key=("code", "modifier"),
            prices=("fee",),
            check=_licences(lambda row: row.code),
        ),
        RateTableKind(
            name=RELATIVE_VALUES,
            title="Relative values of the federal physician fee schedule",
            row=ValueRow,
            key=("hcpcs", "mod"),
            prices=("work_rvu", "nonfac_pe_rvu", "fac_pe_rvu", "mp_rvu", "conv_factor"),
            check=_licences(lambda row: row.hcpcs),
        ),
        RateTableKind(
            name=LOCALITIES,
            title="Geographic factors of payment localities",
            row=LocalityRow,
            key=("mac", "locality"),
            prices=("work_gpci", "pe_gpci", "mp_gpci"),
        ),
        RateTableKind(
            name=CONVERSION_FACTORS,
            title="Conversion factors by date of service and participation",
            row=FactorRow,
            key=("starts_on", "participant"),
            prices=("factor",),
            check=_factor_findings,
        ),
    )


def is_licensed_code(code: str) -> bool:
    """True where a code is of a set that others own: CPT codes begin with a digit, dental codes with D."""
    return code[:1].isdigit() or code[:1].upper() == "D"


def _licences(code_of: Callable[[Any], str]) -> Callable[[RateTable], tuple[Finding, ...]]:
    def check(table: RateTable) -> tuple[Finding, ...]:
        return tuple(
            Finding(
                code="HEALTH30",
                severity=Severity.BLOCKING,
                what=f"the code {code_of(row)} belongs to a licensed set",
                remedy="Where the licence is yours, say so by true in the column licensed",
                line=place,
                field="licensed",
                value=code_of(row),
            )
            for place, row in enumerate(table.rows, start=1)
            if is_licensed_code(code_of(row)) and not row.licensed
        )

    return check


def _factor_findings(table: RateTable) -> tuple[Finding, ...]:
    return tuple(_factor_problems(table))


def _factor_problems(table: RateTable) -> Iterator[Finding]:
    for place, row in enumerate(table.rows, start=1):
        if row.participant not in PARTICIPANTS:
            yield _problem(place, f"the participant {row.participant!r} is unknown", f"Use one of {', '.join(PARTICIPANTS)}")
        if row.ends_on is not None and row.ends_on <= row.starts_on:
            yield _problem(place, "the factor ends before it begins", "Correct the dates; ends_on is the date after the last")
        for other in table.rows[: place - 1]:
            shares = "any" in (row.participant, other.participant) or row.participant == other.participant
            begins = other.ends_on is None or row.starts_on < other.ends_on
            if shares and begins and (row.ends_on is None or other.starts_on < row.ends_on):
                yield _problem(place, f"the factor overlaps that of {other.starts_on}", "End the one before the other begins")


def _problem(place: int, what: str, remedy: str) -> Finding:
    return Finding(code="HEALTH32", severity=Severity.BLOCKING, what=what, remedy=remedy, line=place)
