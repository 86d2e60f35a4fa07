"""Tells what was found of accounts while they were drafted and holds none of them, such as a measure that no component prices."""

from __future__ import annotations

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.storage.billing.account_briefs import accounts_with_findings
from billing_framework.storage.billing.run_rows import Run
from billing_framework.values.finding import Finding, Severity

_NAMED = 3


@attrs.define
class _Accounts:
    """Of whom a finding was made: the first of them, and how many they are."""

    first: list[str] = attrs.field(factory=list)
    count: int = 0


def let_pass(deployment: Deployment, connection: Connection, run: Run) -> tuple[Finding, ...]:
    """Return one finding for each code and value of those that hold nobody, with the accounts; the most frequent first.

    Args:
        deployment: the deployment, whose core and plugins say what the codes mean.
        connection: a connection.
        run: a run that is drafted, or being drafted.
    """
    found: dict[str, _Accounts] = {}
    for account, names in accounts_with_findings(connection, run):
        for name in names:
            of = found.setdefault(name, _Accounts())
            of.count += 1
            if of.count <= _NAMED:
                of.first.append(account)
    return tuple(_told(deployment, name, of) for name, of in sorted(found.items(), key=lambda item: (-item[1].count, item[0])))


def _told(deployment: Deployment, name: str, of: _Accounts) -> Finding:
    code, _, value = name.partition(" ")
    page = deployment.host.codes.get(code)
    more = f" and {of.count - len(of.first)} more" if of.count > len(of.first) else ""
    return Finding(
        code=code,
        severity=Severity.INFORMATION,
        what=f"{page.title if page else 'found'}: {of.count} accounts, {', '.join(of.first)}{more}",
        remedy=page.remedy.rstrip(".") if page else "",
        value=value,
    )
