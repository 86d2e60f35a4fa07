"""Edits of a draft: append-only inputs, so that a draft stays a pure function of its manifest and its edits."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime

import attrs

from billing_framework.rating.charge import Charge, Origin, Step
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Amount, Money, minor_digits

WAIVED = "~waived"
"""End of the natural key of the opposite line of a waiver: the source of the charge that is waived, and this."""


class EditField(enum.Enum):
    """What an edit changes.

    ``CHARGE`` adds a charge; ``LINE`` drops one, which is then not on the document; ``WAIVER`` keeps it and adds its exact
    opposite, so that the customer sees what was waived; ``DESCRIPTION`` and ``AMOUNT`` change a charge. ``RECORD`` changes a
    field of a usage record before it is rated, ``DEFER`` leaves a carried record for a later bill.
    """

    CHARGE = "charge"
    LINE = "line"
    WAIVER = "waiver"
    DESCRIPTION = "description"
    AMOUNT = "amount"
    RECORD = "record"
    DEFER = "defer"


@attrs.frozen(kw_only=True)
class Edit:
    """One decision of an officer about one charge of a draft.

    Attributes:
        target: natural key of the charge.
        field: what is changed.
        before: the value that the officer saw: the description, else the exact amount such as ``12.5 USD``; empty for a new
            charge. Where it is another one when the draft is made again, the edit is not applied but reported.
        after: the new value: a description or an exact amount; empty for `EditField.LINE` and `EditField.WAIVER`.
        name: field of the body that `EditField.RECORD` changes, else empty.
        about: what people called the target when it was edited: the record's id at its source, or the number of the line.
        cut: the write-down that this edit is a part of, as it was given, such as ``10%``; empty for any other edit.
        position: its number among the edits of the account, by which it is taken back; 0 for one that is not stored yet.
        charge: the new charge of `EditField.CHARGE`, else None.
        text: description of the opposite line of a waiver, in the account's language.
        reason: why.
        actor: who.
        at: when.
    """

    target: str
    field: EditField
    before: str = ""
    after: str = ""
    name: str = ""
    about: str = ""
    cut: str = ""
    position: int = 0
    charge: Charge | None = None
    text: str = ""
    reason: str
    actor: str
    at: datetime


@attrs.frozen(kw_only=True)
class Edited:
    """The charges after all edits.

    Attributes:
        charges: what is billed, in order; changed and added ones have an edited or manual origin.
        originals: the charges that were changed, dropped or waived, as they were rated; they stay visible beside the draft.
        findings: edits that could not be applied.
    """

    charges: tuple[Charge, ...]
    originals: tuple[Charge, ...] = ()
    findings: tuple[Finding, ...] = ()


def edit_name(edit: Edit) -> str:
    """Return an edit's name in messages: its number where it has one."""
    return f"edit {edit.position}" if edit.position else "the edit"


def taking_back(edit: Edit) -> str:
    """Return how an edit is taken back, as the remedy of a finding about it says; a write-down is taken back as a whole."""
    if edit.cut:
        return "Take the write-down back: billing run edit RUN ACCOUNT --withdraw-write-down; then write down anew"
    if not edit.position:
        return "Take it back, look again and edit anew"
    return f"Take it back: billing run edit RUN ACCOUNT --withdraw {edit.position}; then look again and edit anew"


def add_charge(charge: Charge, *, reason: str, actor: str, at: datetime) -> Edit:
    """Return the edit that adds a charge."""
    return Edit(
        target=charge.natural_key,
        field=EditField.CHARGE,
        after=str(charge.amount),
        charge=attrs.evolve(charge, origin=Origin.MANUAL),
        reason=reason,
        actor=actor,
        at=at,
    )


def drop_line(charge: Charge, *, reason: str, actor: str, at: datetime) -> Edit:
    """Return the edit that takes a charge off the document."""
    return _of(charge, EditField.LINE, "", reason=reason, actor=actor, at=at)


def waive_line(charge: Charge, *, text: str, reason: str, actor: str, at: datetime) -> Edit:
    """Return the edit that keeps a charge and adds its opposite with the description `text`."""
    return attrs.evolve(_of(charge, EditField.WAIVER, "", reason=reason, actor=actor, at=at), text=text)


def change_description(charge: Charge, text: str, *, reason: str, actor: str, at: datetime) -> Edit:
    """Return the edit that prints another description."""
    return _of(charge, EditField.DESCRIPTION, text, reason=reason, actor=actor, at=at)


def change_amount(charge: Charge, amount: Amount, *, reason: str, actor: str, at: datetime) -> Edit:
    """Return the edit that bills another amount."""
    return _of(charge, EditField.AMOUNT, str(amount), reason=reason, actor=actor, at=at)


def _of(charge: Charge, field: EditField, after: str, *, reason: str, actor: str, at: datetime) -> Edit:
    return Edit(
        target=charge.natural_key, field=field, before=_current(charge, field), after=after, reason=reason, actor=actor, at=at
    )


def apply_edits(charges: Sequence[Charge], edits: Sequence[Edit]) -> Edited:
    """Return the charges after `edits`, applied in order; one whose base has changed since becomes a finding.

    Args:
        charges: the rated charges.
        edits: all edits of the draft, oldest first.
    """
    rated = {charge.natural_key: charge for charge in charges}
    current = dict(rated)
    touched: dict[str, Charge] = {}
    findings: list[Finding] = []
    for edit in edits:
        if edit.field in (EditField.RECORD, EditField.DEFER):
            continue  # those were applied to the records before they were rated
        problem = _problem(edit, current)
        if problem is not None:
            findings.append(problem)
            continue
        if edit.target in rated:
            touched[edit.target] = rated[edit.target]
        _apply(edit, current)
    return Edited(charges=tuple(current.values()), originals=tuple(touched.values()), findings=tuple(findings))


def _apply(edit: Edit, current: dict[str, Charge]) -> None:
    if edit.field is EditField.CHARGE and edit.charge is not None:
        current[edit.target] = edit.charge
        return
    charge = current[edit.target]
    if edit.field is EditField.LINE:
        del current[edit.target]
    elif edit.field is EditField.DESCRIPTION:
        current[edit.target] = attrs.evolve(charge, description=edit.after, origin=Origin.EDITED)
    elif edit.field is EditField.AMOUNT:
        current[edit.target] = _with_amount(charge, edit)
    else:
        waiver = _waiver(charge, edit)
        lines = list(current.items())
        current.clear()
        for key, item in lines:  # the opposite stands right below the line that it waives
            current[key] = item
            if key == edit.target:
                current[waiver.natural_key] = waiver


def _with_amount(charge: Charge, edit: Edit) -> Charge:
    step = Step(label=f"edited: {edit.reason}", formula=f"instead of {_written(edit.before)}", result=_written(edit.after))
    return attrs.evolve(
        charge,
        amount=_amount(edit.after),
        unit_price=None,  # quantity x price would no longer be the amount that is printed beside them
        items=(),  # nor would they sum to it
        origin=Origin.EDITED,
        steps=(*charge.steps, step),
    )


def _waiver(charge: Charge, edit: Edit) -> Charge:
    amount = -charge.amount
    return attrs.evolve(
        charge,
        description=edit.text or charge.description,
        source=f"{charge.source}{WAIVED}",
        quantity=None,
        unit_price=None,
        amount=amount,
        origin=Origin.EDITED,
        records=(),
        steps=(Step(label=f"waived: {edit.reason}", formula=f"-({charge.amount})", result=str(amount)),),
        details={},
        estimated=False,
        items=(),
    )


def _waived_key(charge: Charge) -> str:
    return attrs.evolve(charge, source=f"{charge.source}{WAIVED}").natural_key


def _current(charge: Charge, field: EditField) -> str:
    return charge.description if field is EditField.DESCRIPTION else str(charge.amount)


def _written(text: str) -> str:
    """Return an amount as money is written, ``330.00 USD``, unless it has more decimals than its currency."""
    amount = _amount(text)
    minor = amount.value * 10 ** minor_digits(amount.currency)
    return str(Money(minor.numerator, amount.currency)) if minor.denominator == 1 else text


def _amount(text: str) -> Amount:
    value, _, currency = text.partition(" ")
    return Amount(value, currency)


def _problem(edit: Edit, current: dict[str, Charge]) -> Finding | None:
    charge = current.get(edit.target)
    if edit.field is EditField.CHARGE:
        if edit.charge is None or edit.charge.natural_key != edit.target:
            return _refused(edit, "INVOICE09", "the edit adds a charge but carries none of this key", "Enter the charge again")
        return None if charge is None else _refused(edit, "INVOICE09", "a charge of this key exists already", "Change that one")
    if charge is None:
        what = f"{edit_name(edit)} is of a charge that is no longer on the draft"
        return _refused(edit, "INVOICE07", what, taking_back(edit))
    seen = _current(charge, edit.field)
    if seen != edit.before:
        what = f"{edit_name(edit)} was made on {edit.before!r}, but the draft now says {seen!r}"
        return _refused(edit, "INVOICE08", what, taking_back(edit))
    if _waived_key(charge) in current and edit.field is not EditField.DESCRIPTION:
        return _refused(edit, "INVOICE09", "the charge is waived already", "Drop the line of the waiver first")
    if edit.field is EditField.AMOUNT:
        return _amount_problem(edit, charge)
    return None


def _amount_problem(edit: Edit, charge: Charge) -> Finding | None:
    try:
        amount = _amount(edit.after)
    except ValueRefused as error:
        return _refused(edit, "INVOICE09", error.what, 'Write the amount as "12.50 USD"')
    if amount.currency != charge.amount.currency:
        return _refused(edit, "INVOICE09", f"an amount in {amount.currency} cannot replace {charge.amount}", "Keep the currency")
    return None


def _refused(edit: Edit, code: str, what: str, remedy: str) -> Finding:
    return Finding(
        code=code, what=what, remedy=remedy, field=edit.field.value, value=edit.after, subject=edit.about or edit.target
    )
