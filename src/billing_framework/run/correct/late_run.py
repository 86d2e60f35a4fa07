"""The rebill of all late usage that waits for one in a run, and what it would change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import attrs
from sqlalchemy.engine import Connection

from billing_framework.invoicing.rebill import Comparison
from billing_framework.run.correct.correction import issue_date
from billing_framework.run.correct.late_items import MOVED_STATE, WAITING, late_items
from billing_framework.run.correct.rebill import RebillReport, rebill_document
from billing_framework.run.correct.rebill_one import Rebilling, billed_anew
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.late_policy import TO_REBILL
from billing_framework.run.draft.load_input import open_desk
from billing_framework.run.reason import PRINTED, needs_reason
from billing_framework.run.versions import computing_versions
from billing_framework.storage.billing.documents import find_document, replaced_by
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.errors import Refused
from billing_framework.values.finding import Finding


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
        waiting = _by_period(connection, [one.document for one in late_items(connection, run) if one.code in WAITING])
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
        InputRefused: ``RUN14`` without a reason.
        NotFound: there is no such run.
    """
    needs_reason(reason, "rebilling", code="RUN14", kept=PRINTED)
    with deployment.database.read() as connection:
        run = meant_run(connection, code, or_last=False)
        codes = WAITING if held else (MOVED_STATE, TO_REBILL)
        waiting = _by_period(connection, [one.document for one in late_items(connection, run) if one.code in codes])
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
