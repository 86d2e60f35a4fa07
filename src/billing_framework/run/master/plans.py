"""Officers load price plans: checked, kept with text and digest, never changed; a correction is a version that supersedes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import attrs
from sqlalchemy.engine import Connection

from billing_framework.accounts.agreement import Agreement
from billing_framework.plugin.host import Host
from billing_framework.rating.plan_check import check_plan, known_measures
from billing_framework.rating.plan_file import params_by_model, read_plan
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.selection import LoadedPlan, select
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.rate_tables import named_findings
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.master.plan_rows import add_plans, load_plans
from billing_framework.storage.master.rate_table_rows import RateTableRow, rate_table_rows
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.period import ONE_DAY, DateSpan
from billing_framework.values.typed_toml import line_of


@attrs.frozen(kw_only=True)
class PlanLoad:
    """What loading files of plans did, or would do.

    Attributes:
        loaded: names of the versions that are new, as ``code@version``.
        unchanged: names of those that were loaded before with the same content.
        findings: what is wrong; where one stops, nothing of any file was loaded.
    """

    loaded: tuple[str, ...]
    unchanged: tuple[str, ...]
    findings: tuple[Finding, ...]


def model_params(host: Host) -> Mapping[str, type]:
    """Return the parameter classes of all models that the deployment's plans may name."""
    return params_by_model(host.charge_models.values(), host.raters.values())


def load_plan_files(deployment: Deployment, files: Sequence[tuple[str, bytes]], *, check_only: bool = False) -> PlanLoad:
    """Load the plans of some files, all of them or none; the same content again changes nothing.

    Args:
        deployment: the open deployment.
        files: name and bytes of each file; one file is one version.
        check_only: True to only say what would happen.
    """
    plans, findings = read_plan_files(deployment.host, files)
    now = deployment.clock.now()
    with deployment.database.read() if check_only else deployment.database.begin() as connection:
        known = load_plans(connection, {plan.code for plan, _ in plans}, params=model_params(deployment.host)) if plans else ()
        by_name = {one.plan.name: one.plan for one in known}
        new = [(plan, file) for plan, file in plans if plan.name not in by_name]
        findings += [_other_content(plan, file) for plan, file in plans if _differs(plan, by_name)]
        everything = [*known, *(LoadedPlan(plan=plan, loaded_at=now) for plan, _ in new)]
        findings += [finding for plan, file in new for finding in fit_findings(plan, file, everything, now)]
        tables = rate_table_rows(connection) if new else []
        findings += [one for plan, file in new for one in _named_tables(deployment, plan, tables, file, Severity.INFORMATION)]
        if not check_only and not any(finding.stops for finding in findings):
            add_plans(connection, new, now=now, actor=deployment.actor)
            record_many(connection, now, deployment.actor, (_event(plan, file) for plan, file in new))
    return PlanLoad(
        loaded=tuple(plan.name for plan, _ in new),
        unchanged=tuple(plan.name for plan, _ in plans if plan.name in by_name),
        findings=tuple(findings),
    )


def read_plan_files(host: Host, files: Iterable[tuple[str, bytes]]) -> tuple[list[tuple[PlanVersion, str]], list[Finding]]:
    """Return the plans of some files with the names of the files, and what is wrong with each by itself."""
    params = model_params(host)
    plans: list[tuple[PlanVersion, str]] = []
    findings: list[Finding] = []
    for file, content in files:
        read = read_plan(content, file=file, params=params)
        findings += read.findings
        if read.plan is None:
            continue
        measures = known_measures(host.raters.values())
        wrong = check_plan(read.plan, models=host.charge_models, measures=measures, units=host.units, file=file)
        findings += wrong
        if any(finding.stops for finding in wrong):
            continue
        if any(read.plan.name == other.name for other, _ in plans):
            findings.append(_finding(read.plan, file, "PLAN31", "two of the files hold this version", "Load one of them"))
            continue
        plans.append((read.plan, file))
    return plans, findings


def fit_findings(plan: PlanVersion, file: str, everything: Sequence[LoadedPlan], now: datetime) -> list[Finding]:
    """Return what keeps a version from standing beside the others.

    Args:
        plan: the version.
        file: name of its file, for messages.
        everything: all versions of its plan, loaded and to be loaded, itself too.
        now: the present instant.
    """
    others = [one.plan for one in everything if one.plan.code == plan.code and one.plan.version != plan.version]
    findings = []
    if plan.supersedes and plan.supersedes not in {other.version for other in others}:
        remedy = "Name a loaded version of the same plan"
        findings.append(_finding(plan, file, "PLAN32", f"it supersedes {plan.supersedes!r}, which is not loaded", remedy))
    foreign = [other for other in others if other.currency != plan.currency]
    if foreign:
        what = f"version {foreign[0].version} of the plan is in {foreign[0].currency}, this one in {plan.currency}"
        findings.append(_finding(plan, file, "PLAN34", what, "Give the plan in another currency a code of its own"))
    return [*findings, *_overlap(plan, file, everything, now)]


def _overlap(plan: PlanVersion, file: str, everything: Sequence[LoadedPlan], now: datetime) -> list[Finding]:
    """Ask the same selection as a run for every date of the plan; two versions for one date would hold accounts."""
    edges = [edge for one in everything for edge in (one.plan.valid_from, one.plan.valid_to) if edge is not None]
    dates = DateSpan(plan.valid_from, plan.valid_to or max(edges) + ONE_DAY)
    asking = Agreement(code=plan.code, account="", plan=plan.code, starts_on=plan.valid_from)
    found = select(asking, dates, everything, now, {}).findings
    return [
        attrs.evolve(
            finding,
            severity=Severity.BLOCKING,
            file=file,
            line=line_of(plan.source, ("plan", "valid_from")),
            field="plan.valid_from",
            remedy="Give this version other dates, or let it supersede the other one and say why",
        )
        for finding in found
        if finding.code == "PLAN14"
    ]


def covering_gaps(plans: Sequence[LoadedPlan], code: str, now: datetime) -> list[Finding]:
    """Return a finding of information for dates between the first and the last version of a plan that none prices."""
    mine = [one.plan for one in plans if one.plan.code == code]
    first = min(plan.valid_from for plan in mine)
    last = max([plan.valid_to or plan.valid_from + ONE_DAY for plan in mine] + [first + ONE_DAY])
    asking = Agreement(code=code, account="", plan=code, starts_on=first)
    found = select(asking, DateSpan(first, last), plans, now, {}).findings
    return [attrs.evolve(finding, severity=Severity.INFORMATION) for finding in found if finding.code == "PLAN13"]


def check_loaded(deployment: Deployment, connection: Connection) -> list[Finding]:
    """Return what is wrong with the loaded plans by today's rules: their own checks, overlaps, dates that none prices."""
    now = deployment.clock.now()
    plans = load_plans(connection, (), params=model_params(deployment.host))
    models, measures = deployment.host.charge_models, known_measures(deployment.host.raters.values())
    findings = [
        finding
        for one in plans
        for finding in check_plan(
            one.plan, models=models, measures=measures, units=deployment.host.units, file=f"plan {one.plan.name}"
        )
    ]
    tables = rate_table_rows(connection)
    for one in plans:
        findings += _named_tables(deployment, one.plan, tables, f"plan {one.plan.name}", Severity.ISSUE)
    for code in sorted({one.plan.code for one in plans}):
        mine = [one for one in plans if one.plan.code == code]
        findings += [finding for one in mine for finding in fit_findings(one.plan, f"plan {one.plan.name}", mine, now)]
        findings += covering_gaps(mine, code, now)
    return findings


def _named_tables(
    deployment: Deployment, plan: PlanVersion, tables: Sequence[RateTableRow], file: str, severity: Severity
) -> list[Finding]:
    return named_findings(plan, deployment.host.rate_tables, tables, file=file, severity=severity)


def _differs(plan: PlanVersion, by_name: Mapping[str, PlanVersion]) -> bool:
    return plan.name in by_name and by_name[plan.name].sha256 != plan.sha256


def _other_content(plan: PlanVersion, file: str) -> Finding:
    remedy = 'Give the file a new version with supersedes = "' + plan.version + '" and a reason; a loaded version never changes'
    return _finding(plan, file, "PLAN31", f"version {plan.version} was loaded before with other content", remedy)


def _finding(plan: PlanVersion, file: str, code: str, what: str, remedy: str) -> Finding:
    return Finding(
        code=code,
        severity=Severity.BLOCKING,
        what=what,
        remedy=remedy,
        file=file,
        line=line_of(plan.source, ("plan", "version")),
        field="plan.version",
        value=plan.version,
        subject=plan.code,
    )


def _event(plan: PlanVersion, file: str) -> AuditEvent:
    after = {"sha256": plan.sha256, "valid_from": plan.valid_from.isoformat(), "file": file}
    if plan.supersedes:
        after["supersedes"] = plan.supersedes
    return AuditEvent(action="plan load", object_kind="plan", object_key=plan.name, after=after, reason=plan.reason)
