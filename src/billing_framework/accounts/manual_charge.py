"""A manual charge or credit: what an officer puts on the next bill of an account, and why."""

from __future__ import annotations

from datetime import datetime

import attrs

from billing_framework.values.money import Amount
from billing_framework.values.period import DateSpan


@attrs.frozen(kw_only=True)
class ManualCharge:
    """One charge or credit that no plan prices.

    Attributes:
        id: what officers call it: the account's code and a number.
        account: code of the account.
        agreement: code of the agreement that it is for, or empty for the account as a whole.
        code: charge code; the book maps it to an account of the ledger.
        text: what is printed, in the customer's language.
        amount: exact amount before tax; negative for a credit.
        tax_category: tax category, as plans name it.
        service: dates that it is for; it is put on the first bill whose period ends after they begin.
        reason: why, for the audit; not printed.
        entered_at: when.
        entered_by: who.
        withdrawn_at: when it was withdrawn, None while it stands.
        withdrawn_reason: why it was withdrawn.
    """

    id: str
    account: str
    agreement: str
    code: str
    text: str
    amount: Amount
    tax_category: str
    service: DateSpan
    reason: str
    entered_at: datetime
    entered_by: str
    withdrawn_at: datetime | None = None
    withdrawn_reason: str = ""
