"""The core's review checks: bounds that hold for any industry."""

from __future__ import annotations

from collections.abc import Iterator

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.review import ReviewBatch, ReviewCheck, billed_quantities, median_gross
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money
from billing_framework.values.number import exact_text

_LOOK = "Look at the lines; release the hold, edit the draft, or correct its usage or agreement and run again"


def core_checks() -> tuple[ReviewCheck, ...]:
    """Return the checks that every run makes, in the order in which their holds are shown."""
    return (
        ReviewCheck(name="largest_total", title="The total is above the largest that passes unseen", check=_largest_total),
        ReviewCheck(name="own_history", title="The total is far from the account's own history", check=_own_history),
        ReviewCheck(name="negative_total", title="The total is negative", check=_negative_total),
        ReviewCheck(name="zero_total", title="The total is zero", check=_zero_total),
        ReviewCheck(name="zero_usage", title="All usage of an agreement is zero", check=_zero_usage),
        ReviewCheck(name="missing_usage", title="An agreement that always had usage has none", check=_missing_usage),
        ReviewCheck(name="estimated_share", title="Too much of the total rests on estimates", check=_estimated_share),
    )


def _held(document: DraftDocument, code: str, what: str, *, field: str = "", remedy: str = _LOOK) -> Finding:
    return Finding(code=code, what=what, remedy=remedy, field=field, subject=document.account)


def _largest_total(batch: ReviewBatch) -> Iterator[Finding]:
    for reviewed in batch.documents:
        document = reviewed.document
        bound, gross = batch.bounds.largest.get(document.currency), document.totals.gross
        if bound is not None and max(gross, -gross) > bound:
            yield _held(document, "REVIEW01", f"the total {gross} is above the bound of {bound}", field="total")


def _own_history(batch: ReviewBatch) -> Iterator[Finding]:
    bounds = batch.bounds
    for reviewed in batch.documents:
        document = reviewed.document
        past = [item for item in reviewed.history if item.gross.currency == document.currency]
        middle = median_gross(past)
        if not bounds.factor or middle is None or len(past) < bounds.least_history or middle <= 0:
            continue
        total = document.totals.gross.major
        small = bounds.least_difference.get(document.currency, Money.zero(document.currency)).major
        if abs(total - middle) <= small or middle / bounds.factor <= total <= middle * bounds.factor:
            continue
        yield _held(
            document,
            "REVIEW02",
            f"the total {document.totals.gross} is more than {exact_text(bounds.factor)} times away from the median"
            f" {exact_text(middle)} {document.currency} of {len(past)} documents",
            field="total",
        )


def _negative_total(batch: ReviewBatch) -> Iterator[Finding]:
    for reviewed in batch.documents:
        document = reviewed.document
        if document.totals.gross.minor < 0:
            yield _held(document, "REVIEW03", f"the total is negative: {document.totals.gross}", field="total")


def _zero_total(batch: ReviewBatch) -> Iterator[Finding]:
    for reviewed in batch.documents:
        document = reviewed.document
        if batch.bounds.zero_total and document.totals.gross.minor == 0:
            yield _held(document, "REVIEW04", f"the total of {len(document.lines)} lines is zero", field="total")


def _zero_usage(batch: ReviewBatch) -> Iterator[Finding]:
    if not batch.bounds.zero_usage:
        return
    for reviewed in batch.documents:
        used: dict[str, bool] = {}
        for item in billed_quantities(reviewed.document):
            used[item.agreement] = used.get(item.agreement, False) or item.quantity.value != 0
        # A part of a shared charge tells no quantity of its own; where it comes to something, something was used.
        used |= {line.agreement: True for line in reviewed.document.lines if line.records and line.quantity is None and line.net}
        for agreement, some in used.items():
            if not some:
                yield _held(reviewed.document, "REVIEW05", f"all usage of the agreement {agreement} is zero", field=agreement)


def _missing_usage(batch: ReviewBatch) -> Iterator[Finding]:
    if not batch.bounds.missing_usage:
        return
    for reviewed in batch.documents:
        if not reviewed.history:
            continue
        now = {line.agreement for line in reviewed.document.lines if line.records}
        billed = {line.agreement for line in reviewed.document.lines}
        before = dict.fromkeys(item.agreement for item in reviewed.history[0].quantities)
        for agreement in before:
            if agreement in billed and agreement not in now:
                yield _held(
                    reviewed.document,
                    "REVIEW06",
                    f"the agreement {agreement} had usage on the last document and has none now",
                    field=agreement,
                    remedy="Take in the missing usage and run again, or release the hold",
                )


def _estimated_share(batch: ReviewBatch) -> Iterator[Finding]:
    for reviewed in batch.documents:
        document = reviewed.document
        whole = sum(abs(line.net.minor) for line in document.lines)
        estimated = sum(abs(line.net.minor) for line in document.lines if line.estimated)
        if estimated > batch.bounds.estimated_share * whole:
            yield _held(
                document,
                "REVIEW07",
                f"{Money(estimated, document.currency)} of {Money(whole, document.currency)} rest on estimates",
                field="estimated",
                remedy="Obtain actual readings and run again, or release the hold",
            )
