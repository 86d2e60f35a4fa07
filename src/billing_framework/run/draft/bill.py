"""The bill as a pure function: manifests in, drafts out. Rehearsal, final run, rebill, quote and explanation all call this."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import attrs

from billing_framework.accounts.agreement import Agreement
from billing_framework.accounts.identifier_range import merged, span_of_subject
from billing_framework.invoicing.cycle import due_date
from billing_framework.invoicing.digest import document_texts
from billing_framework.invoicing.draft import DraftDocument, TaxLine, draft_document, line_groups
from billing_framework.invoicing.edit import WAIVED, apply_edits
from billing_framework.invoicing.proof import currency_findings, size_findings
from billing_framework.plugin.host import Host
from billing_framework.rating.charge import Charge
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.payable import payable_lines
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate import RatedGroup, rate_group, rate_groups
from billing_framework.rating.state import CarriedState
from billing_framework.run.draft.alike import bill_alike
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, Material
from billing_framework.run.draft.bill_result import BillResult
from billing_framework.run.draft.late_rating import with_late
from billing_framework.run.draft.notes import notes_on
from billing_framework.run.draft.rated_input import billing_group, rated_input, with_deferred
from billing_framework.run.draft.sharing import Parted, part_charges
from billing_framework.storage.billing.account_briefs import OF_FINDING, OF_KIND
from billing_framework.storage.billing.billed_records import DeliveredRecords
from billing_framework.storage.billing.draft_rows import LineEvidence, StateRead
from billing_framework.taxing.exemption import TaxStatus
from billing_framework.taxing.tax import TaxableLine, TaxedDocument, tax_document
from billing_framework.values.call_watch import UNWATCHED, CallWatch
from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.finding import Finding

_MOST_VALUES = 20


def bill(
    inputs: Sequence[BillInput],
    material: Material,
    host: Host,
    *,
    by_reference: bool = False,
    watch: CallWatch = UNWATCHED,
) -> tuple[BillResult, ...]:
    """Return what each account is billed: rated, shared among payers, edited, taxed and drafted.

    Args:
        inputs: manifests of whole families: whoever pays for one of the accounts is among them.
        material: the records and plans that the manifests name.
        host: raters, charge models and other offers.
        by_reference: True where a proof is made: every group is rated by itself, by the reference implementations alone.
        watch: who is told of each call of a plugin, and ends those that take too long.
    """
    offers = attrs.evolve(rating_offers(host), watch=watch)

    def each(some: Sequence[BillInput]) -> tuple[BillResult, ...]:
        return _billed_each(some, material, host, offers, by_reference=by_reference)

    # What is noted on a document depends on the whole of it, names and all.
    return each(inputs) if by_reference or host.noting_plugins else bill_alike(inputs, material, host.charge_models, each)


def _billed_each(
    inputs: Sequence[BillInput], material: Material, host: Host, offers: RatingOffers, *, by_reference: bool
) -> tuple[BillResult, ...]:
    """Return what each account is billed, by the whole road."""
    bases = [rated_input(given, material) for given in inputs]
    groups = [basis.group for basis in bases]
    ratings = [rate_group(group, offers) for group in groups] if by_reference else rate_groups(groups, offers)
    rated = {basis.group.account.code: with_deferred(one, basis) for one, basis in zip(ratings, bases, strict=True)}
    rated = with_late(inputs, rated, material, offers)
    parted = {one.account.code: part_charges(one, rated[one.account.code], material.plans) for one in inputs}
    members: dict[str, list[BillInput]] = {}
    for given in inputs:
        for bearer in {given.payer, *parted[given.account.code].bearers}:
            members.setdefault(bearer, []).append(given)
    results = []
    for given in inputs:
        account = given.account.code
        own = members[account] if given.payer == account else []
        ordered = sorted(own, key=lambda one: (one.account.code != account, one.account.code))
        keeps = tuple([one.account.code for one in ordered if parted[one.account.code].keeper == account])
        base = BillResult(
            account=account,
            payer=given.payer,
            bearers=parted[account].bearers,
            document=given.document,
            members=tuple([one.account.code for one in ordered]),
            keeps=keeps,
            findings=parted[account].findings,
            control=_control(rated[account]),
            records=delivered_records(keeps, rated, material),
        )
        results.append(_billed_or_held(base, given, ordered, parted, material) if own else base)
    return _noted(results, host, offers.watch)


def rating_offers(host: Host) -> RatingOffers:
    """Return what the plugins of a deployment offer to rating."""
    owners = {**host.owners["billing_raters"], **host.owners["billing_charge_models"]}
    return RatingOffers(
        raters=tuple(host.raters.values()),
        models=host.charge_models,
        plugin_of=owners,
        settings={plugin.name: plugin.settings for plugin in host.plugins},
        divisible_kinds=frozenset(kind.name for kind in host.kinds.values() if kind.divisible),
        carried_kinds=frozenset(kind.name for kind in host.kinds.values() if kind.carried),
    )


def rate_input(given: BillInput, material: Material, offers: RatingOffers) -> RatedGroup:
    """Return the exact charges of one manifest."""
    return rate_group(billing_group(given, material), offers)


def delivered_records(
    accounts: Iterable[str], rated: Mapping[str, RatedGroup], material: Material
) -> tuple[DeliveredRecords, ...]:
    """Return which carried records of some accounts are billed, and which wait; accounts without any are left out."""
    return tuple(
        DeliveredRecords(
            account=account,
            billed=rated[account].billed,
            claims=material.claims(rated[account].billed),
            deferred=rated[account].deferred,
        )
        for account in accounts
        if rated[account].billed or rated[account].deferred
    )


def _control(rated: RatedGroup) -> dict[str, int]:
    control = rated.control
    totals = {"records": control.records, "priced": control.priced}
    totals.update({f"not priced: {reason}": count for reason, count in control.unpriced.items()})
    # What is left for a later bill waits for this one where the whole account is held.
    fate = "waiting" if rated.held else "deferred"
    totals.update({f"{fate}: {reason}": count for reason, count in control.deferred.items()})
    totals.update({f"{OF_KIND}{kind}": count for kind, count in control.by_kind.items()})
    totals.update({f"{OF_FINDING}{name}": count for name, count in _let_pass(rated.findings).items()})
    return totals | ({"held": control.lost} if control.lost else {})


def _let_pass(findings: Sequence[Finding]) -> dict[str, int]:
    """Return how many findings hold nobody, by code and value; by code alone where an account has very many values of it."""
    passed = [finding for finding in findings if not finding.stops]
    values = {code: Counter([one.value for one in passed if one.code == code]) for code in {one.code for one in passed}}
    return {
        f"{code} {value}".rstrip(): count
        for code, found in values.items()
        for value, count in (found.items() if len(found) <= _MOST_VALUES else (("", found.total()),))
    }


def _billed_or_held(
    base: BillResult,
    given: BillInput,
    members: Sequence[BillInput],
    parted: Mapping[str, Parted],
    material: Material,
) -> BillResult:
    """Return the draft of an account, or why it is held: data of one account that cannot be billed must not stop the others."""
    try:
        return _billed(base, given, members, parted, material)
    except (UnitMismatch, ValueRefused) as error:
        told = Finding(code=error.code, what=error.what, remedy=error.remedy, subject=given.account.code)
        return attrs.evolve(base, findings=(told,))


def _billed(
    base: BillResult,
    given: BillInput,
    members: Sequence[BillInput],
    parted: Mapping[str, Parted],
    material: Material,
) -> BillResult:
    """Return the draft of an account that pays itself, with all charges or parts of charges that it bears."""
    account = given.account
    findings = [finding for one in members for finding in parted[one.account.code].findings]
    if any(finding.stops for finding in findings):
        return attrs.evolve(base, findings=tuple(findings))
    charges = [charge for one in members for charge in parted[one.account.code].of(account.code)]
    edited = apply_edits(charges, given.edits)
    findings += [*edited.findings, *currency_findings(account, edited.charges)]
    if not edited.charges or any(finding.code == "INVOICE02" for finding in findings):
        return attrs.evolve(base, originals=edited.originals, findings=tuple(findings))
    draft = _drafted(given, members, edited.charges, material.plans, findings)
    if too_large := size_findings(draft):
        return attrs.evolve(base, originals=edited.originals, findings=(*draft.findings, *too_large))
    state = tuple([state for kept in base.keeps for state in parted[kept].state])
    return attrs.evolve(
        base,
        originals=edited.originals,
        draft=draft,
        findings=draft.findings,
        charges=edited.charges,
        evidence=tuple(
            LineEvidence(records=charge.records, state_read=charge.state_read, steps=charge.steps) for charge in edited.charges
        ),
        state=state,
        state_read=_state_read(members, edited.charges, state),
    )


def _drafted(
    given: BillInput,
    members: Sequence[BillInput],
    charges: Sequence[Charge],
    plans: Mapping[str, PlanVersion],
    findings: Sequence[Finding],
) -> DraftDocument:
    """Return the draft of charges, with the findings so far and those of taxing."""
    account = given.account
    amounts = payable_lines(charges, plans)
    keys = [charge.natural_key for charge in charges]
    lines = [
        TaxableLine(
            key=key,
            amount=amount,
            category=charge.tax_category,
            charge_code=charge.code,
            # A charge in advance is taxed when it is billed, any other when its service was complete.
            tax_point=min(charge.service.last, given.issue_on),
            opposes=key.removesuffix(WAIVED) if key.endswith(WAIVED) else "",
        )
        for key, charge, amount in zip(keys, charges, amounts, strict=True)
    ]
    status = _tax_status(given)
    taxed = tax_document(lines, given.tax_rates, status, currency=account.currency, locale=account.locale)
    titles = {one.agreement.code: _title(one.agreement, one) for member in members for one in member.agreements}
    return draft_document(
        key=given.document,
        account=account,
        period=given.period,
        issue_on=given.issue_on,
        due_on=due_date(given.issue_on, account.due_days),
        charges=charges,
        nets=[line.net for line in taxed.lines],
        line_taxes=[line.taxes for line in taxed.lines],
        taxes=_tax_lines(taxed),
        groups=line_groups(titles, charges),
        findings=[*findings, *taxed.findings],
    )


def _title(agreement: Agreement, given: AgreementInput) -> str:
    """Return the heading of an agreement's lines: its code, and its identifiers with the titles that were assigned to them."""
    assigned = [assignment for assignment in given.assignments if not assignment.within]
    named: list[str] = []
    for subject in merged(one.subject for one in assigned):
        span = span_of_subject(subject)
        titles = (one.details.get("title", "") for one in assigned if span.meets(span_of_subject(one.subject)))
        named += [subject, *titles]
    return " · ".join([agreement.code, *(part for part in dict.fromkeys(named) if part)])


def _tax_status(given: BillInput) -> TaxStatus:
    account = given.account
    return TaxStatus(
        account=account.code,
        jurisdiction=account.tax_jurisdiction,
        status=account.tax_status,
        exemption=account.exemption,
        seller_tax_id="on file" if given.seller_has_tax_id else "",
        buyer_tax_id="on file" if given.buyer_has_tax_id else "",
    )


def _tax_lines(taxed: TaxedDocument) -> tuple[TaxLine, ...]:
    return tuple(
        TaxLine(
            code=group.rate.code,
            title=group.title,
            jurisdiction=group.rate.jurisdiction,
            category=group.category,
            rate=group.rate.rate,
            taxable=group.taxable,
            tax=group.tax,
            exemption=group.rate.exemption,
        )
        for group in taxed.groups
    )


def _state_read(
    members: Sequence[BillInput], charges: Sequence[Charge], written: Sequence[CarriedState]
) -> tuple[StateRead, ...]:
    """Return what the draft depends on: the state that its charges name, and that which it carries on."""
    named = {(charge.agreement, name) for charge in charges for name in charge.state_read}
    named |= {(state.scope, state.name) for state in written}
    before = {
        (state.scope, state.name): int(state.written_by or 0)
        for member in members
        for one in member.agreements
        for state in one.state
    }
    return tuple(StateRead(scope=scope, name=name, written_by=before.get((scope, name), 0)) for scope, name in sorted(named))


def _noted(results: Sequence[BillResult], host: Host, watch: CallWatch) -> tuple[BillResult, ...]:
    """Add the notes of the plugins and fix the digests; a draft that a plugin fails at is not made."""
    noted = notes_on([result.draft for result in results if result.draft is not None], host, watch)
    finished = []
    for result in results:
        draft = result.draft
        if draft is not None and draft.key in noted.failed:
            result = attrs.evolve(result, draft=None, findings=(*result.findings, noted.failed[draft.key]))  # noqa: PLW2901
        elif draft is not None:
            added = noted.notes.get(draft.key, ())
            draft = attrs.evolve(draft, notes=(*draft.notes, *added)) if added else draft
            texts = noted.texts.get(draft.key) if not added else None
            result = attrs.evolve(result, draft=draft, texts=texts or document_texts(draft))  # noqa: PLW2901
        finished.append(result)
    return tuple(finished)
