"""Prices the records in a file against the plans in files: reads both, and needs neither database nor accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import attrs
from sqlalchemy.engine import Connection

from billing_framework.plugin.host import Host
from billing_framework.plugin.settings import DeploymentSettings, Settings, SettingsFile
from billing_framework.rating.plan_check import check_plan
from billing_framework.rating.plan_file import read_plan
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate_table import RateTable
from billing_framework.rating.rate_table_file import RateTableHeader
from billing_framework.rating.rate_table_names import tables_named
from billing_framework.run.input_file import opened_records, read_input
from billing_framework.run.master.plans import model_params
from billing_framework.run.master.rate_tables import checked_file
from billing_framework.run.prove.quote import Quote, QuoteRequest, quote
from billing_framework.run.usage.reading import read_items, read_request
from billing_framework.storage.master.rate_table_rows import load_rate_table, rate_table_rows
from billing_framework.usage.file_stream import open_stream
from billing_framework.values.errors import InputRefused
from billing_framework.values.finding import Finding
from billing_framework.values.spelling import did_you_mean

_ANY_DATE = date(1970, 1, 1)


def host_of(plugins: Sequence[str]) -> Host:
    """Return the host of installed plugins, named on the command line instead of in ``billing.toml``.

    Raises:
        ConfigurationError: an unknown plugin, with the nearest spelling.
    """
    deployment = DeploymentSettings(name="quote", database="sqlite:///", plugins=tuple(plugins), currency="USD")
    return Host.from_file(SettingsFile(path=Path("command line"), text="", sha256="", settings=Settings(deployment=deployment)))


def read_plans(host: Host, files: Sequence[Path]) -> tuple[tuple[PlanVersion, ...], list[Finding]]:
    """Return the plan versions in files, and what is wrong with them.

    Raises:
        InputRefused: ``QUOTE02`` where the files hold different plans.
    """
    plans: list[PlanVersion] = []
    findings: list[Finding] = []
    for file in files:
        read = read_plan(read_input(file), file=file.name, params=model_params(host))
        findings += read.findings
        if read.plan is not None:
            findings += check_plan(read.plan, models=host.charge_models, file=file.name)
            plans.append(read.plan)
    if len({(plan.code, plan.currency) for plan in plans}) > 1:
        names = ", ".join(sorted({plan.code for plan in plans}))
        raise InputRefused("QUOTE02", f"the files hold different plans: {names}", remedy="Give versions of one plan and currency")
    return tuple(plans), findings


def read_tables(
    host: Host, plans: Sequence[PlanVersion], files: Mapping[str, Path]
) -> tuple[tuple[RateTable, ...], list[Finding]]:
    """Return the rate tables in files, each valid on all dates, and what is wrong with them.

    Args:
        host: kinds of rate tables.
        plans: the plan that names them, which also says their kinds.
        files: code of a table to its file.

    Raises:
        InputRefused: ``QUOTE02`` for a code that the plan does not name, or whose kind it leaves open.
    """
    kinds = {named.code: named.kind for plan in plans for named in tables_named(plan)}
    tables: list[RateTable] = []
    findings: list[Finding] = []
    for code, file in files.items():
        if not kinds.get(code):
            what = (
                f"the plan names no rate table {code!r}"
                if code not in kinds
                else f"the plan does not say of what kind {code!r} is"
            )
            raise InputRefused("QUOTE02", what, remedy=did_you_mean(code, kinds))
        header = RateTableHeader(code=code, version="file", kind=kinds[code], valid_from=_ANY_DATE)
        read = checked_file(host, read_input(file), file=file.name, header=header)
        findings += read.findings
        tables += [read.table] if read.table else []
    return tuple(tables), findings


def loaded_tables(connection: Connection, host: Host, plans: Sequence[PlanVersion]) -> tuple[RateTable, ...]:
    """Return all loaded versions of the rate tables that a plan names."""
    codes = {named.code for plan in plans for named in tables_named(plan)}
    rows = rate_table_rows(connection, codes) if codes else []
    return tuple(load_rate_table(connection, row, host.rate_tables) for row in rows)


def quote_file(
    host: Host,
    records: Path,
    file_format: str,
    request: QuoteRequest,
    *,
    source: str = "",
    options: Mapping[str, str] | None = None,
) -> Quote:
    """Return what the records in a file come to.

    Args:
        host: raters, charge models and readers.
        records: the file; gzip, and zip with one file, are unpacked.
        file_format: name of a reader.
        request: plan and circumstances.
        source: who delivered it, by default the format.
        options: options of the reader.

    Raises:
        InputRefused: the file is refused as a whole, with place and remedy.
        NotFound: ``PLUGIN07`` for an unknown format.
    """
    reader = host.reader(file_format)
    asked = read_request(reader, file=records.name, source=source, zone=request.zone, options=options or {})
    with opened_records(records, records.name) as raw:
        found = quote(read_items(host, reader, asked, open_stream(raw, records.name)), request, host)
    return attrs.evolve(found, findings=tuple(attrs.evolve(one, file=one.file or records.name) for one in found.findings))
