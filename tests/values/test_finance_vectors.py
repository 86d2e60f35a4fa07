"""The shared acceptance vectors on rounding, sharing and minor units."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing_framework.values.money import Amount, Money, Rounding

_FILE = Path(__file__).parents[1] / "data" / "vectors" / "finance.json"
VECTORS: dict[str, Any] = {vector["id"]: vector for vector in json.loads(_FILE.read_text())["vectors"]}


def tax(net: Money, percent: str) -> Money:
    return (net.amount * (Fraction(percent) / 100)).payable()


@pytest.mark.parametrize("name", ["round-01", "round-02"])
def test_largest_remainder(name: str) -> None:
    vector = VECTORS[name]
    parts = Money.of(vector["inputs"]["total"], "USD").shared(vector["inputs"]["weights"])
    assert parts == [Money.of(part, "USD") for part in vector["expected"]]


def test_tax_of_a_group_shared_to_its_lines() -> None:
    vector = VECTORS["round-04"]
    lines = [Money.of(net, "EUR") for net in vector["inputs"]["lines_net"]]
    group_tax = tax(Money.total(lines, "EUR"), vector["inputs"]["rate"])
    line_tax = group_tax.shared([line.minor for line in lines])
    gross = [net + own for net, own in zip(lines, line_tax, strict=True)]
    expected = vector["expected"]
    assert line_tax == [Money.of(value, "EUR") for value in expected["line_tax_by_largest_remainder"]]
    assert gross == [Money.of(value, "EUR") for value in expected["line_gross"]]
    assert Money.total(gross, "EUR") == Money.of(expected["invoice_total"], "EUR")


def test_two_taxes_on_one_base() -> None:
    vector = VECTORS["round-06"]
    net = Money.of(vector["inputs"]["net"], "CAD")
    gst, qst = tax(net, vector["inputs"]["gst"]), tax(net, vector["inputs"]["qst"])
    assert [gst, qst, net + gst + qst] == [Money.of(vector["expected"][name], "CAD") for name in ("gst", "qst", "total")]


def test_half_away_from_zero_on_negatives() -> None:
    vector = VECTORS["round-07"]
    net = Money.of(vector["inputs"]["net"], "EUR")
    own = tax(net, vector["inputs"]["rate"])
    assert [own, net + own] == [Money.of(vector["expected"][name], "EUR") for name in ("tax", "total")]


def test_minor_units_of_yen_and_dinar() -> None:
    vector = VECTORS["round-08"]
    yen, dinar = (Amount(*text.split()).payable() for text in vector["inputs"]["net"])
    assert tax(yen, vector["inputs"]["rate"]) == Money.of(vector["expected"]["jpy_tax"], "JPY")
    assert dinar == Money.of(vector["expected"]["kwd_net"], "KWD")


def test_a_document_total_is_the_sum_of_its_printed_parts() -> None:
    vector = VECTORS["round-10"]
    inputs = vector["inputs"]
    net = (Amount(inputs["price"], "EUR") * Fraction(inputs["used"], inputs["days"])).payable(Rounding())
    own = tax(net, inputs["rate"])
    assert [net, own, net + own] == [Money.of(vector["expected"][name], "EUR") for name in ("net", "tax", "total")]
