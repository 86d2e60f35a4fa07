"""Answers as pure functions: three levels of balance, and settlements whose parts make the whole and undo without a rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.receivables.answer import (
    Adjustment,
    Answer,
    AnswerAdjustment,
    AnswerItem,
    AnswerLine,
    AnswerStatus,
    Treatment,
)
from billing_framework.receivables.answer_balance import answer_findings, item_findings
from billing_framework.receivables.answer_settlement import (
    Settlement,
    Target,
    fit_findings,
    mirrors,
    reversal_findings,
    reverse,
    settle_item,
)
from billing_framework.receivables.open_item import Allocation, ItemKind, OpenItem, Standing, standings
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Money

ON, LATER = date(2026, 8, 1), date(2026, 9, 1)


def usd(cents: int) -> Money:
    return Money(cents, "USD")


def adjust(cents: int, treatment: Treatment = Treatment.REDUCE, code: str = "agreed") -> Adjustment:
    return Adjustment(group="G", reason=f"{treatment.value}{code}", money=usd(cents), treatment=treatment, code=code)


def item(billed: int, paid: int, *adjustments: Adjustment, status: AnswerStatus = AnswerStatus.ANSWERED) -> AnswerItem:
    return AnswerItem(
        key="K", document="INV-1", reference="R", status=status, billed=usd(billed), paid=usd(paid), adjustments=adjustments
    )


def opposite(one: AnswerItem) -> AnswerItem:
    turned = tuple(attrs.evolve(each, money=-each.money) for each in one.adjustments)
    return attrs.evolve(one, status=AnswerStatus.REVERSED, billed=-one.billed, paid=-one.paid, adjustments=turned)


def document(cents: int) -> OpenItem:
    return OpenItem(
        key="document/1", kind=ItemKind.DOCUMENT, account="T", reference="INV-1", original=usd(cents), dated_on=ON, due_on=ON
    )


def target(cents: int, opened: int | None = None) -> Target:
    debit = Standing(item=document(cents), open=usd(cents if opened is None else opened))
    return Target(debit=debit, billed=usd(cents), next_account="N", next_due_on=LATER, trace="TR")


def links_of(settlement: Settlement) -> Iterator[Allocation]:
    for some in settlement.allocations.values():
        yield from some


MANAGED = [
    # billed, adjustments of the whole, adjustments of the line, paid: the worked example of a managed-care remittance.
    (80_000, (5_000,), (30_000,), 45_000),
    (120_000, (5_500,), (60_000, 5_000), 49_500),
]


def managed() -> Answer:
    items = []
    for billed, whole, of_line, paid in MANAGED:
        line = AnswerLine(
            billed=usd(billed), paid=usd(billed - sum(of_line)), adjustments=tuple(adjust(cents) for cents in of_line)
        )
        items.append(attrs.evolve(item(billed, paid, *map(adjust, whole)), lines=(line,)))
    return Answer(payer="P", trace="T", money=usd(94_500), paid_on=ON, items=tuple(items))


def test_an_answer_that_adds_up_has_no_findings() -> None:
    answer = managed()
    assert answer_findings(answer) == ()
    assert [item_findings(one) for one in answer.items] == [(), ()]


@pytest.mark.parametrize("cents", [-1, 1, 100])
def test_each_level_is_checked_for_itself(cents: int) -> None:
    answer = managed()
    assert [one.code for one in answer_findings(attrs.evolve(answer, money=answer.money + usd(cents)))] == ["ANSWER04"]
    first = answer.items[0]
    changed = attrs.evolve(first, paid=first.paid + usd(cents))
    assert [one.code for one in item_findings(changed)] == ["ANSWER02"]
    assert answer_findings(attrs.evolve(answer, items=(changed, *answer.items[1:])))[0].code == "ANSWER04"
    line = attrs.evolve(first.lines[0], paid=first.lines[0].paid + usd(cents))
    assert "line 1" in item_findings(attrs.evolve(first, lines=(line,)))[0].what


def test_what_concerns_no_document_lowers_or_raises_the_payment() -> None:
    answer = managed()
    for cents in (500, -500):
        other = AnswerAdjustment(reason="X", money=usd(cents))
        assert answer_findings(attrs.evolve(answer, money=usd(94_500 - cents), adjustments=(other,))) == ()


def test_currencies_are_not_mixed() -> None:
    euro = attrs.evolve(item(100, 100), paid=Money(100, "EUR"))
    assert [one.code for one in item_findings(euro)] == ["ANSWER02"]
    assert [one.code for one in answer_findings(attrs.evolve(managed(), money=Money(94_500, "EUR")))] == ["ANSWER04"]
    fit = fit_findings(attrs.evolve(item(100, 100), billed=Money(100, "EUR"), paid=Money(100, "EUR")), target(100))
    assert [one.code for one in fit] == ["ANSWER05"]


@pytest.mark.parametrize(
    ("status", "billed", "paid"),
    [
        (AnswerStatus.ANSWERED, -100, -100),
        (AnswerStatus.REVERSED, 100, 100),
        (AnswerStatus.DENIED, 100, 100),
        (AnswerStatus.INFORMATION, 100, 100),
    ],
)
def test_signs_must_fit_the_status(status: AnswerStatus, billed: int, paid: int) -> None:
    assert {one.code for one in item_findings(item(billed, paid, status=status))} == {"ANSWER03"}


@pytest.mark.parametrize("fields", [{"money": usd(-1)}, {"payer": " "}, {"trace": ""}])
def test_an_answer_has_a_name_and_no_debt(fields: dict[str, object]) -> None:
    with pytest.raises(ValueRefused, match="ANSWER01"):
        attrs.evolve(managed(), **fields)  # type: ignore[arg-type]  # what a reader may pass by mistake


def test_of_a_denied_item_nothing_is_given_up() -> None:
    denied = item(100, 0, adjust(100), status=AnswerStatus.DENIED)
    assert denied.treated(Treatment.REDUCE) == ()
    settlement = settle_item(denied, target(100), action="a", on=ON)
    assert (settlement.made, settlement.denied) == ((), usd(100))


@st.composite
def answered(draw: st.DrawFn) -> tuple[AnswerItem, int]:
    """Draw an item that adds up, and what the document came to."""
    amounts = st.integers(min_value=0, max_value=50_000)
    paid, moved, denied = draw(amounts), draw(amounts), draw(amounts)
    reduced = draw(st.lists(st.tuples(st.sampled_from("abc"), st.integers(-2_000, 20_000)), max_size=4))
    adjustments = [adjust(cents, code=f"agreed.{code}") for code, cents in reduced]
    adjustments += [adjust(moved, Treatment.NEXT_PARTY, "")] if moved else []
    adjustments += [adjust(denied, Treatment.DENY, "")] if denied else []
    billed = paid + moved + denied + sum(cents for _, cents in reduced)
    return item(billed, paid, *adjustments), billed


@given(answered())
def test_parts_make_the_whole_and_a_reversal_leaves_nothing(drawn: tuple[AnswerItem, int]) -> None:
    one, billed = drawn
    if billed <= 0 or item_findings(one) or fit_findings(one, target(billed)):
        return
    settlement = settle_item(one, target(billed), action="a", on=ON)
    items = [document(billed), *(made.item for made in settlement.made)]
    by_key = {each.item.key: each for each in standings(items, list(links_of(settlement)))}
    assert settlement.denied == one.total(Treatment.DENY)
    assert not any(each.open for each in by_key.values() if not each.item.is_debit)
    owed = Counter({each.item.account: 0 for each in by_key.values()})
    for each in by_key.values():
        owed[each.item.account] += each.open.minor
    assert owed["T"] == settlement.denied.minor
    assert owed["T"] + owed.get("N", 0) + one.paid.minor + one.total(Treatment.REDUCE).minor == billed

    back = opposite(one)
    assert item_findings(back) == ()
    assert mirrors(back, one)
    assert reversal_findings(back, one, settlement.made, list(links_of(settlement))) == ()
    undone = reverse(settlement.made, list(links_of(settlement)), action="b", on=LATER, currency="USD")
    everything = [*items, *(made.item for made in undone.made)]
    after = standings(everything, [*links_of(settlement), *links_of(undone)])
    assert {each.item.key: each.open.minor for each in after if each.open} == {"document/1": billed}
    assert not sum(made.item.original.minor for made in (*settlement.made, *undone.made))


@given(answered(), st.integers(1, 500))
def test_no_reversal_of_other_amounts(drawn: tuple[AnswerItem, int], cents: int) -> None:
    one, _ = drawn
    assert not mirrors(attrs.evolve(opposite(one), paid=-one.paid - usd(cents)), one)
    assert not mirrors(attrs.evolve(opposite(one), adjustments=(adjust(-cents, code="x"),)), one)


def test_more_than_is_open_is_not_settled() -> None:
    assert fit_findings(item(100, 100), target(100)) == ()
    assert [one.code for one in fit_findings(item(100, 100), target(100, opened=99))] == ["ANSWER06"]
    moves = item(100, 0, adjust(100, Treatment.NEXT_PARTY, ""))
    assert [one.code for one in fit_findings(moves, attrs.evolve(target(100), next_account=""))] == ["ANSWER07"]
    assert [one.code for one in fit_findings(moves, attrs.evolve(target(100), next_account="T"))] == ["ANSWER07"]
