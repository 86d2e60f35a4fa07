"""Whether a book could post all that plans and tax rates may bring: an unmapped code fails here, not at posting."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.book import BookProfile
from billing_framework.accounts.book_file import unmapped_findings
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.run.books import bank_findings
from billing_framework.run.deployment import Deployment
from billing_framework.run.plans import model_params
from billing_framework.storage.account_tables import account, agreement
from billing_framework.storage.book_rows import find_books
from billing_framework.storage.plan_rows import load_plans
from billing_framework.values.finding import Finding


def mapping_findings(deployment: Deployment, connection: Connection) -> list[Finding]:
    """Return a blocking finding for each code that a book may meet and maps to no account, and for a mistyped bank account.

    A book meets the plans of its accounts' agreements, and the plans of its currency that nobody uses yet.
    """
    plans = [one.plan for one in load_plans(connection, (), params=model_params(deployment.host))]
    used = _plans_in_use(connection)
    findings = []
    for loaded in find_books(connection).values():
        profile = loaded.profile
        met = [plan for plan in plans if _meets(profile, plan, used)]
        findings += bank_findings(profile, f"book {profile.code}", loaded.source)
        findings += unmapped_findings(profile, charge_codes(met), {})
    return findings


def charge_codes(plans: Iterable[PlanVersion]) -> dict[str, str]:
    """Return the charge codes of plans, each with the plan that it was first met in."""
    codes: dict[str, str] = {}
    for plan in plans:
        for component in plan.components:
            codes.setdefault(component.charge_code, f"plan {plan.name}")
    return codes


def _plans_in_use(connection: Connection) -> dict[str, set[str]]:
    """Return the plans of agreements, each with the books of their accounts."""
    query = (
        sa.select(agreement.c.plan, account.c.book)
        .select_from(agreement.join(account, agreement.c.account == account.c.code))
        .distinct()
    )
    used: dict[str, set[str]] = {}
    for row in connection.execute(query):
        used.setdefault(row.plan, set()).add(row.book)
    return used


def _meets(profile: BookProfile, plan: PlanVersion, used: dict[str, set[str]]) -> bool:
    return profile.code in used[plan.code] if plan.code in used else plan.currency == profile.currency
