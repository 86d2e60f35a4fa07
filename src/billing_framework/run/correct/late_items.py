"""The late usage that the drafts of a run were made with: billed by its difference, waiting for a rebill, or too old."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
from sqlalchemy.engine import Connection

from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.run.draft.late_policy import HELD, TO_REBILL
from billing_framework.run.draft.manifest import manifest_from_text
from billing_framework.storage.billing.account_briefs import account_briefs, with_evidence
from billing_framework.storage.billing.documents import load_inputs
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import Run

MOVED_STATE = "LATE01"
WAITING = (MOVED_STATE, TO_REBILL, HELD)
"""Findings of documents that wait for a rebill."""

BY_DIFFERENCE = "its difference is billed on the draft"


@attrs.frozen(kw_only=True)
class LateItem:
    """Late usage of one billed period, as a run treats it.

    Attributes:
        account: code of the account.
        document: number of the document that has billed the period.
        outcome: what the run does about it.
        code: code of the finding that says so; empty where the difference is billed.
    """

    account: str
    document: str
    outcome: str
    code: str = ""


def late_of_run(deployment: Deployment, code: str = "") -> tuple[LateItem, ...]:
    """Return the late usage that the accounts of a run were drafted with, by account and document.

    Args:
        deployment: the open deployment.
        code: code of the run; the one that is meant where empty.

    Raises:
        NotFound: there is no such run.
    """
    with deployment.database.read() as connection:
        return late_items(connection, meant_run(connection, code))


def late_items(connection: Connection, run: Run) -> tuple[LateItem, ...]:
    """Return the late usage that the accounts of a run were drafted with, by account and document."""
    found = {
        (row.account, item.finding.value): LateItem(
            account=row.account, document=item.finding.value, outcome=item.finding.what, code=item.finding.code
        )
        for row in with_evidence(connection, run)
        for item in row.evidence
        if item.finding.code == MOVED_STATE
    }
    texts = load_inputs(connection, {one.document for one in account_briefs(connection, run) if one.document})
    for given in _with_late(text for by_account in texts.values() for text, _ in by_account.values()):
        account = given.account.code
        for late in given.late:
            found.setdefault((account, late.document), LateItem(account=account, document=late.document, outcome=BY_DIFFERENCE))
        for finding in given.findings:
            if finding.code.startswith("LATE"):
                found[account, finding.value] = LateItem(
                    account=account, document=finding.value, outcome=finding.what, code=finding.code
                )
    return tuple(item for _, item in sorted(found.items()))


def _with_late(texts: Iterator[str]) -> Iterator[BillInput]:
    for text in texts:
        if '"late":[{' in text or '"code":"LATE' in text:
            yield manifest_from_text(text)
