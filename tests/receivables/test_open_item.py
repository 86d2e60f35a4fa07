from datetime import date

import attrs
import pytest

from billing_framework.invoicing.credit_note import credit_note
from billing_framework.invoicing.document import DocumentStatus
from billing_framework.receivables.allocation import settle
from billing_framework.receivables.open_item import ItemKind, item_of, standings
from billing_framework.values.errors import Refused
from tests.invoicing.drafts import draft, issued
from tests.receivables.items import PAID_ON, credit, debit, euros, open_of


def test_an_issued_document_is_owed_and_a_credit_note_owing() -> None:
    document = issued(draft(("a", "100.00", "19"), key=5))
    owed = item_of(document)
    assert owed is not None
    assert (owed.key, owed.reference, owed.original, owed.due_on) == (
        "document/5",
        "INV-2026-000001",
        euros("119.00"),
        date(2026, 8, 17),
    )
    assert [(line.number, line.charge_code, line.gross) for line in owed.lines] == [(1, "energy.usage", euros("119.00"))]
    note = credit_note(document, key=6, issue_on=date(2026, 9, 1), reason="wrong")
    owing = item_of(attrs.evolve(document, number="CN-1", content=note))
    assert owing is not None
    assert (owing.kind, owing.original, owing.corrects) == (ItemKind.CREDIT_NOTE, euros("-119.00"), "document/5")


def test_a_void_document_and_one_of_nothing_are_not_owed() -> None:
    assert item_of(attrs.evolve(issued(draft(("a", "1.00", "0"))), status=DocumentStatus.VOID)) is None
    assert item_of(issued(draft(("a", "0.00", "0")))) is None


def test_what_is_open_follows_from_allocations_alone() -> None:
    invoice, payment = debit("1", "100.00"), credit("60.00")
    link = settle(invoice, payment, euros("60.00"), key="x/1", on=PAID_ON, strategy="by_document")
    assert [standing.open for standing in open_of(invoice, payment)] == [euros("100.00"), euros("-60.00")]
    assert [standing.open for standing in open_of(invoice, payment, allocations=[link])] == [euros("40.00"), euros("0.00")]
    undo = attrs.evolve(link, key="x/2", amount=-link.amount, undoes="x/1")
    assert [standing.open for standing in open_of(invoice, payment, allocations=[link, undo])] == [
        euros("100.00"),
        euros("-60.00"),
    ]


def test_rows_that_settle_more_than_there_is_are_refused() -> None:
    invoice, payment = debit("1", "50.00"), credit("60.00")
    link = settle(invoice, payment, euros("60.00"), key="x/1", on=PAID_ON, strategy="by_document")
    with pytest.raises(Refused, match=r"AR12 50\.00 EUR of the item document/1 was settled with 60\.00 EUR"):
        standings([invoice], [link])


def test_payments_of_the_whole_settle_lines_as_printed_and_payments_of_a_line_only_that_line() -> None:
    invoice = debit("1", "90.00", lines=[("energy", "60.00"), ("credit", "-10.00"), ("service", "40.00")])
    payment = credit("50.00")
    assert open_of(invoice)[0].line_opens == ((1, euros("50.00")), (2, euros("0.00")), (3, euros("40.00")))
    whole = settle(invoice, payment, euros("50.00"), key="x/1", on=PAID_ON, strategy="oldest_first")
    line = attrs.evolve(whole, line=3, amount=euros("30.00"))
    assert dict(open_of(invoice, allocations=[whole])[0].line_opens) == {1: euros("0.00"), 2: euros("0.00"), 3: euros("40.00")}
    assert dict(open_of(invoice, allocations=[line])[0].line_opens) == {1: euros("50.00"), 2: euros("0.00"), 3: euros("10.00")}


def test_an_item_of_nothing_is_refused() -> None:
    with pytest.raises(Refused, match="AR11"):
        debit("1", "0.00")
