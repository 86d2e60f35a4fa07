from datetime import date, timedelta

import pytest

from billing_framework.receivables.aging import age_items, bucket_names, bucket_of
from billing_framework.receivables.hold import Block, Hold
from billing_framework.values.errors import ValueRefused
from tests.finance_vectors import VECTORS
from tests.receivables.items import credit, debit, euros, open_of

VECTOR = VECTORS["met-09"]


@pytest.mark.parametrize(("age", "bucket"), list(zip(VECTOR["inputs"]["ages"], VECTOR["expected"]["bucket"], strict=True)))
def test_bucket_edges(age: int, bucket: str) -> None:
    assert bucket_of(age) == bucket


def test_by_document_date_the_same_item_is_older() -> None:
    (item,) = open_of(debit("1", "10.00", due_on=date(2026, 7, 31)))  # dated 1 July
    as_of = date(2026, 8, 29)
    (by_due,) = age_items([item], as_of=as_of)
    (by_date,) = age_items([item], as_of=as_of, basis="document_date")
    assert dict(by_due.buckets)["0-30"] == dict(by_date.buckets)["31-60"] == euros("10.00")


def test_not_due_unapplied_and_held_stand_apart_and_all_of_it_is_the_balance() -> None:
    as_of = date(2026, 9, 1)
    items = open_of(
        debit("1", "10.00", due_on=as_of + timedelta(days=1)),
        debit("2", "20.00", due_on=as_of),
        debit("3", "40.00", due_on=as_of - timedelta(days=200)),
        credit("5.00"),
        debit("4", "7.00", account="A-0", due_on=as_of),
    )
    hold = Hold(key="h", account="A-1", item="document/3", blocks=(Block.DUNNING,), reason="promise", since=as_of)
    other, row = age_items(items, as_of=as_of, holds=[hold])
    assert (other.account, other.total) == ("A-0", euros("7.00"))
    assert row.not_due == euros("10.00")
    assert row.buckets == tuple(zip(bucket_names(), map(euros, ("20.00", "0.00", "0.00", "0.00", "40.00")), strict=True))
    assert (row.unapplied, row.held, row.total) == (euros("-5.00"), euros("40.00"), euros("65.00"))


def test_edges_and_basis_are_checked() -> None:
    assert bucket_names((10,)) == ("0-10", "11+")
    with pytest.raises(ValueRefused, match="AR19"):
        bucket_of(1, (30, 30))
    with pytest.raises(ValueRefused, match="AR19"):
        age_items([], as_of=date(2026, 9, 1), basis="posting_date")
