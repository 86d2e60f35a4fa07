from __future__ import annotations

from datetime import date
from fractions import Fraction
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.accounts.share import Share
from billing_framework.rating.charge import Charge
from billing_framework.rating.shares import SharedCharge, share_charges
from billing_framework.values.errors import ValueRefused
from billing_framework.values.money import Amount
from billing_framework.values.period import DateSpan
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity


def charge(amount: str, code: str = "energy", on: date = date(2026, 6, 1), component: str = "energy") -> Charge:
    return Charge(
        agreement="G1",
        component=component,
        code=code,
        description="Energie",
        service=DateSpan(on, date(2026, 7, 1)),
        source="T1",
        quantity=Quantity(Fraction(10), "kWh"),
        unit_price=UnitPrice(Fraction(amount) / 10, "EUR", "kWh"),
        amount=Amount(amount, "EUR"),
        tax_category="standard",
        records=(1, 2),
        details={"Zähler": "M1"},
    )


def share(payer: str, percent: str = "", codes: str = "", starts: str = "2026-01-01", ends: str = "") -> Share:
    return Share(
        agreement="G1",
        payer=payer,
        percent=Fraction(percent) if percent else None,
        codes=tuple(codes.split()),
        starts_on=date.fromisoformat(starts),
        ends_on=date.fromisoformat(ends) if ends else None,
    )


def shared(charges: list[Charge], shares: list[Share], locale: str = "de_DE") -> tuple[SharedCharge, ...]:
    return share_charges(charges, shares, {}, payer="self", locale=locale)


def paid(found: tuple[SharedCharge, ...]) -> dict[str, str]:
    sums: dict[str, Fraction] = {}
    for one in found:
        sums[one.payer] = sums.get(one.payer, Fraction(0)) + one.charge.amount.value
    return {payer: f"{float(total):.2f}" for payer, total in sorted(sums.items())}


def test_a_charge_that_nobody_shares_stays_as_it_is() -> None:
    (one,) = shared([charge("12.345")], [])
    assert (one.payer, one.charge) == ("self", charge("12.345"))


def test_one_payer_of_all_gets_the_charge_as_it_is() -> None:
    (one,) = shared([charge("12.345")], [share("parent")])
    assert (one.payer, one.charge) == ("parent", charge("12.345"))


def test_a_part_says_what_the_whole_is() -> None:
    first, second = shared([charge("10.005")], [share("a", "33.3"), share("b")])
    assert (first.payer, str(first.charge.amount)) == ("a", "3.33 EUR")
    assert (second.payer, str(second.charge.amount)) == ("b", "6.68 EUR")
    assert first.charge.description == "Energie, Anteil 33,3 % von 10\u00a0kWh"
    assert second.charge.description == "Energie, Anteil 66,7 % von 10\u00a0kWh"
    assert (first.charge.quantity, first.charge.unit_price) == (None, None)
    assert first.charge.details == {
        "Zähler": "M1",
        "Gesamtmenge": "10\u00a0kWh",
        "Einzelpreis": "1,0005\u00a0€\u00a0/\u00a0kWh",
        "Gesamtbetrag": "10,01\u00a0€",
    }
    assert first.charge.share is not None
    assert (str(first.charge.share.whole), str(first.charge.share.quantity)) == ("10.01 EUR", "10 kWh")
    assert first.charge.records == (1, 2)
    assert first.charge.steps[-1].formula == "10.01 EUR × 33.3 %, cut to whole minor units"
    assert second.charge.steps[-1].formula == "10.01 EUR × 66.7 %, the rest after the other payers"


def test_a_share_whose_percentage_never_ends_is_shown_as_the_fraction_that_it_is() -> None:
    first, second = shared([charge("10")], [share("a", "200/3"), share("b")])
    assert first.charge.description == "Energie, Anteil 2/3 von 10\u00a0kWh"
    assert second.charge.description == "Energie, Anteil 1/3 von 10\u00a0kWh"
    assert second.charge.steps[-1].formula == "10.00 EUR × 1/3, the rest after the other payers"


def test_exactly_one_part_keeps_the_key_by_which_the_charge_is_known_to_be_billed() -> None:
    found = shared([charge("10")], [share("a", "33.3"), share("b")])
    assert [one.charge.natural_key == charge("10").natural_key for one in found] == [False, True]
    # Nothing is left for the payer of the remainder: another part keeps it.
    found = shared([charge("10")], [share("a", "50"), share("b", "50"), share("c")])
    assert [one.charge.natural_key == charge("10").natural_key for one in found] == [True, False]


def test_four_payers_by_percent() -> None:
    """Vector L24 of the legal set."""
    found = shared([charge("1000.01")], [share("A", "10"), share("B", "20"), share("C", "30"), share("D")])
    assert paid(found) == {"A": "100.00", "B": "200.00", "C": "300.00", "D": "400.01"}


def test_the_first_service_date_chooses_the_payers() -> None:
    """Vector L28 of the legal set."""
    shares = [share("A", "60"), share("B", "40", ends="2026-02-01"), share("C", "40", starts="2026-02-01")]
    entries = [charge("1000", on=date(2026, 1, 15)), charge("500", on=date(2026, 2, 10), component="later")]
    assert paid(shared(entries, shares)) == {"A": "900.00", "B": "400.00", "C": "200.00"}


def test_fees_and_expenses_apart() -> None:
    shares = [share("a", "60", "fees"), share("b", codes="fees"), share("b", "100", "costs")]
    found = shared([charge("10", "fees"), charge("5", "costs", component="c"), charge("1", "other", component="o")], shares)
    assert paid(found) == {"a": "6.00", "b": "9.00", "self": "1.00"}


def test_what_is_left_goes_to_the_largest_percentage_where_nobody_is_named() -> None:
    found = shared([charge("100.01")], [share("a", "25"), share("b", "50"), share("c", "25")])
    assert paid(found) == {"a": "25.00", "b": "50.01", "c": "25.00"}


def test_a_credit_mirrors_its_charge() -> None:
    shares = [share("a", "33.3"), share("b", "100/3"), share("c")]
    charged, credited = shared([charge("99.99")], shares), shared([charge("-99.99")], shares)
    assert [-one.charge.amount for one in credited] == [one.charge.amount for one in charged]


def test_a_charge_of_nothing_goes_to_one_payer() -> None:
    (one,) = shared([charge("0")], [share("a", "50"), share("b")])
    assert (one.payer, one.charge) == ("b", charge("0"))


@pytest.mark.parametrize(
    "shares",
    [
        [share("a", "99")],
        [share("a", "101"), share("b")],
        [share("a", "-1"), share("b")],
        [share("a"), share("b")],
        [share("a", "1"), share("a")],
    ],
)
def test_shares_that_do_not_make_a_whole_are_refused(shares: list[Share]) -> None:
    with pytest.raises(ValueRefused, match="RATE10"):
        shared([charge("10")], shares)


percents = st.lists(st.integers(0, 3333).map(lambda units: Fraction(units, 100)), max_size=3)


@given(st.fractions(min_value=-1000, max_value=1000), percents)
def test_parts_sum_to_what_the_charge_comes_to(amount: Fraction, parts: list[Fraction]) -> None:
    shares = [share(f"p{number}", f"{percent}") for number, percent in enumerate(parts)]
    whole = charge(f"{amount.numerator}/{amount.denominator}")
    found = shared([whole], [*shares, share("rest")])
    total = sum((one.charge.amount.value for one in found), Fraction(0))
    assert total in {amount, whole.amount.payable().major}
    assert len({one.charge.natural_key for one in found}) == len(found) == len({one.payer for one in found})
    assert whole.natural_key in {one.charge.natural_key for one in found}


@given(st.fractions(min_value=-1000, max_value=1000), percents)
def test_the_order_of_shares_does_not_matter(amount: Fraction, parts: list[Fraction]) -> None:
    shares = [*(share(f"p{number}", f"{percent}") for number, percent in enumerate(parts)), share("rest")]
    whole = charge(f"{amount.numerator}/{amount.denominator}")
    results = {shared([whole], list(order)) == shared([whole], shares) for order in permutations(shares)}
    assert results == {True}
