"""Prices late usage: rates a billed period as it was billed and as it is known now, and adds the difference to the bill."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from billing_framework.invoicing.record_edit import RECORD_FIELDS, record_key
from billing_framework.rating.charge import Charge
from billing_framework.rating.late import LateCorrection, late_charges
from billing_framework.rating.offers import RatingOffers
from billing_framework.rating.rate import RatedGroup, rate_group
from billing_framework.rating.state import CarriedState
from billing_framework.run.draft.bill_input import AgreementInput, BillInput, LateInput, Material
from billing_framework.run.draft.rated_input import rated_input
from billing_framework.values.finding import Finding


def with_late(
    inputs: Sequence[BillInput], rated: Mapping[str, RatedGroup], material: Material, offers: RatingOffers
) -> dict[str, RatedGroup]:
    """Return what rating came to with the charges for late usage of billed periods, and what is wrong with these.

    Args:
        inputs: manifests of the accounts.
        rated: what rating their periods came to, by account.
        material: the records and plans that the manifests name, those of the billed periods among them.
        offers: raters, charge models and settings of the deployment; late usage is rare, so the reference rates it.
    """
    after = dict(rated)
    for given in inputs:
        for late in given.late:
            before = _rated(given, late, late.before, material, offers)
            now = _rated(given, late, late.now, material, offers)
            found, charges = _difference(given, late, before, now, material)
            rated_so_far = after[given.account.code]
            after[given.account.code] = attrs.evolve(
                rated_so_far, charges=(*rated_so_far.charges, *charges), findings=(*rated_so_far.findings, *found)
            )
    return after


def _rated(
    given: BillInput, late: LateInput, side: tuple[AgreementInput, ...], material: Material, offers: RatingOffers
) -> RatedGroup:
    """Rate one side: the billed period with its own account, holidays and edits of records that it still has."""
    there = {ref.key for one in side for ref in one.usage}
    edits = tuple(edit for edit in late.edits if edit.field in RECORD_FIELDS and record_key(edit) in there)
    then = attrs.evolve(
        given, account=late.account, period=late.period, agreements=side, holidays=late.holidays, edits=edits, late=(), charges=()
    )
    basis = rated_input(then, material)
    rated = rate_group(basis.group, offers)
    return attrs.evolve(rated, findings=(*basis.findings, *rated.findings)) if basis.findings else rated


def _difference(
    given: BillInput, late: LateInput, before: RatedGroup, now: RatedGroup, material: Material
) -> tuple[tuple[Finding, ...], tuple[Charge, ...]]:
    """Return what stands against billing the difference of a period, else the charges that it comes to."""
    stopping = [finding for finding in (*before.findings, *now.findings) if finding.stops]
    if stopping:
        return tuple(attrs.evolve(one, what=f"late usage of {late.period}: {one.what}") for one in stopping), ()
    if moved := _moved_states(late, before.state, now.state):
        finding = Finding(
            code="LATE01",
            what=f"late usage of {late.period} changes the carried state {', '.join(moved)}, on which the periods since rest",
            remedy=f"Bill it anew: billing invoice rebill {late.document}; then start the run again",
            subject=given.account.code,
            value=late.document,
        )
        return (finding,), ()
    correction = LateCorrection(
        period=late.period, sequence=late.sequence, agreements=frozenset(late.usage), locale=given.account.locale
    )
    return (), late_charges(correction, before.charges, now.charges, material.plans)


def _moved_states(late: LateInput, before: Sequence[CarriedState], now: Sequence[CarriedState]) -> list[str]:
    """Return the names of the states that the agreements would hand on otherwise."""
    old = {(one.scope, one.name): dict(one.values) for one in before if one.scope in late.usage}
    new = {(one.scope, one.name): dict(one.values) for one in now if one.scope in late.usage}
    return sorted({key[1] for key in old.keys() | new.keys() if old.get(key) != new.get(key)})
