"""Tax files: TOML becomes dated tax rates, or findings that name file, line, key, value and remedy."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import attrs

from billing_framework.taxing.tax_check import numbered_findings
from billing_framework.taxing.tax_rate import TaxKind, TaxPlace, TaxRate
from billing_framework.values.code_name import are_titles, is_code, is_code_or_empty
from billing_framework.values.errors import InputRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Rounding
from billing_framework.values.rounding import RoundingMode
from billing_framework.values.structuring import shown
from billing_framework.values.typed_toml import Codes, line_of, raise_first, read_toml, structure

SCHEMA = 1
_CODES = Codes(unreadable="TAX10", unknown_key="TAX11", missing_key="TAX12", bad_value="TAX13")


@attrs.frozen(kw_only=True)
class _RoundingTable:
    place: TaxPlace = TaxPlace.GROUP
    mode: RoundingMode = RoundingMode.HALF_UP
    step_minor: int = attrs.field(default=1, validator=attrs.validators.ge(1))


@attrs.frozen(kw_only=True)
class _TaxTable:
    code: str = attrs.field(validator=is_code)
    title: Mapping[str, str] = attrs.field(validator=are_titles)
    jurisdiction: str = attrs.field(default="", validator=is_code_or_empty)
    category: str = attrs.field(validator=is_code)
    percent: Fraction
    kind: TaxKind = TaxKind.STANDARD
    inclusive: bool = False
    compound_on: tuple[str, ...] = ()
    gross_up: bool = False
    charge_codes: tuple[str, ...] = ()
    excluding: tuple[str, ...] = ()
    valid_from: date
    valid_to: date | None = None
    rounding: _RoundingTable = attrs.field(factory=_RoundingTable)
    exemption: str = ""


@attrs.frozen(kw_only=True)
class _File:
    schema: int
    tax: tuple[_TaxTable, ...]


@attrs.frozen(kw_only=True)
class TaxRead:
    """What reading a tax file came to.

    Attributes:
        rates: the rates, none where a finding stands against them.
        findings: everything that is wrong with the file.
    """

    rates: tuple[TaxRate, ...]
    findings: tuple[Finding, ...] = ()


def read_tax_rates(content: bytes, *, file: str) -> TaxRead:
    """Return the rates of a tax file, already checked, or everything that is wrong with it.

    Args:
        content: bytes of the file.
        file: its name, for messages.
    """
    text, tables, findings = read_toml(content, file, _CODES)
    if findings:
        return TaxRead(rates=(), findings=tuple(findings))
    given, findings = structure(_File, tables, file=file, text=text, codes=_CODES)
    if given is None or given.schema != SCHEMA:
        if given is not None:
            findings = [_unknown_schema(file, text, given.schema)]
        return TaxRead(rates=(), findings=tuple(findings))
    rates = tuple(_rate(table) for table in given.tax)
    wrong = tuple(
        attrs.evolve(finding, file=file, line=line_of(text, ("tax", position, "code")))
        for position, finding in numbered_findings(rates)
    )
    return TaxRead(rates=() if wrong else rates, findings=wrong)


def parse_tax_rates(content: bytes, *, file: str) -> tuple[TaxRate, ...]:
    """Return the rates of a tax file; see `read_tax_rates`.

    Raises:
        InputRefused: the first finding, and how many more there are.
    """
    read = read_tax_rates(content, file=file)
    raise_first(read.findings, InputRefused, "billing tax check")
    return read.rates


def _rate(table: _TaxTable) -> TaxRate:
    return TaxRate(
        code=table.code,
        titles=dict(table.title),
        jurisdiction=table.jurisdiction,
        category=table.category,
        rate=table.percent / 100,
        kind=table.kind,
        inclusive=table.inclusive,
        compound_on=table.compound_on,
        gross_up=table.gross_up,
        charge_codes=table.charge_codes,
        excluding=table.excluding,
        valid_from=table.valid_from,
        valid_to=table.valid_to,
        rounding=Rounding(table.rounding.mode, table.rounding.step_minor),
        place=table.rounding.place,
        exemption=table.exemption,
    )


def _unknown_schema(file: str, text: str, given: int) -> Finding:
    return Finding(
        code="TAX14",
        severity=Severity.BLOCKING,
        what="this schema of tax files is unknown",
        remedy=f"Write schema = {SCHEMA} as the first line",
        file=file,
        line=line_of(text, ("schema",)),
        field="schema",
        value=shown(given),
    )
