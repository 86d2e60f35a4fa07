"""An agreement (contract, service agreement): what an account has bought, on which price plan, from when to when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import attrs


@attrs.frozen(kw_only=True)
class Agreement:
    """One service sold to one account under one price plan.

    Attributes:
        code: unique code in the deployment.
        account: code of the account.
        plan: code of the price plan; the version in force is chosen by service date.
        starts_on: first date of service.
        ends_on: the date after the last date of service, or None while it runs.
        terms: values that the plan's components read for this agreement (contracted kW, meter size, enrolments), as text.
        succeeds: code of the agreement that this one continues under another plan or other terms, or empty.
    """

    code: str
    account: str
    plan: str
    starts_on: date
    ends_on: date | None = None
    terms: Mapping[str, str] = attrs.field(factory=dict)
    succeeds: str = ""
