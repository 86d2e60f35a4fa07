"""Whether a book could post all that plans and tax rates may bring: an unmapped code fails here, not at posting."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.accounts.book import BookProfile
from billing_framework.accounts.book_file import unmapped_findings
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.run.deployment import Deployment
from billing_framework.run.master.books import bank_findings
from billing_framework.run.master.plans import model_params
from billing_framework.storage.master.account_tables import account, agreement
from billing_framework.storage.master.book_rows import find_books
from billing_framework.storage.master.plan_rows import load_plans
from billing_framework.storage.master.tax_rows import load_tax_rates
from billing_framework.taxing.tax_rate import TaxRate
from billing_framework.values.finding import Finding


def mapping_findings(deployment: Deployment, connection: Connection) -> list[Finding]:
    """Return a blocking finding for each code that a book may meet and maps to no account, and for a mistyped bank account.

    A book meets the plans of its accounts' agreements and the taxes of its accounts' places; plans of its currency and taxes that
    nobody meets yet count for it too.
    """
    plans = [one.plan for one in load_plans(connection, (), params=model_params(deployment.host))]
    used, places = _plans_in_use(connection), _places(connection)
    rates = load_tax_rates(connection)
    findings = []
    for loaded in find_books(connection).values():
        profile = loaded.profile
        met = [plan for plan in plans if _meets(profile, plan, used)]
        findings += bank_findings(profile, f"book {profile.code}", loaded.source)
        findings += unmapped_findings(profile, charge_codes(met), _tax_codes(profile.code, rates, places))
    return findings


def charge_codes(plans: Iterable[PlanVersion]) -> dict[str, str]:
    """Return the charge codes of plans, each with the plan that it was first met in."""
    codes: dict[str, str] = {}
    for plan in plans:
        for component in plan.components:
            codes.setdefault(component.charge_code, f"plan {plan.name}")
    return codes


def _tax_codes(book: str, rates: Iterable[TaxRate], places: Mapping[str, set[str]]) -> dict[str, str]:
    codes: dict[str, str] = {}
    for rate in rates:
        meeting = {name for name, where in places.items() if any(rate.holds_in(place) for place in where)}
        if rate.rate and (book in meeting or not meeting):
            codes.setdefault(rate.code, f"tax rate {rate.code} of {rate.jurisdiction or 'every place'}")
    return codes


def _places(connection: Connection) -> dict[str, set[str]]:
    """Return the places whose taxes the accounts of each book pay."""
    places: dict[str, set[str]] = {}
    for row in connection.execute(sa.select(account.c.book, account.c.tax_jurisdiction).distinct()):
        places.setdefault(row.book, set()).add(row.tax_jurisdiction)
    return places


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
