from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Inexact, localcontext
from fractions import Fraction
from typing import Any

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_framework.taxing.credit import Creditable, credited_tax
from billing_framework.taxing.discount import discount_on_gross
from billing_framework.taxing.exemption import TaxStatus
from billing_framework.taxing.tax import TaxedDocument, tax_document
from billing_framework.taxing.tax_rate import TaxKind, TaxPlace, TaxRate
from billing_framework.values.errors import Refused
from billing_framework.values.money import Money, Rounding
from billing_framework.values.rounding import RoundingMode

STATUS = TaxStatus(account="A1", jurisdiction="US-FL-Miami")


def taxed(lines: list[Any], rates: list[TaxRate], status: TaxStatus = STATUS, **given: Any) -> TaxedDocument:
    return tax_document(lines, rates, status, currency="USD", **given)


def groups(document: TaxedDocument) -> list[tuple[str, str, str]]:
    return [(group.rate.code, str(group.taxable), str(group.tax)) for group in document.groups]


def test_compound_and_grossed_up_taxes_are_computed_in_their_order(line: Any, tax: Any) -> None:
    rates = [
        tax("6", "sales", compound_on=("franchise", "receipts")),
        tax("2.5", "receipts", gross_up=True, compound_on=("franchise",)),
        tax("5", "franchise"),
    ]
    document = taxed([line("100.00")], rates)
    assert groups(document) == [
        ("franchise", "100.00 USD", "5.00 USD"),
        ("receipts", "105.00 USD", "2.69 USD"),
        ("sales", "107.69 USD", "6.46 USD"),
    ]
    assert str(document.gross) == "114.15 USD"


def test_the_tax_point_decides_the_rate(line: Any, tax: Any) -> None:
    old = tax("19", valid_to=date(2026, 7, 1))
    new = tax("20", valid_from=date(2026, 7, 1))
    document = taxed([line("100.00", "june"), line("100.00", "july", tax_point=date(2026, 7, 1))], [old, new])
    assert groups(document) == [("vat", "100.00 USD", "19.00 USD"), ("vat", "100.00 USD", "20.00 USD")]


def test_the_nearest_place_wins_and_places_above_hold(line: Any, tax: Any) -> None:
    rates = [
        tax("1", "city", jurisdiction="US-FL-Miami"),
        tax("6", "state", jurisdiction="US-FL"),
        tax("9", "state", jurisdiction="US"),
        tax("5", "state", jurisdiction="US-F"),
        tax("2", "federal"),
    ]
    assert [(code, amount) for code, _, amount in groups(taxed([line("100.00")], rates))] == [
        ("city", "1.00 USD"),
        ("state", "6.00 USD"),
        ("federal", "2.00 USD"),
    ]


def test_charge_codes_are_taken_in_and_left_out(line: Any, tax: Any) -> None:
    rates = [tax("10", "service", excluding=("fuel",)), tax("5", "fuel", charge_codes=("fuel",))]
    document = taxed([line("100.00", "a", charge_code="energy"), line("40.00", "b", charge_code="fuel")], rates)
    assert groups(document) == [("service", "100.00 USD", "10.00 USD"), ("fuel", "40.00 USD", "2.00 USD")]
    assert [[part.code for part in one.taxes] for one in document.lines] == [["service"], ["fuel"]]


def test_categories_of_one_tax_and_rate_are_one_group(line: Any, tax: Any) -> None:
    lines = [line("0.03", "a"), line("0.03", "b", category="water")]
    document = taxed(lines, [tax("50"), tax("50", category="water")])
    assert groups(document) == [("vat", "0.06 USD", "0.03 USD")]
    assert [str(one.tax) for one in document.lines] == ["0.02 USD", "0.01 USD"]


def test_rounding_by_line_is_a_named_policy(line: Any, tax: Any) -> None:
    lines = [line("0.03", "a"), line("0.03", "b")]
    document = taxed(lines, [tax("50", place=TaxPlace.LINE)])
    assert groups(document) == [("vat", "0.06 USD", "0.04 USD")]
    down = taxed(lines, [tax("50", place=TaxPlace.LINE, rounding=Rounding(RoundingMode.DOWN))])
    assert groups(down) == [("vat", "0.06 USD", "0.02 USD")]


def test_no_rate_holds_the_account(line: Any, tax: Any) -> None:
    document = taxed([line("1.00", "a"), line("2.00", "b")], [tax("10", category="other"), tax("10", jurisdiction="CA")])
    assert [finding.code for finding in document.findings] == ["TAX01"]
    assert document.findings[0].stops
    assert (str(document.net), str(document.tax)) == ("3.00 USD", "0.00 USD")


def test_two_rates_of_one_tax_hold_the_account(line: Any, tax: Any) -> None:
    document = taxed([line("1.00")], [tax("10"), tax("11")])
    assert [finding.code for finding in document.findings] == ["TAX02"]


def test_prices_that_include_the_tax(line: Any, tax: Any) -> None:
    lines = [line("10.00", "a"), line("10.00", "b"), line("10.00", "c")]
    document = taxed(lines, [tax("7", inclusive=True), tax("5", "levy")])
    assert groups(document) == [("vat", "28.04 USD", "1.96 USD"), ("levy", "28.04 USD", "1.40 USD")]
    assert [str(one.net) for one in document.lines] == ["9.35 USD", "9.35 USD", "9.34 USD"]
    assert str(document.gross) == "31.40 USD"
    by_line = taxed(lines, [tax("7", inclusive=True, place=TaxPlace.LINE)])
    assert groups(by_line) == [("vat", "28.05 USD", "1.95 USD")]


def test_an_exempt_customer_pays_the_price_without_the_tax_in_it(line: Any, tax: Any) -> None:
    status = TaxStatus(account="A1", status="exempt", exemption="Certificate 7")
    document = taxed([line("119.00")], [tax("19", inclusive=True)], status)
    assert (str(document.net), str(document.tax), str(document.gross)) == ("100.00 USD", "0.00 USD", "100.00 USD")
    assert [(group.category, group.rate.exemption) for group in document.groups] == [("E", "Certificate 7")]


def test_two_taxes_inside_one_price_hold_the_account(line: Any, tax: Any) -> None:
    document = taxed([line("10.00")], [tax("7", inclusive=True), tax("5", "levy", inclusive=True)])
    assert [finding.code for finding in document.findings] == ["TAX08"]


def test_an_exemption_may_be_from_some_taxes_only(line: Any, tax: Any) -> None:
    status = TaxStatus(account="A1", status="exempt", exemption="Certificate 7", exempt_from=("state",))
    document = taxed([line("100.00")], [tax("6", "state"), tax("1", "city")], status)
    assert groups(document) == [("state", "100.00 USD", "0.00 USD"), ("city", "100.00 USD", "1.00 USD")]
    unsaid = taxed([line("100.00")], [tax("6", "state")], attrs.evolve(status, exemption=""))
    assert [finding.code for finding in unsaid.findings] == ["TAX03"]


def test_zero_rates_stay_what_they_are_whatever_the_customer_is(line: Any, tax: Any) -> None:
    status = TaxStatus(account="A1", status="exempt", exemption="Certificate 7")
    document = taxed([line("100.00")], [tax("0", kind=TaxKind.ZERO)], status)
    assert [group.category for group in document.groups] == ["Z"]
    assert document.findings == ()


def test_titles_are_in_the_language_of_the_document(line: Any, tax: Any) -> None:
    rate = attrs.evolve(tax("19"), titles={"en": "VAT", "de": "USt"})
    assert taxed([line("1.00")], [rate], locale="de_AT").groups[0].title == "USt"
    assert taxed([line("1.00")], [rate], locale="fr_FR").groups[0].title == "VAT"


amounts = st.lists(st.integers(-50000, 50000), min_size=1, max_size=8)
percents = st.integers(1, 5000).map(lambda units: str(Fraction(units, 100)))


@given(amounts, percents, percents, st.sampled_from(TaxPlace), st.booleans())
def test_parts_sum_and_credits_mirror(
    line: Callable[..., Any],
    tax: Callable[..., Any],
    cents: list[int],
    first: str,
    second: str,
    place: TaxPlace,
    inclusive: bool,  # noqa: FBT001
) -> None:
    rates = [tax(first, place=place, inclusive=inclusive), tax(second, "second", compound_on=("vat",))]

    def document(sign: int) -> TaxedDocument:
        lines = [attrs.evolve(line("0", str(number)), amount=Money(sign * one, "USD")) for number, one in enumerate(cents)]
        return taxed(lines, rates)

    charged, credited = document(1), document(-1)
    for group in charged.groups:
        parts = [part for one in charged.lines for part in one.taxes if part.code == group.rate.code]
        assert Money.total((part.tax for part in parts), "USD") == group.tax
        assert Money.total((part.taxable for part in parts), "USD") == group.taxable
    assert charged.gross == Money.total((one.net + one.tax for one in charged.lines), "USD")
    assert (-charged.gross, -charged.tax) == (credited.gross, credited.tax)
    if inclusive:
        first_tax = Money.total((group.tax for group in charged.groups if group.rate.code == "vat"), "USD")
        assert charged.net + first_tax == Money(sum(cents), "USD")


def test_a_hostile_decimal_context_changes_nothing(line: Any, tax: Any) -> None:
    with localcontext() as context:
        context.prec = 1
        context.traps[Inexact] = True
        document = taxed([line("12345.67")], [tax("9.975")])
    assert str(document.tax) == "1231.48 USD"


@given(st.integers(-20000, 20000).filter(bool), st.integers(0, 5000), st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_credits_of_a_line_take_its_tax_back_to_the_cent(net: int, tax_minor: int, weights: list[int]) -> None:
    sign = 1 if net > 0 else -1
    whole, stored = Money(net, "USD"), Money(sign * tax_minor, "USD")
    done_net = done_tax = Money.zero("USD")
    for part in whole.shared(weights):
        credit = credited_tax(Creditable(net=whole, tax=stored, credited_net=done_net, credited_tax=done_tax), part)
        assert credit.minor * sign >= 0
        done_net, done_tax = done_net + part, done_tax + credit
        assert done_tax.minor * sign <= stored.minor * sign
    assert (done_net, done_tax) == (whole, stored)


def test_a_credit_of_the_other_sign_is_refused() -> None:
    none = Money.zero("USD")
    line = Creditable(net=Money(100, "USD"), tax=Money(19, "USD"), credited_net=none, credited_tax=none)
    with pytest.raises(Refused, match="TAX05"):
        credited_tax(line, Money(-1, "USD"))


@given(st.integers(-10000, 10000), st.lists(st.integers(-3000, 3000), max_size=3), st.integers(0, 1000))
def test_the_parts_of_a_discount_sum_to_it(net: int, taxes: list[int], percent: int) -> None:
    discount = discount_on_gross(Money(net, "USD"), [Money(one, "USD") for one in taxes], Fraction(percent, 10))
    assert Money.total((discount.net, *discount.taxes), "USD") == discount.total


@given(
    nets=st.lists(st.integers(-10_000, 10_000), min_size=1, max_size=6),
    waived=st.integers(0, 5),
    inclusive=st.booleans(),
    percent=st.sampled_from(["7", "8.875", "19"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_line_and_what_takes_it_back_bear_the_same_tax(
    line: Any, tax: Any, *, nets: list[int], waived: int, inclusive: bool, percent: str
) -> None:
    place = waived % len(nets)
    lines = [line(str(Money(net, "USD").amount.value), str(number)) for number, net in enumerate(nets)]
    back = attrs.evolve(lines[place], key="back", amount=-lines[place].amount, opposes=lines[place].key)
    rates = [tax(percent, inclusive=inclusive)]
    document = taxed([*lines[: place + 1], back, *lines[place + 1 :]], rates)
    was, opposite = document.lines[place], document.lines[place + 1]
    assert (opposite.net, opposite.tax) == (-was.net, -was.tax)
    without = taxed([one for number, one in enumerate(lines) if number != place], rates) if len(nets) > 1 else None
    assert document.tax == (without.tax if without else Money(0, "USD"))
