from datetime import UTC, datetime

import attrs
import pytest

from billing_framework.invoicing.edit import (
    Edit,
    EditField,
    add_charge,
    apply_edits,
    change_amount,
    change_description,
    drop_line,
    waive_line,
)
from billing_framework.rating.charge import Charge, Origin
from billing_framework.values.money import Amount
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity
from tests.invoicing.drafts import charge

AT = datetime(2026, 8, 2, 9, tzinfo=UTC)
ENERGY = charge("energy", "30.00", quantity=Quantity(100, "kWh"), unit_price=UnitPrice("0.3", "EUR", "kWh"))
SERVICE = charge("service", "12.00")
RATED = [ENERGY, SERVICE]


def lowered(source: Charge = ENERGY, amount: str = "25.5") -> Edit:
    return change_amount(source, Amount(amount, "EUR"), reason="goodwill", actor="ann", at=AT)


def test_without_edits_nothing_changes() -> None:
    assert apply_edits(RATED, []).charges == tuple(RATED)


def test_an_amount_is_changed_and_the_original_stays_visible() -> None:
    edited = apply_edits(RATED, [lowered()])
    changed = edited.charges[0]
    assert (str(changed.amount), changed.origin, changed.unit_price) == ("25.5 EUR", Origin.EDITED, None)
    assert changed.steps[-1].formula == "instead of 30.00 EUR"
    assert changed.natural_key == ENERGY.natural_key
    assert edited.originals == (ENERGY,)
    assert edited.findings == ()


def test_edits_build_on_each_other_in_order() -> None:
    first = lowered()
    once = apply_edits(RATED, [first]).charges[0]
    second = change_description(once, "Energy after goodwill", reason="clearer", actor="ann", at=AT)
    third = lowered(once, "20")
    edited = apply_edits(RATED, [first, second, third])
    assert (edited.charges[0].description, str(edited.charges[0].amount)) == ("Energy after goodwill", "20 EUR")
    assert edited.originals == (ENERGY,)


def test_a_dropped_line_is_gone_and_a_waived_one_has_its_opposite_below() -> None:
    dropped = apply_edits(RATED, [drop_line(ENERGY, reason="not ours", actor="ann", at=AT)])
    assert (dropped.charges, dropped.originals) == ((SERVICE,), (ENERGY,))
    waived = apply_edits(RATED, [waive_line(ENERGY, text="Waived: energy", reason="goodwill", actor="ann", at=AT)])
    assert [str(item.amount) for item in waived.charges] == ["30 EUR", "-30 EUR", "12 EUR"]
    assert waived.charges[1].description == "Waived: energy"
    assert len({item.natural_key for item in waived.charges}) == 3


def test_a_charge_is_added_as_manual() -> None:
    fee = charge("fee", "5.00", component="manual")
    edited = apply_edits(RATED, [add_charge(fee, reason="agreed", actor="ann", at=AT)])
    assert edited.charges[-1].origin is Origin.MANUAL
    assert edited.originals == ()


@pytest.mark.parametrize(
    ("charges", "edit", "code"),
    [
        ([SERVICE], lowered(), "INVOICE07"),
        ([charge("energy", "31.00"), SERVICE], lowered(), "INVOICE08"),
        (RATED, add_charge(SERVICE, reason="again", actor="ann", at=AT), "INVOICE09"),
        (RATED, attrs.evolve(lowered(), after="much"), "INVOICE09"),
        (RATED, attrs.evolve(lowered(), after="1 USD"), "INVOICE09"),
        (RATED, Edit(target="x", field=EditField.CHARGE, reason="?", actor="ann", at=AT), "INVOICE09"),
    ],
)
def test_an_edit_that_cannot_be_applied_is_a_finding_and_changes_nothing(charges: list[Charge], edit: Edit, code: str) -> None:
    edited = apply_edits(charges, [edit])
    assert edited.charges == tuple(charges)
    assert [finding.code for finding in edited.findings] == [code]


def test_a_waived_charge_is_not_waived_or_repriced_again() -> None:
    waive = waive_line(ENERGY, text="", reason="goodwill", actor="ann", at=AT)
    edited = apply_edits(RATED, [waive, waive, lowered()])
    assert [finding.code for finding in edited.findings] == ["INVOICE09", "INVOICE09"]
    assert len(edited.charges) == 3
