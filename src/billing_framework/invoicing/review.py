"""Review: checks hold drafts that look wrong, with the evidence that an officer needs to decide."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import attrs

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.values.call_watch import UNWATCHED, CallWatch
from billing_framework.values.errors import ContractBroken
from billing_framework.values.finding import Finding, is_sound_finding
from billing_framework.values.foreign_code import MEND, refusal_of, told
from billing_framework.values.kept import Kept
from billing_framework.values.money import Money
from billing_framework.values.number import exact_text
from billing_framework.values.quantity import Quantity


@attrs.frozen(kw_only=True)
class BilledQuantity:
    """How much of one thing a document billed to an agreement.

    Attributes:
        agreement: code of the agreement.
        component: code of the plan component.
        quantity: sum over the lines that rest on usage records.
    """

    agreement: str
    component: str
    quantity: Quantity


@attrs.frozen(kw_only=True)
class PastDocument:
    """An earlier invoice of the account, as far as checks compare with it.

    Attributes:
        issued_on: its date.
        days: length of its billing period.
        gross: its total with tax.
        quantities: what it billed.
        ends_on: the date after the last of its billing period, None where it is not known.
    """

    issued_on: date
    days: int
    gross: Money
    quantities: tuple[BilledQuantity, ...] = ()
    ends_on: date | None = None


@attrs.frozen(kw_only=True)
class ReviewBounds:
    """The deployment's bounds.

    Attributes:
        largest: currency to the largest total that passes without a look; a currency that is not named has no bound.
        factor: how many times a total may be above or below the median of the account's own history; 0 switches it off.
        least_history: number of past documents below which the history proves nothing.
        least_difference: currency to the difference from the median that is too small to look at.
        estimated_share: part of the net total that may rest on estimates; 1 allows all.
        zero_total: whether a total of zero is held.
        zero_usage: whether an agreement whose usage is zero is held.
        missing_usage: whether an agreement that had usage on its last document and has none now is held.
    """

    largest: Mapping[str, Money] = attrs.field(factory=dict)
    factor: Fraction = Fraction(3)
    least_history: int = 3
    least_difference: Mapping[str, Money] = attrs.field(factory=dict)
    estimated_share: Fraction = Fraction(1)
    zero_total: bool = True
    zero_usage: bool = True
    missing_usage: bool = True


@attrs.frozen(kw_only=True)
class Reviewed:
    """A draft and what its account was billed before, newest first."""

    document: DraftDocument
    history: tuple[PastDocument, ...] = ()


@attrs.frozen(kw_only=True)
class ReviewBatch:
    """What a check is given: the drafts of a shard, in order of account, and the bounds.

    Attributes:
        documents: the drafts with their history.
        bounds: the deployment's bounds.
        settings: structured settings of the check's own plugin (an instance of its settings class), None where it has none.
    """

    documents: tuple[Reviewed, ...]
    bounds: ReviewBounds = ReviewBounds()
    settings: Any = None


@attrs.frozen(kw_only=True)
class ReviewCheck:
    """A check of drafts; the core has some, plugins offer more.

    Attributes:
        name: unique in the deployment; a plugin's checks carry its prefix: ``utility_metering.high_low``.
        title: one line for people.
        check: pure function from a batch to findings; each names the account code as its `Finding.subject`.
    """

    name: str
    title: str
    check: Callable[[ReviewBatch], Iterable[Finding]]


@attrs.frozen(kw_only=True)
class HoldReason:
    """Why a draft waits for an officer.

    Attributes:
        check: name of the check.
        document: key of the draft.
        account: code of the account.
        finding: what is wrong and what to do.
        evidence: label to value, the same sheet for every hold: totals, history, usage, estimates.
    """

    check: str
    document: int
    account: str
    finding: Finding
    evidence: Mapping[str, str]


def review(
    batch: ReviewBatch,
    checks: Sequence[ReviewCheck],
    settings: Mapping[str, Any] | None = None,
    *,
    plugin_of: Mapping[str, str] | None = None,
    watch: CallWatch = UNWATCHED,
) -> list[HoldReason]:
    """Return a hold for every finding of every check that stops, in order of the drafts and then of the checks.

    A check that fails, or speaks about an account that is not in the batch, is asked again draft by draft: only the drafts at
    which it fails are held, with a finding that names it and its plugin.

    Args:
        batch: the drafts.
        checks: the checks.
        settings: name of a check to the settings of its plugin.
        plugin_of: name of a check to the name of its plugin; those of the core may be left out.
        watch: who is told of each call.
    """
    places = {reviewed.document.account: place for place, reviewed in enumerate(batch.documents)}
    holds: list[tuple[int, HoldReason]] = []
    for check in checks:
        given = attrs.evolve(batch, settings=(settings or {}).get(check.name))
        for finding in _found(check, given, (plugin_of or {}).get(check.name, "core"), watch):
            if finding.stops:
                place = places[finding.subject]
                holds.append((place, _hold(check, batch.documents[place], finding)))
    return [hold for _, hold in sorted(holds, key=lambda pair: pair[0])]


def _found(check: ReviewCheck, batch: ReviewBatch, plugin: str, watch: CallWatch) -> list[Finding]:
    """Return what a check finds, or that it fails; no draft suffers for what it does at another."""
    try:
        return watch.call(plugin, f"review check {check.name}", lambda: _asked(check, batch))
    except BaseException as error:  # noqa: BLE001  whatever a plugin raises must not stop the run
        if len(batch.documents) > 1:
            alone = [attrs.evolve(batch, documents=(one,)) for one in batch.documents]
            return [finding for one in alone for finding in _found(check, one, plugin, watch)]
        return [_failed(check, plugin, error, one.document.account) for one in batch.documents]


def _asked(check: ReviewCheck, batch: ReviewBatch) -> list[Finding]:
    accounts = {reviewed.document.account for reviewed in batch.documents}
    kept = Kept.of(batch.settings)
    try:
        answered: Iterable[object] = list(check.check(batch))
    finally:
        is_changed = kept.put_back()
    if is_changed:
        raise ContractBroken("PLUGIN08", "it changed its settings")
    findings = []
    for one in answered:
        if not is_sound_finding(one):
            told = (
                "Finding with fields of wrong types" if isinstance(one, Finding) else f"{type(one).__name__} instead of a Finding"
            )
            raise ContractBroken("PLUGIN04", f"it returned a {told}")
        if one.subject not in accounts:
            raise ContractBroken("INVOICE06", f"it speaks about the account {one.subject!r}, which is not in its batch")
        findings.append(one)
    return findings


def _failed(check: ReviewCheck, plugin: str, error: BaseException, account: str) -> Finding:
    refused = refusal_of(error)
    return Finding(
        code=refused.code if refused else "PLUGIN05",
        what=f"the review check {check.name} of plugin {plugin} failed: {refused.what if refused else told(error)}",
        remedy=f"Look at the draft. {refused.mend if refused else MEND}",
        subject=account,
    )


def _hold(check: ReviewCheck, reviewed: Reviewed, finding: Finding) -> HoldReason:
    document = reviewed.document
    return HoldReason(
        check=check.name,
        document=document.key,
        account=document.account,
        finding=finding,
        evidence=evidence(reviewed),
    )


def evidence(reviewed: Reviewed) -> dict[str, str]:
    """Return the facts about a draft that an officer wants to see first."""
    document, history = reviewed.document, reviewed.history
    middle = median_gross(history)
    return {
        "period": str(document.period),
        "total": str(document.totals.gross),
        "lines": str(len(document.lines)),
        "estimated lines": str(sum(line.estimated for line in document.lines)),
        "usage records": str(sum(line.records for line in document.lines)),
        "usage": "; ".join(f"{item.agreement} {item.component} {item.quantity}" for item in billed_quantities(document)),
        "past documents": str(len(history)),
        "median total": "" if middle is None else f"{exact_text(middle)} {document.currency}",
        "last total": str(history[0].gross) if history else "",
    }


def billed_quantities(document: DraftDocument) -> tuple[BilledQuantity, ...]:
    """Return the quantities that a document bills from usage records, per agreement, component and unit, in printing order."""
    sums: dict[tuple[str, str, str], Fraction] = {}
    for line in document.lines:
        if line.records and line.quantity is not None:
            key = (line.agreement, line.component, line.quantity.unit)
            sums[key] = sums[key] + line.quantity.value if key in sums else line.quantity.value
    return tuple(
        BilledQuantity(agreement=agreement, component=component, quantity=Quantity(value, unit))
        for (agreement, component, unit), value in sums.items()
    )


def past_document(document: DraftDocument) -> PastDocument:
    """Return what later reviews compare with."""
    return PastDocument(
        issued_on=document.issue_on,
        days=document.period.days,
        gross=document.totals.gross,
        quantities=billed_quantities(document),
        ends_on=document.period.end,
    )


def median(values: Sequence[Fraction]) -> Fraction | None:
    """Return the exact median, the middle of the two middle values of an even number; None for no values."""
    if not values:
        return None
    ordered = sorted(values)
    upper = len(ordered) // 2
    return ordered[upper] if len(ordered) % 2 else (ordered[upper - 1] + ordered[upper]) / 2


def median_gross(history: Sequence[PastDocument]) -> Fraction | None:
    """Return the median total of past documents in major units, None without any."""
    return median([past.gross.major for past in history])
