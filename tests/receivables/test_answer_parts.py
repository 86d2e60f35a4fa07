"""An answer may be about one of several requests of a document, but never about more than the document."""

from datetime import date

import attrs
import pytest

from billing_framework import AnswerItem, AnswerStatus, Money
from billing_framework.receivables.answer_settlement import Target, fit_findings
from billing_framework.receivables.open_item import ItemKind, OpenItem, Standing

ON = date(2026, 12, 18)


def usd(amount: str) -> Money:
    return Money.of(amount, "USD")


def item(billed: str, *, is_part: bool) -> AnswerItem:
    money = usd(billed)
    return AnswerItem(
        key="D.1/X/1", document="D", status=AnswerStatus.ANSWERED, billed=money, paid=money, owed_next=None, is_part=is_part
    )


@pytest.fixture
def target() -> Target:
    debit = OpenItem(key="d", kind=ItemKind.DOCUMENT, account="C", reference="D", original=usd("100"), dated_on=ON, due_on=ON)
    return Target(debit=Standing(item=debit, open=usd("100")), billed=usd("100"), next_due_on=ON, trace="T")


@pytest.mark.parametrize(
    ("billed", "is_part", "codes"),
    [
        ("100", False, []),
        ("60", False, ["ANSWER05"]),
        ("60", True, []),
        ("100", True, []),
        ("101", True, ["ANSWER05", "ANSWER06"]),
    ],
)
def test_a_part_may_be_about_less_but_never_about_more(billed: str, *, is_part: bool, codes: list[str], target: Target) -> None:
    assert [finding.code for finding in fit_findings(item(billed, is_part=is_part), target)] == codes


def test_parts_together_never_settle_more_than_is_open(target: Target) -> None:
    left = attrs.evolve(target, debit=attrs.evolve(target.debit, open=usd("30")))
    assert [finding.code for finding in fit_findings(item("60", is_part=True), left)] == ["ANSWER06"]
