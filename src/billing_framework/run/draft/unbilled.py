"""Finds days that fall between two bills where readings, and not a calendar, say where a billing period begins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from billing_framework.invoicing.review import PastDocument
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.storage.billing.run_rows import HoldEvidence
from billing_framework.values.calendar import ReadDateCycle
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan

UNBILLED = "unbilled_days"
"""Name of the check that holds a draft whose period begins later than the last bill of the account ended."""

_READ_DATE = str(ReadDateCycle())


def gap_holds(inputs: Iterable[BillInput], history: Mapping[str, Sequence[PastDocument]]) -> dict[str, HoldEvidence]:
    """Return by account which days no bill is about, for accounts whose billing periods are stated as two dates.

    A calendar leaves no such days; two dates that somebody writes may. Days before an agreement began are nobody's to bill.

    Args:
        inputs: the manifests of the accounts that are billed.
        history: what they were billed before, newest first.
    """
    holds = {}
    for given in inputs:
        past = history.get(given.account.code, ())
        if given.account.cycle != _READ_DATE or not past or past[0].ends_on is None or past[0].ends_on >= given.period.start:
            continue
        gap = DateSpan(past[0].ends_on, given.period.start)
        lives = [one.agreement for one in given.agreements if one.agreement.starts_on < gap.end]
        if lives:
            holds[given.account.code] = _hold(given, gap, max(gap.start, min(one.starts_on for one in lives)).isoformat())
    return holds


def _hold(given: BillInput, gap: DateSpan, first: str) -> HoldEvidence:
    finding = Finding(
        code="RUN30",
        what=f"no bill is about the days from {first} to {gap.last}: the last one ended before, this one begins on {gap.end}",
        remedy="Draft the run of the period that begins where the last bill ended; or release the draft with the reason",
        subject=given.account.code,
        value=f"{first}/{gap.last}",
    )
    return HoldEvidence(check=UNBILLED, finding=finding, facts={"last bill until": gap.start.isoformat()})
