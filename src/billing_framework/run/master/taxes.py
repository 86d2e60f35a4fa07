"""Officers load tax rates: a file is a set of dated rates; its newest version holds, the earlier ones stay known."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import PurePath

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.storage.audit import AuditEvent, record_many
from billing_framework.storage.master.tax_rows import LoadedTaxes, add_tax_file, load_tax_rates, loaded_taxes
from billing_framework.taxing.tax_check import check_tax_rates
from billing_framework.taxing.tax_file import read_tax_rates
from billing_framework.taxing.tax_rate import TaxRate
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.plain_form import to_plain


@attrs.frozen(kw_only=True)
class TaxLoad:
    """What loading a file of tax rates did, or would do.

    Attributes:
        name: name of the set of rates.
        outcome: ``created``, ``changed``, ``unchanged`` or ``refused``.
        version: the version in force now.
        rates: how many rates it holds.
        findings: what is wrong; where one stops, nothing was loaded.
    """

    name: str
    outcome: str
    version: int = 0
    rates: int = 0
    findings: tuple[Finding, ...] = ()


def load_tax_file(deployment: Deployment, file: str, content: bytes, *, check_only: bool = False, reason: str = "") -> TaxLoad:
    """Load a file of tax rates; the same content again changes nothing, other content under its name needs a reason.

    Args:
        deployment: the open deployment.
        file: name of the file; without its ending it is the name of the set.
        content: its bytes.
        check_only: True to only say what would happen.
        reason: why rates that are known change.
    """
    name = PurePath(file).stem
    read = read_tax_rates(content, file=file)
    if read.findings:
        return TaxLoad(name=name, outcome="refused", findings=read.findings)
    with deployment.database.read() if check_only else deployment.database.begin() as connection:
        known = loaded_taxes(connection)
        before = known.get(name)
        if before is not None and before.sha256 == hashlib.sha256(content).hexdigest():
            return TaxLoad(name=name, outcome="unchanged", version=before.version, rates=len(before.rates))
        others = tuple(rate for one in known.values() if one.name != name for rate in one.rates)
        findings = (*_without_reason(file, before, reason), *_beside(file, others, read.rates))
        if findings:
            return TaxLoad(name=name, outcome="refused", findings=findings)
        version = 1 if before is None else before.version + 1
        if not check_only:
            _store(deployment, connection, name, content.decode(), version, before=before, after=read.rates, reason=reason)
    return TaxLoad(name=name, outcome="changed" if before else "created", version=version, rates=len(read.rates))


def _without_reason(file: str, before: LoadedTaxes | None, reason: str) -> list[Finding]:
    if before is None or reason.strip():
        return []
    return [
        Finding(
            code="TAX32",
            severity=Severity.BLOCKING,
            what=f"the rates of {before.name} were loaded before with other content",
            remedy='Say why they change with --reason "..."; documents that were issued keep the rates that they were taxed by',
            file=file,
            subject=before.name,
        )
    ]


def _beside(file: str, others: Sequence[TaxRate], rates: Sequence[TaxRate]) -> list[Finding]:
    """Return what is wrong only because the rates stand beside those of other files."""
    return [attrs.evolve(finding, file=file) for finding in check_tax_rates([*others, *rates])]


def _store(
    deployment: Deployment,
    connection: Connection,
    name: str,
    source: str,
    version: int,
    *,
    before: LoadedTaxes | None,
    after: tuple[TaxRate, ...],
    reason: str,
) -> None:
    now, actor = deployment.clock.now(), deployment.actor
    add_tax_file(connection, name, source, version=version, reason=reason, now=now, actor=actor)
    event = AuditEvent(
        action="tax load",
        object_kind="tax",
        object_key=name,
        before=None if before is None else {"version": before.version, "rates": to_plain(before.rates)},
        after={"version": version, "rates": to_plain(after)},
        reason=reason or f"first load of {name}",
    )
    record_many(connection, now, actor, [event])


def check_loaded_taxes(connection: Connection) -> list[Finding]:
    """Return what is wrong with all known rates together, by today's rules."""
    return list(check_tax_rates(load_tax_rates(connection)))
