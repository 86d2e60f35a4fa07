from datetime import date
from fractions import Fraction

import attrs
import pytest

from billing_framework.invoicing.draft import DraftDocument
from billing_framework.invoicing.review import (
    BilledQuantity,
    PastDocument,
    ReviewBatch,
    ReviewBounds,
    ReviewCheck,
    Reviewed,
    evidence,
    median,
    past_document,
    review,
)
from billing_framework.invoicing.review_checks import core_checks
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.money import Money
from billing_framework.values.quantity import Quantity
from tests.invoicing.drafts import draft


def past(*totals: str) -> tuple[PastDocument, ...]:
    return tuple(PastDocument(issued_on=date(2026, 7, 1), days=30, gross=Money.of(total, "EUR")) for total in totals)


def codes(document: DraftDocument, bounds: ReviewBounds, history: tuple[PastDocument, ...] = ()) -> list[str]:
    batch = ReviewBatch(documents=(Reviewed(document=document, history=history),), bounds=bounds)
    return [hold.finding.code for hold in review(batch, core_checks())]


def test_an_ordinary_bill_is_not_held() -> None:
    used = draft(("energy", "100.00", "0"), records=1, quantity=Quantity(300, "kWh"))
    assert codes(used, ReviewBounds(), past("90.00", "110.00", "95.00")) == []


@pytest.mark.parametrize(("net", "held"), [("500.00", []), ("500.01", ["REVIEW01"])])
def test_the_largest_total(net: str, held: list[str]) -> None:
    assert codes(draft(("energy", net, "0")), ReviewBounds(largest={"EUR": Money.of("500.00", "EUR")})) == held


@pytest.mark.parametrize(
    ("net", "history", "held"),
    [
        ("300.00", ("90.00", "100.00", "110.00"), []),
        ("300.01", ("90.00", "100.00", "110.00"), ["REVIEW02"]),
        ("33.33", ("90.00", "100.00", "110.00"), ["REVIEW02"]),
        ("33.34", ("90.00", "100.00", "110.00"), []),
        ("1000.00", ("90.00", "100.00"), []),
        ("300.01", ("90.00", "90.00", "110.00", "110.00"), ["REVIEW02"]),
        ("500.00", ("-10.00", "-10.00", "-10.00"), []),
    ],
)
def test_the_accounts_own_history(net: str, history: tuple[str, ...], held: list[str]) -> None:
    assert codes(draft(("energy", net, "0")), ReviewBounds(), past(*history)) == held


def test_a_small_difference_is_not_looked_at() -> None:
    bounds = ReviewBounds(least_difference={"EUR": Money.of("20.00", "EUR")})
    assert codes(draft(("energy", "20.00", "0")), bounds, past("5.00", "5.00", "5.00")) == []
    assert codes(draft(("energy", "25.01", "0")), bounds, past("5.00", "5.00", "5.00")) == ["REVIEW02"]


def test_negative_and_zero_totals() -> None:
    assert codes(draft(("credit", "-5.00", "0")), ReviewBounds()) == ["REVIEW03"]
    assert codes(draft(("plan", "5.00", "0"), ("credit", "-5.00", "0")), ReviewBounds()) == ["REVIEW04"]
    assert codes(draft(("plan", "0.00", "0")), ReviewBounds(zero_total=False)) == []


def test_zero_and_missing_usage() -> None:
    unused = draft(("plan", "5.00", "0"), records=2, quantity=Quantity(0, "kWh"))
    assert codes(unused, ReviewBounds()) == ["REVIEW05"]
    assert codes(unused, ReviewBounds(zero_usage=False)) == []
    before = past_document(draft(("plan", "5.00", "0"), records=2, quantity=Quantity(10, "kWh")))
    assert before.quantities == (BilledQuantity(agreement="G-1", component="energy", quantity=Quantity(10, "kWh")),)
    without = draft(("plan", "5.00", "0"))
    assert codes(without, ReviewBounds(), (before,)) == ["REVIEW06"]
    assert codes(without, ReviewBounds(missing_usage=False), (before,)) == []
    elsewhere = attrs.evolve(without, lines=(attrs.evolve(without.lines[0], agreement="G-2"),))
    assert codes(elsewhere, ReviewBounds(), (before,)) == []


def test_too_much_estimated() -> None:
    made = draft(("a", "50.00", "0"), ("b", "50.00", "0"))
    half = attrs.evolve(made, lines=(attrs.evolve(made.lines[0], estimated=True), made.lines[1]))
    assert codes(half, ReviewBounds(estimated_share=Fraction(1, 2))) == []
    assert codes(half, ReviewBounds(estimated_share=Fraction(49, 100))) == ["REVIEW07"]


def test_a_hold_shows_its_evidence_and_holds_come_in_order_of_the_drafts() -> None:
    first = Reviewed(document=draft(("a", "900.00", "0"), key=1), history=past("90.00", "100.00", "110.00"))
    second = Reviewed(document=attrs.evolve(draft(("b", "-1.00", "0"), key=2), account="A-2"))
    holds = review(ReviewBatch(documents=(first, second)), list(reversed(core_checks())))
    assert [(hold.account, hold.check, hold.document) for hold in holds] == [
        ("A-1001", "own_history", 1),
        ("A-2", "negative_total", 2),
    ]
    sheet = evidence(first)
    assert (sheet["total"], sheet["median total"], sheet["last total"], sheet["past documents"]) == (
        "900.00 EUR",
        "100 EUR",
        "90.00 EUR",
        "3",
    )
    assert holds[0].evidence == sheet


def test_a_check_may_inform_without_holding_but_must_name_an_account_of_its_batch() -> None:
    told = Finding(code="REVIEW01", severity=Severity.INFORMATION, what="look", subject="A-1001")
    lost = Finding(code="REVIEW01", what="look", subject="A-9")
    batch = ReviewBatch(documents=(Reviewed(document=draft(("a", "1.00", "0"))),))
    assert review(batch, [ReviewCheck(name="x.y", title="x", check=lambda _batch: [told])]) == []
    (hold,) = review(batch, [ReviewCheck(name="x.y", title="x", check=lambda _batch: [lost])], plugin_of={"x.y": "odd"})
    assert (hold.account, hold.finding.code) == ("A-1001", "INVOICE06")
    assert "x.y of plugin odd failed: it speaks about the account 'A-9'" in hold.finding.what


def test_a_check_that_writes_into_its_settings_holds_that_draft_and_no_other_is_judged_by_them() -> None:
    def judge(batch: ReviewBatch) -> list[Finding]:
        if any(one.document.account == "B1" for one in batch.documents):
            batch.settings["strict"] = True
        accounts = [one.document.account for one in batch.documents]
        return [Finding(code="OWN01", what="strict", subject=one) for one in accounts if batch.settings]

    settings: dict[str, bool] = {}
    documents = tuple(Reviewed(document=attrs.evolve(draft(("fee", "1", "0")), account=code)) for code in ("A1", "B1", "C1"))
    check = ReviewCheck(name="own.judge", title="Judges", check=judge)
    (hold,) = review(
        ReviewBatch(documents=documents, bounds=ReviewBounds()),
        [check],
        {check.name: settings},
        plugin_of={check.name: "own"},
    )
    assert (hold.account, hold.finding.code) == ("B1", "PLUGIN08")
    assert hold.finding.what == "the review check own.judge of plugin own failed: it changed its settings"
    assert settings == {}


def test_the_median_is_exact() -> None:
    assert median([Fraction(3), Fraction(1), Fraction(2)]) == 2
    assert median([Fraction(1), Fraction(2)]) == Fraction(3, 2)
    assert median([]) is None


def test_a_part_of_a_shared_charge_counts_as_use() -> None:
    idle, part = (draft(("plan", "5.00", "0"), records=1, quantity=quantity) for quantity in (Quantity(0, "h"), None))
    both = attrs.evolve(idle, lines=(*idle.lines, attrs.evolve(part.lines[0], number=2)))
    assert "REVIEW05" not in codes(both, ReviewBounds())
    assert "REVIEW05" in codes(idle, ReviewBounds())
