"""Late usage of a run: what its drafts bill by the difference, what waits for a rebill, and the rebill of all of it at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.rebill import Comparison
from billing_framework.run.correct.correction import issue_date
from billing_framework.run.correct.rebill import RebillReport, rebill_document
from billing_framework.run.correct.rebill_one import Rebilling, billed_anew
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.run.draft.late_policy import HELD, TO_REBILL
from billing_framework.run.draft.load_input import open_desk
from billing_framework.run.draft.manifest import manifest_from_text
from billing_framework.run.versions import computing_versions
from billing_framework.storage.billing.account_briefs import account_briefs, with_evidence
from billing_framework.storage.billing.documents import find_document, load_inputs, replaced_by
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding

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


@attrs.frozen(kw_only=True)
class LateRebill:
    """What rebilling the late usage of a run did.

    Attributes:
        run: code of the run.
        rebilled: what became of each document, by period.
        findings: documents that could not be rebilled, and why.
    """

    run: str
    rebilled: tuple[RebillReport, ...] = ()
    findings: tuple[Finding, ...] = ()


def late_of_run(deployment: Deployment, code: str = "") -> tuple[LateItem, ...]:
    """Return the late usage that the accounts of a run were drafted with, by account and document.

    Args:
        deployment: the open deployment.
        code: code of the run; the one that is meant where empty.

    Raises:
        NotFound: there is no such run.
    """
    with deployment.database.read() as connection:
        return _items(connection, meant_run(connection, code))


@attrs.frozen(kw_only=True)
class LateComparison:
    """What a rebill would change of one document that waits for it.

    Attributes:
        document: its number.
        comparison: what a new computation changes, line by line; None where the document would fall away.
        unchanged: True where a rebill would say the same again.
    """

    document: str
    comparison: Comparison | None = None
    unchanged: bool = False


def compare_late(deployment: Deployment, code: str = "") -> tuple[LateComparison, ...]:
    """Return what `rebill_late` would change of each document that waits for it in a run; changes nothing.

    Args:
        deployment: the open deployment.
        code: code of the run; the one that is meant where empty.

    Raises:
        NotFound: there is no such run.
        Refused: ``RUN21`` where the data of a document hold it.
    """
    found = []
    with deployment.database.read() as connection:
        run = meant_run(connection, code)
        waiting = _by_period(connection, [one.document for one in _items(connection, run) if one.code in WAITING])
        book = load_book(connection, run.book).profile
        desk = open_desk(deployment, connection, run.book, versions=computing_versions(deployment))
        for number in waiting:
            stored = find_document(connection, number)
            if replaced_by(connection, stored.key):
                continue
            work = Rebilling(
                deployment=deployment,
                connection=connection,
                desk=desk,
                book=book,
                on=issue_date(deployment, book, None),
                reason="",
                known="now",
            )
            first = billed_anew(work, stored).documents[0]
            found.append(LateComparison(document=number, comparison=first.comparison, unchanged=first.unchanged))
    return tuple(found)


def _items(connection: Connection, run: Run) -> tuple[LateItem, ...]:
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


def rebill_late(
    deployment: Deployment, code: str = "", *, reason: str, as_of: date | None = None, held: bool = False
) -> LateRebill:
    """Rebill all documents of a run's accounts whose plans say so for late usage, each in a transaction of its own.

    A document that was rebilled meanwhile, with another one or by somebody else, is passed over; so the act may be repeated.

    Args:
        deployment: the deployment; its actor rebills.
        code: code of the run; the one that is meant where empty.
        reason: why; printed on the credit notes.
        as_of: date of the new documents; today in the book's zone where None.
        held: True to rebill those, too, of which the plan leaves the decision to an officer.

    Raises:
        NotFound: there is no such run.
    """
    with deployment.database.read() as connection:
        run = meant_run(connection, code, or_last=False)
        codes = WAITING if held else (MOVED_STATE, TO_REBILL)
        waiting = _by_period(connection, [one.document for one in _items(connection, run) if one.code in codes])
    rebilled, findings = [], []
    for number in waiting:
        try:
            if not _replaced(deployment, number):
                rebilled.append(rebill_document(deployment, number, reason=reason, as_of=as_of))
        except Refused as refused:
            findings.append(Finding(code=refused.code, what=refused.what, remedy=refused.remedy, subject=number))
    return LateRebill(run=run.code, rebilled=tuple(rebilled), findings=tuple(findings))


def _by_period(connection: Connection, numbers: Sequence[str]) -> list[str]:
    stored = [find_document(connection, number) for number in sorted(set(numbers))]
    return [one.number for one in sorted(stored, key=lambda one: (one.content.period, one.number))]


def _replaced(deployment: Deployment, number: str) -> bool:
    with deployment.database.read() as connection:
        return bool(replaced_by(connection, find_document(connection, number).key))
