"""Officers load rate tables: checked as a whole, kept with bytes and digest, never changed; a correction supersedes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
from sqlalchemy.engine import Connection

from billing_framework.plugin.host import Host
from billing_framework.rating.in_force import Dated
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate_table import RateTable, RateTableKind
from billing_framework.rating.rate_table_file import RateTableHeader, RateTableRead, read_rate_table
from billing_framework.rating.rate_table_names import KnownTable, NamedTable, in_conflict, tables_named
from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import record
from billing_framework.storage.master.rate_table_rows import RateTableRow, add_rate_table, rate_table_rows
from billing_framework.values.errors import NotFound
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.foreign_code import failures_of
from billing_framework.values.period import ONE_DAY, DateSpan
from billing_framework.values.spelling import did_you_mean


@attrs.frozen(kw_only=True)
class RateTableLoad:
    """What loading a file of rates did, or would do.

    Attributes:
        name: the version, as ``code@version``.
        outcome: ``loaded``, ``unchanged`` where it was loaded before with the same content, ``refused``.
        rows: how many rows the file holds.
        findings: what is wrong; where one stops, nothing was loaded.
    """

    name: str
    outcome: str
    rows: int
    findings: tuple[Finding, ...] = ()


def rate_table_kind(host: Host, name: str) -> RateTableKind:
    """Return a kind of rate table.

    Raises:
        NotFound: ``TABLE32`` with the nearest spelling.
    """
    if name not in host.rate_tables:
        remedy = f"{did_you_mean(name, host.rate_tables)}. Enable the plugin that brings it in deployment.plugins"
        raise NotFound("TABLE32", f"no enabled plugin offers a rate table kind {name!r}", remedy=remedy)
    return host.rate_tables[name]


def checked_file(host: Host, content: bytes, *, file: str, header: RateTableHeader) -> RateTableRead:
    """Read a file of rates and ask its kind what is wrong with it; needs no database.

    Raises:
        NotFound: ``TABLE32`` for an unknown kind.
        ContractBroken: ``PLUGIN05`` where the plugin's own check fails.
    """
    kind = rate_table_kind(host, header.kind)
    who = f"the check of the rate table kind {kind.name} of plugin {host.owners['billing_rate_tables'][kind.name]}"
    with failures_of(who, remedy="Report it to the authors of the plugin"):
        return read_rate_table(content, file=file, header=header, kind=kind)


def load_rate_table_file(deployment: Deployment, content: bytes, *, file: str, header: RateTableHeader) -> RateTableLoad:
    """Load a version of a rate table, whole or not at all; the same content again changes nothing.

    Args:
        deployment: the open deployment.
        content: bytes of the file.
        file: its name.
        header: what the officer says about it.
    """
    read = checked_file(deployment.host, content, file=file, header=header)
    if read.table is None:
        return RateTableLoad(name=header.name, outcome="refused", rows=0, findings=read.findings)
    table, now = read.table, deployment.clock.now()
    with deployment.database.begin() as connection:
        known = rate_table_rows(connection, [header.code])
        same = next((row for row in known if row.version == header.version), None)
        if same is not None and same.sha256 == table.sha256:
            return RateTableLoad(name=header.name, outcome="unchanged", rows=table.size, findings=read.findings)
        findings = [*read.findings, *fit_findings(header, known, file)]
        stopped = any(finding.stops for finding in findings)
        if not stopped:
            add_rate_table(connection, table, content, reason=header.reason, file=file, now=now, actor=deployment.actor)
            _note(connection, deployment, table, header, file)
    outcome = "refused" if stopped else "loaded"
    return RateTableLoad(name=header.name, outcome=outcome, rows=table.size, findings=tuple(findings))


def _note(connection: Connection, deployment: Deployment, table: RateTable, header: RateTableHeader, file: str) -> None:
    after = {"sha256": table.sha256, "kind": table.kind, "valid_from": table.valid_from.isoformat(), "file": file}
    if table.supersedes:
        after["supersedes"] = table.supersedes
    record(
        connection,
        deployment.clock.now(),
        deployment.actor,
        "rate-table load",
        object_kind="rate table",
        object_key=table.name,
        after=after,
        reason=header.reason,
    )


def fit_findings(header: RateTableHeader, known: Sequence[RateTableRow], file: str) -> list[Finding]:
    """Return what keeps a version from standing beside those of its table that are loaded.

    Args:
        header: what is said of the new version.
        known: the loaded versions of the same table.
        file: name of its file, for messages.
    """
    findings = []
    if any(row.version == header.version for row in known):
        remedy = f"Give the file a new version with --supersedes {header.version} and --reason; a loaded version never changes"
        what = f"version {header.version} was loaded before with other content"
        return [_finding("TABLE31", header, file, what, remedy, field="version")]
    if header.valid_to is not None and header.valid_to <= header.valid_from:
        what = f"it ends on {header.valid_to}, before it has begun"
        findings.append(_finding("TABLE35", header, file, what, "Give a later end, or none", field="valid_to"))
    if header.supersedes and header.supersedes not in {row.version for row in known}:
        what = f"it supersedes {header.supersedes!r}, which is not loaded"
        findings.append(_finding("TABLE35", header, file, what, "Name a loaded version of the same table", field="supersedes"))
    if header.supersedes and not header.reason.strip():
        what = "it supersedes another version without a reason"
        findings.append(_finding("TABLE35", header, file, what, "Say why with --reason", field="reason"))
    for row in known[:1]:
        for field, theirs, mine in (("kind", row.kind, header.kind), ("currency", row.currency, header.currency)):
            if theirs != mine:
                what = f"version {row.version} of the table has the {field} {theirs or 'of the plan'!r}, this one {mine!r}"
                findings.append(_finding("TABLE35", header, file, what, "Give the other table a code of its own", field=field))
    return findings or _conflicts(header, known, file)


def _conflicts(header: RateTableHeader, known: Sequence[RateTableRow], file: str) -> list[Finding]:
    """Ask the same choice as a run for every date of the version; two versions for one date would hold accounts."""
    versions: list[Dated] = [*known, header]
    edges = [edge for one in versions for edge in (one.valid_from, one.valid_to) if edge is not None]
    dates = DateSpan(header.valid_from, header.valid_to or max(edges) + ONE_DAY)
    remedy = "Give this version other dates, or let it supersede the other one and say why"
    return [
        _finding("TABLE08", header, file, f"several versions price {part}: {', '.join(names)}", remedy, field="valid_from")
        for part, names in in_conflict(versions, dates)
    ]


def _finding(code: str, header: RateTableHeader, file: str, what: str, remedy: str, *, field: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=what,
        remedy=remedy,
        file=file,
        subject=header.name,
        field=field,
        value=str(getattr(header, field) or ""),
    )


def named_findings(
    plan: PlanVersion, kinds: Mapping[str, RateTableKind], known: Sequence[KnownTable], *, file: str, severity: Severity
) -> list[Finding]:
    """Return what is wrong with the rate tables that a plan names.

    Args:
        plan: the plan.
        kinds: the kinds of the deployment.
        known: the loaded versions of all rate tables.
        file: name of the plan's file, for messages.
        severity: how much a table that is not loaded stops: it may be loaded after the plan, but not after the first bill.
    """
    loaded = {one.code: one.kind for one in known}
    findings = (_named(named, plan, kinds, loaded, file) for named in tables_named(plan))
    return [
        attrs.evolve(finding, severity=severity) if finding.code == "TABLE09" else finding
        for finding in findings
        if finding is not None
    ]


def _named(
    named: NamedTable, plan: PlanVersion, kinds: Mapping[str, RateTableKind], loaded: Mapping[str, str], file: str
) -> Finding | None:
    if named.kind and named.kind not in kinds:
        code, what = "TABLE32", f"no enabled plugin offers the rate table kind {named.kind!r}"
        remedy = f"{did_you_mean(named.kind, kinds)}. Enable the plugin that brings it"
    elif named.code not in loaded:
        code, what = "TABLE09", f"no version of the rate table {named.code!r} is loaded"
        remedy = f"{did_you_mean(named.code, loaded)}. Load it with billing rate-table load"
    elif named.kind and loaded[named.code] != named.kind:
        code, what = "TABLE07", f"a rate table of kind {named.kind!r} is needed; {named.code!r} is of kind {loaded[named.code]!r}"
        remedy = "Name a table of that kind"
    else:
        return None
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=what,
        remedy=remedy,
        file=file,
        field=f"{named.component}.{named.field}",
        value=named.code,
        subject=plan.code,
    )
