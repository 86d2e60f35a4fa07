"""What is known of the work that is to be priced: one value, or several, for each dimension of the rate table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

import attrs

from billing_framework import Account, Agreement
from billing_legal_timekeeping.kinds import TimeEntry
from billing_legal_timekeeping.tables import Timekeeper


@attrs.frozen(kw_only=True)
class Work:
    """One entry, as prices see it.

    Attributes:
        values: dimension to the values that the entry has there; a person may be in several groups.
        rate: price written on the entry, or None.
        on: date by which rows are chosen.
        subject: the entry's external id, for findings.
    """

    values: Mapping[str, tuple[str, ...]]
    rate: Fraction | None
    on: date
    subject: str


def work(
    entry: TimeEntry, person: Timekeeper, *, matter: str, agreement: Agreement, account: Account, on: date, subject: str
) -> Work:
    """Return what prices may depend on.

    The client is the term ``client`` of the agreement, else the account; ``client_group`` and ``practice`` are terms.

    Args:
        entry: the entry as it is billed.
        person: who worked, on that day.
        matter: the firm's code of the matter.
        agreement: the agreement of the matter.
        account: the account of the client.
        on: date by which rows are chosen.
        subject: the entry's external id.
    """
    terms = agreement.terms
    single = {
        "timekeeper": entry.timekeeper,
        "classification": entry.classification or person.classification,
        "office": person.office,
        "client": terms.get("client", account.code),
        "client_group": terms.get("client_group", ""),
        "matter": matter,
        "practice": terms.get("practice", ""),
        "task": entry.task,
        "activity": entry.activity,
    }
    values: dict[str, tuple[str, ...]] = {name: (value,) for name, value in single.items() if value}
    values["group"] = tuple(person.groups.split())
    return Work(values=values, rate=entry.rate, on=on, subject=subject)
