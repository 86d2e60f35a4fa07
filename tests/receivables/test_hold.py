from datetime import date

import attrs
import pytest

from billing_framework.receivables.hold import Block, Hold, release, shielded
from billing_framework.values.errors import Refused
from tests.finance_vectors import VECTORS
from tests.receivables.items import debit, euros, open_of

ON = date(2026, 8, 20)
DISPUTE = Hold(
    key="hold/1",
    account="A-1",
    item="document/1",
    line=2,
    blocks=(Block.DUNNING, Block.LATE_CHARGE),
    reason="dispute",
    since=date(2026, 8, 10),
)


def test_a_dispute_shields_its_line_only_and_is_shown() -> None:
    vector = VECTORS["late-07"]
    lines = [("energy", "180.00"), ("service", vector["inputs"]["line_disputed"])]
    (invoice,) = open_of(debit("1", vector["inputs"]["invoice_open"], lines=lines))
    result = shielded(invoice, [DISPUTE], on=ON, block=Block.DUNNING)
    assert result.free == euros(vector["expected"]["dunnable"])
    assert result.held == euros(vector["expected"]["shown_as_disputed"])


@pytest.mark.parametrize(
    ("change", "held"),
    [
        ({}, "120.00"),
        ({"line": 0}, "300.00"),
        ({"line": 0, "item": ""}, "300.00"),
        ({"line": 0, "amount": euros("50.00")}, "50.00"),
        ({"line": 0, "amount": euros("500.00")}, "300.00"),
        ({"account": "A-2"}, "0.00"),
        ({"item": "document/2"}, "0.00"),
        ({"blocks": (Block.COLLECTION,)}, "0.00"),
        ({"until": ON}, "0.00"),
        ({"until": date(2026, 8, 21)}, "120.00"),
        ({"since": date(2026, 8, 21)}, "0.00"),
        ({"outcome": "rejected"}, "0.00"),
    ],
)
def test_scope_dates_and_blocks(change: dict[str, object], held: str) -> None:
    (invoice,) = open_of(debit("1", "300.00", lines=[("energy", "180.00"), ("service", "120.00")]))
    hold = attrs.evolve(DISPUTE, **change)  # type: ignore[arg-type]
    result = shielded(invoice, [hold], on=ON, block=Block.DUNNING)
    assert (result.held, result.free) == (euros(held), euros("300.00") - euros(held))


def test_lines_add_up_one_scope_does_not_and_never_more_than_is_open_is_held() -> None:
    (invoice,) = open_of(debit("1", "300.00", lines=[("energy", "180.00"), ("service", "120.00")]))
    first = attrs.evolve(DISPUTE, line=1, amount=euros("30.00"))
    twice = [first, attrs.evolve(first, key="hold/2", amount=euros("20.00"))]
    assert shielded(invoice, twice, on=ON, block=Block.DUNNING).held == euros("30.00")
    assert shielded(invoice, [first, DISPUTE], on=ON, block=Block.DUNNING).held == euros("150.00")
    both = [attrs.evolve(DISPUTE, line=0, item=""), DISPUTE]
    assert shielded(invoice, both, on=ON, block=Block.DUNNING).free == euros("0.00")


def test_a_hold_is_released_once_with_its_outcome() -> None:
    ended = release(DISPUTE, on=ON, outcome="rejected")
    assert (ended.outcome, ended.until, ended.is_active(date(2026, 8, 15))) == ("rejected", ON, False)
    assert DISPUTE.scope == "line"
    with pytest.raises(Refused, match="AR18"):
        release(ended, on=ON, outcome="upheld")
    with pytest.raises(Refused, match="AR18"):
        release(DISPUTE, on=ON, outcome="")


@pytest.mark.parametrize("wrong", [{"blocks": ()}, {"item": ""}, {"until": date(2026, 8, 10)}, {"amount": euros("0.00")}])
def test_a_hold_that_does_not_fit_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Refused, match="AR17"):
        attrs.evolve(DISPUTE, **wrong)  # type: ignore[arg-type]
