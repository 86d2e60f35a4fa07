"""The late usage that the drafts of a run were made with: billed by its difference, waiting for a rebill, or too old."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.rating.late import LATE, late_source
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill_input import BillInput, LateInput
from billing_framework.run.draft.late_policy import HELD, TO_REBILL
from billing_framework.run.draft.manifest import manifest_from_text
from billing_framework.storage.billing.account_briefs import account_briefs, with_evidence
from billing_framework.storage.billing.documents import load_inputs
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.billing.tables import document_line
from billing_framework.storage.many import one_of, rows_of

MOVED_STATE = "LATE01"
WAITING = (MOVED_STATE, TO_REBILL, HELD)
"""Findings of documents that wait for a rebill."""

BY_DIFFERENCE = "its difference is billed on the draft"
TAKEN_OFF = "an officer has taken its difference off the draft"
NOTHING = "it comes to the same, nothing to bill"


@attrs.frozen(kw_only=True)
class LateItem:
    """Late usage of one billed period, as a run treats it.

    Attributes:
        account: code of the account.
        document: number of the document that has billed the period.
        outcome: what the run does about it.
        code: code of the finding that says so; empty where the difference is billed, or comes to nothing.
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
    known = [(key, given) for key, by_account in texts.items() for given in _with_late(text for text, _ in by_account.values())]
    lines = _late_lines(connection, {key for key, given in known if given.late})
    for _, given in known:
        account = given.account.code
        for late in given.late:
            item = LateItem(account=account, document=late.document, outcome=_outcome(given, late, lines))
            found.setdefault((account, late.document), item)
        for finding in given.findings:
            if finding.code.startswith("LATE"):
                found[account, finding.value] = LateItem(
                    account=account, document=finding.value, outcome=finding.what, code=finding.code
                )
    return tuple(item for _, item in sorted(found.items()))


def _late_lines(connection: Connection, documents: Collection[int]) -> set[tuple[str, str]]:
    """Return of the lines of late usage on some documents the agreement, and how the source begins."""
    columns = document_line.c
    query = sa.select(columns.charge).where(columns.charge.contains(f"|{LATE}"))
    return _late_among(
        row.charge for row in rows_of(connection, documents, lambda some: query.where(one_of(columns.document_id, some)))
    )


def _late_among(charges: Iterable[str]) -> set[tuple[str, str]]:
    mark = f"|{LATE}"
    return {
        (charge.partition("|")[0], LATE + charge.partition(mark)[2].partition(".")[0]) for charge in charges if mark in charge
    }


def _outcome(given: BillInput, late: LateInput, lines: Collection[tuple[str, str]]) -> str:
    """Return what became of the difference of a billed period, which need not come to an amount."""
    source = late_source(late.period, late.sequence)
    wanted = {(agreement, source) for agreement in late.usage}
    if not wanted.isdisjoint(lines):
        return BY_DIFFERENCE
    return NOTHING if wanted.isdisjoint(_late_among(edit.target for edit in given.edits)) else TAKEN_OFF


def _with_late(texts: Iterator[str]) -> Iterator[BillInput]:
    for text in texts:
        if '"late":[{' in text or '"code":"LATE' in text:
            yield manifest_from_text(text)
