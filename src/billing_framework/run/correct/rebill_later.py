"""Treats later documents that rest on carried state which a rebill has changed, without rebilling them."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import sqlalchemy as sa

from billing_framework.accounts.manual_charge import ManualCharge
from billing_framework.invoicing.draft import DraftDocument
from billing_framework.rating.state import CarriedState
from billing_framework.receivables.hold import Block
from billing_framework.run.correct.correction import Corrected
from billing_framework.run.correct.dependents import Dependent
from billing_framework.run.correct.rebill_one import Rebilling
from billing_framework.run.draft.bill import bill
from billing_framework.run.draft.bill_input import BillInput
from billing_framework.run.draft.bill_result import BillResult
from billing_framework.run.draft.stored_input import read_inputs, read_material
from billing_framework.storage.billing.documents import StoredDocument
from billing_framework.storage.billing.keys import replace_states, states_before
from billing_framework.storage.master.account_tables import account as account_table
from billing_framework.storage.master.account_tables import agreement as agreement_table
from billing_framework.storage.master.manual_rows import add_charge, next_charge_id
from billing_framework.storage.receivable.holds import StoredHold, find_hold, hold_id, insert_hold
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money

States = Mapping[str, Mapping[str, CarriedState]]

_WORDS = {"en": "Correction of {number}", "de": "Korrektur zu {number}"}


@attrs.frozen(kw_only=True)
class Chain:
    """Who hands the corrected state on.

    Attributes:
        number: number of the document that was rebilled.
        writer: key of the document that stands for the corrected states.
        rewound_by: key of the document that took the old ones back.
    """

    number: str
    writer: int
    rewound_by: int


def corrected_chain(stored: StoredDocument, corrected: Corrected) -> Chain:
    """Return who hands the state on after a document was issued anew."""
    return Chain(
        number=stored.number,
        writer=corrected.new_key or corrected.note_key,
        rewound_by=corrected.note_key or corrected.new_key,
    )


def hold_for_correction(work: Rebilling, one: Dependent, number: str) -> None:
    """Keep the account of a later document from being billed until an officer has decided what becomes of the document."""
    blocks = (Block.BILLING,)
    key = hold_id("account", one.account, f"correction {number}", work.on, blocks)
    text = f"{number} was rebilled; {one.number} rests on its carried state"
    table = account_table
    work.connection.execute(sa.select(table.c.id).where(table.c.code == one.account).with_for_update())
    if find_hold(work.connection, key) is not None:
        return
    insert_hold(
        work.connection,
        StoredHold(
            id=key,
            scope="account",
            scope_key=one.account,
            blocks=blocks,
            reason=f"correction {number}",
            text=text,
            amount=None,
            starts_on=min(work.on, one.period.end),
            until=None,
            placed_by=work.deployment.actor,
            placed_at=work.deployment.clock.now(),
            evidence={"rebilled": number, "rests on it": one.number, "states": [list(state) for state in one.states]},
        ),
    )


def adjust_next(work: Rebilling, one: Dependent, rested: States, chain: Chain) -> str:
    """Put what a later document would have billed more or less on the account's next bill, and hand the corrected state on.

    Both figures are computed from the document's own input; only the carried state differs. So a second correction adds only what
    it changes itself.

    Args:
        work: the rebill.
        one: the later document.
        rested: carried state that the document rested on until now.
        chain: who hands the corrected state on.

    Returns:
        What was done, in one sentence.
    """
    before = _billed_on(work, one, rested)
    present = states_before(work.connection, rested.keys() | {scope for scope, _ in one.states}, one.period.start)
    after = _billed_on(work, one, present)
    replace_states(
        work.connection,
        [state for state in after.state if (state.scope, state.name) in one.states],
        writer=chain.writer,
        rewound_by=chain.rewound_by,
    )
    differences = _differences(before, after)
    for key, money in differences.items():
        _enter(work, one, key, money, account=_served(work, one, key, before))
    total = Money.total(differences.values(), work_currency(before))
    return f"it stays; {total} without tax come on the next bill" if differences else "it stays: nothing differs"


def work_currency(result: BillResult) -> str:
    """Return the currency of a bill that has a draft."""
    return _draft(result).currency


def _draft(result: BillResult) -> DraftDocument:
    if result.draft is None:
        stopping = next((str(finding) for finding in result.findings if finding.stops), "it bills nothing any more")
        raise Refused("RUN21", f"a later document cannot be computed anew: {stopping}", remedy="Rebill with the policy hold")
    return result.draft


def _billed_on(work: Rebilling, one: Dependent, states: States) -> BillResult:
    stored = read_inputs(work.connection, one.key)
    material = read_material(work.connection, work.deployment.host, stored.inputs)
    for finding in (*stored.findings, *material.findings):
        raise Refused("RUN21", f"{one.number} cannot be computed anew: {finding}", remedy=finding.remedy)
    inputs = [_resting_on(given, states) for given in stored.inputs.values()]
    return next(result for result in bill(inputs, material.material, work.deployment.host) if result.account == one.account)


def _resting_on(given: BillInput, states: States) -> BillInput:
    return attrs.evolve(
        given,
        agreements=tuple(
            attrs.evolve(agreement, state=tuple(state for _, state in sorted(states[agreement.agreement.code].items())))
            if agreement.agreement.code in states
            else agreement
            for agreement in given.agreements
        ),
    )


_Kind = tuple[str, str, str]


def _differences(before: BillResult, after: BillResult) -> dict[_Kind, Money]:
    """Return by agreement, charge code and tax category what is billed more; nothing where it is the same."""
    currency = work_currency(before)
    sums: dict[_Kind, Money] = {}
    for line in _draft(after).lines:
        key = (line.agreement, line.charge_code, line.tax_category)
        sums[key] = sums.get(key, Money.zero(currency)) + line.net
    for line in _draft(before).lines:
        key = (line.agreement, line.charge_code, line.tax_category)
        sums[key] = sums.get(key, Money.zero(currency)) - line.net
    return {key: money for key, money in sorted(sums.items()) if money}


def _served(work: Rebilling, one: Dependent, kind: _Kind, before: BillResult) -> str:
    """Return the account on whose next bill a difference stands: where payers share, the one served, to be shared again."""
    agreement = kind[0]
    if not any(line.share for line in _draft(before).lines if line.agreement == agreement):
        return one.account
    query = sa.select(agreement_table.c.account).where(agreement_table.c.code == agreement)
    return str(work.connection.execute(query).scalar_one())


def _enter(work: Rebilling, one: Dependent, kind: _Kind, money: Money, *, account: str) -> None:
    agreement, code, category = kind
    table = account_table
    row = work.connection.execute(sa.select(table.c.locale).where(table.c.code == account).with_for_update()).one()
    words = _WORDS.get(row.locale.split("_")[0], _WORDS["en"])
    add_charge(
        work.connection,
        ManualCharge(
            id=next_charge_id(work.connection, account),
            account=account,
            agreement=agreement,
            code=code,
            text=words.format(number=one.number),
            amount=money.amount,
            tax_category=category,
            service=one.period,
            reason=work.reason,
            entered_at=work.deployment.clock.now(),
            entered_by=work.deployment.actor,
        ),
    )
