from datetime import date

import pytest

from billing_framework.invoicing.mapping import ChartMapping
from billing_framework.invoicing.payment_reference import in_fours, rf_reference
from billing_framework.receivables.aging import age_items
from billing_framework.receivables.allocation import allocations_of, plan_allocation
from billing_framework.receivables.entries import payment_entry, return_entry
from billing_framework.receivables.open_item import standings
from billing_framework.receivables.payment import Direction, Payment, match_remittance, payment_item, return_payment
from billing_framework.receivables.refund import refund
from billing_framework.values.errors import Refused, ValueRefused
from tests.finance_vectors import VECTORS
from tests.receivables.items import PAID_ON, credit, debit, euros, open_of

MAPPING = ChartMapping(book="main", charges={}, taxes={}, roles={"bank": "Bank", "receivable": "AR", "suspense": "Suspense"})


def test_a_returned_payment_opens_the_invoice_again_with_its_own_due_date() -> None:
    vector = VECTORS["pay-06"]
    invoice = debit("1", vector["inputs"]["invoice"], due_on=date(2026, 8, 1))
    payment = Payment(
        book="main", external_ref="T-1", account="A-1", money=euros(vector["inputs"]["payment"]), received_on=PAID_ON
    )
    item = payment_item(payment)
    links = allocations_of(plan_allocation(open_of(item)[0], open_of(invoice)), "allocate", PAID_ON)
    on = date(2026, 8, 25)
    returned = return_payment(item, links, action="return/T-1", on=on, return_code=vector["inputs"]["returned"])
    after = standings([invoice, item, returned.item], [*links, *returned.allocations])
    assert [standing.open for standing in after] == [euros(vector["expected"]["open"]["invoice"]), euros("0.00"), euros("0.00")]
    (row,) = age_items(after, as_of=date(2026, 9, 5))
    assert dict(row.buckets)["31-60"] == euros("100.00")  # aged from 1 August, not from the return

    paid = payment_entry(payment, MAPPING)
    back = return_entry(payment, returned.item, MAPPING, key="return/T-1", on=on)
    journal = [
        [event, posting.gl_account, str(posting.money).split()[0]]
        for event, entry in (("payment", paid), ("return", back))
        for posting in entry.postings
    ]
    assert sorted(journal) == sorted(row for row in vector["expected"]["journal"] if row[0] != "fee")
    assert back.reverses == paid.key


def test_a_payment_is_returned_once_and_not_after_its_rest_was_paid_out() -> None:
    item = credit("100.00")
    returned = return_payment(item, [], action="return", on=PAID_ON, return_code="R01")
    with pytest.raises(Refused, match="AR22"):
        return_payment(item, returned.allocations, action="again", on=PAID_ON, return_code="R01")
    paid_out = refund(open_of(item)[0], action="refund", on=PAID_ON, reference="OUT-1", amount=euros("10.00"))
    with pytest.raises(Refused, match="AR22"):
        return_payment(item, paid_out.allocations, action="return", on=PAID_ON, return_code="R01")


def test_only_money_that_came_in_for_an_account_is_an_item() -> None:
    unknown = Payment(book="main", external_ref="T-1", money=euros("5.00"), received_on=PAID_ON)
    out = Payment(
        book="main", external_ref="T-1", account="A-1", direction=Direction.OUT, money=euros("5.00"), received_on=PAID_ON
    )
    for payment in (unknown, out):
        with pytest.raises(Refused, match="AR21"):
            payment_item(payment)


@pytest.mark.parametrize(("amount", "reference"), [("0.00", "T-1"), ("-1.00", "T-1"), ("1.00", " ")])
def test_a_payment_needs_an_amount_and_a_reference(amount: str, reference: str) -> None:
    with pytest.raises(ValueRefused, match="AR20"):
        Payment(book="main", external_ref=reference, money=euros(amount), received_on=PAID_ON)


def test_the_remittance_names_items_by_number_or_reference() -> None:
    first, second, longer = debit("INV-2026-1", "10.00"), debit("INV-2026-2", "10.00"), debit("INV-2026-12", "10.00")
    debits = open_of(first, second, longer)
    reference = rf_reference("INV-2026-2")
    wrong = reference[:3] + ("0" if reference[3] != "0" else "1") + reference[4:]

    def named(text: str) -> list[str]:
        return [wish.item for wish in match_remittance(text, debits)]

    assert named("Rechnung inv-2026-12 vom Juli") == [longer.key]
    assert named(f"SVWZ+{reference}") == [second.key]
    assert named(f"{in_fours(reference)} danke") == [second.key]
    assert named(f"{wrong}") == []
    assert named("INV-2026-123 INV-2026-1X") == []
    assert named("INV-2026-1, INV-2026-2") == [first.key, second.key]
