"""The shared finance vectors: those of rounding and tax are tested here, the others where their desk is."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from billing_framework.rating.payable import round_amounts
from billing_framework.taxing.credit import Creditable, credited_tax
from billing_framework.taxing.discount import discount_on_gross
from billing_framework.taxing.exemption import TaxStatus
from billing_framework.taxing.tax import TaxedDocument, tax_document
from billing_framework.taxing.tax_rate import TaxKind
from billing_framework.values.errors import Refused
from billing_framework.values.money import HALF_UP, Amount, Money
from billing_framework.values.price import UnitPrice
from billing_framework.values.quantity import Quantity

VECTORS = Path(__file__).parents[1] / "data" / "vectors" / "finance.json"
BY_ID: dict[str, dict[str, Any]] = {vector["id"]: vector for vector in json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]}

HERE = {
    "round-01",
    "round-02",
    "round-04",
    "round-06",
    "round-07",
    "round-08",
    "round-10",
    "en-01",
    "en-03",
    "en-06",
    "en-07",
    "tax-01",
    "tax-02",
    "tax-04",
    "pay-08",
}
ELSEWHERE = {
    "pay-01": "tests/receivables",
    "pay-02": "tests/receivables",
    "pay-04": "tests/receivables",
    "pay-05": "tests/receivables",
    "pay-06": "tests/receivables",
    "trust-01": "tests/receivables and tests/concurrency",
    "late-07": "tests/receivables",
    "met-09": "tests/receivables",
    "plan-01": "tests/receivables",
    "id-02": "tests/invoicing",
    "led-01": "tests/ledger and tests/storage",
    "led-02": "tests/concurrency",
    "led-03": "tests/concurrency",
    "led-04": "tests/concurrency",
    "late-01": "later: late charges",
    "late-02": "later: late charges",
    "late-04": "later: late charges",
    "late-05": "later: late charges",
    "plan-03": "later: payment plans",
    "rev-01": "later: revenue recognition",
    "rev-04": "later: revenue recognition",
    "fx-01": "later: foreign currency",
    "met-01": "later: key figures",
    "met-02": "later: key figures",
    "met-05": "later: key figures",
    "met-07": "later: allowance for bad debt",
}
STATUS = TaxStatus(account="A1", seller_tax_id="S1", buyer_tax_id="B1")


def test_every_vector_has_its_place() -> None:
    assert HERE | set(ELSEWHERE) == set(BY_ID)
    assert not HERE & set(ELSEWHERE)


@pytest.fixture
def vector(request: pytest.FixtureRequest) -> tuple[dict[str, Any], Any]:
    name = request.node.name.removeprefix("test_").replace("_", "-")
    return BY_ID[name]["inputs"], BY_ID[name]["expected"]


def plain(money: Money) -> str:
    return str(money).split()[0]


def taxes(document: TaxedDocument) -> dict[str, str]:
    assert document.findings == ()
    return {group.rate.code: plain(group.tax) for group in document.groups}


def share(inputs: dict[str, Any]) -> list[str]:
    whole = Fraction(inputs["total"])
    weights = [Fraction(weight) for weight in inputs["weights"]]
    exact = [Amount(whole * weight / sum(weights), "USD") for weight in weights]
    return [plain(part) for part in round_amounts(exact, HALF_UP)]


def test_round_01(vector: Any) -> None:
    inputs, expected = vector
    assert share(inputs) == expected
    assert [plain(part) for part in Money.of(inputs["total"], "USD").shared(inputs["weights"])] == expected


def test_round_02(vector: Any) -> None:
    inputs, expected = vector
    assert share(inputs) == expected
    assert [plain(part) for part in Money.of(inputs["total"], "USD").shared(inputs["weights"])] == expected


def test_round_04(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    lines = [line(net, str(number)) for number, net in enumerate(inputs["lines_net"])]
    document = tax_document(lines, [tax(inputs["rate"])], STATUS, currency="USD")
    assert plain(document.gross) == expected["invoice_total"]
    assert [plain(one.tax) for one in document.lines] == expected["line_tax_by_largest_remainder"]
    assert [plain(one.net + one.tax) for one in document.lines] == expected["line_gross"]
    none = Money.zero("USD")
    credited = [
        one.net + credited_tax(Creditable(net=one.net, tax=one.tax, credited_net=none, credited_tax=none), one.net)
        for one in document.lines
    ]
    assert Money.total(credited, "USD") == document.gross


def test_round_10(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    net = Amount(Fraction(inputs["price"]) * Fraction(inputs["used"], inputs["days"]), "USD").payable()
    document = tax_document([line(plain(net))], [tax(inputs["rate"])], STATUS, currency="USD")
    assert (plain(document.net), plain(document.tax), plain(document.gross)) == tuple(expected.values())


def test_round_06(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    rates = [tax(inputs["gst"], "gst"), tax(inputs["qst"], "qst")]
    document = tax_document([line(inputs["net"])], rates, STATUS, currency="USD")
    assert taxes(document) == {"gst": expected["gst"], "qst": expected["qst"]}
    assert plain(document.gross) == expected["total"]


def test_round_07(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    document = tax_document([line(inputs["net"])], [tax(inputs["rate"])], STATUS, currency="USD")
    assert (plain(document.tax), plain(document.gross)) == (expected["tax"], expected["total"])


def test_round_08(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    yen, dinar = (text.split() for text in inputs["net"])
    document = tax_document([line(yen[0], currency="JPY")], [tax(inputs["rate"])], STATUS, currency="JPY")
    assert plain(document.tax) == expected["jpy_tax"]
    assert plain(Amount(dinar[0], "KWD").payable()) == expected["kwd_net"]


def test_en_01(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    lines = [line(amount) for amount in [*inputs["lines"], inputs["charge"]]]
    document = tax_document(lines, [tax(inputs["rate"])], STATUS, currency="USD")
    (group,) = document.groups
    assert group.category == "S"
    assert plain(document.net) == plain(group.taxable) == expected["bt109"]
    assert plain(document.tax) == expected["bt110"]
    assert plain(document.gross) == expected["bt112"] == expected["bt115"]


def test_en_03(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    lines = [line(inputs["base_25"]), line(inputs["base_12"], category="reduced")]
    document = tax_document(lines, [tax("25"), tax("12", category="reduced")], STATUS, currency="USD")
    assert [plain(group.tax) for group in document.groups] == [expected["tax_25"], expected["tax_12"]]
    assert plain(document.gross) == expected["bt112"]
    assert plain(document.gross - Money.of(inputs["prepaid"], "USD")) == expected["bt115"]


def test_en_06(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    lines = [line(amount) for amount in inputs["lines"]]
    for status in (
        TaxStatus(account="A1", status="reverse_charge", exemption="VATEX-EU-AE", seller_tax_id="S1", buyer_tax_id="B1"),
        TaxStatus(account="A1", seller_tax_id="S1", buyer_tax_id="B1"),
    ):
        kind = {} if status.status == "reverse_charge" else {"kind": TaxKind.REVERSE_CHARGE, "exemption": "VATEX-EU-AE"}
        rate = tax("19" if not kind else "0", **kind)
        document = tax_document(lines, [rate], status, currency="USD")
        assert document.findings == ()
        assert (plain(document.tax), plain(document.gross)) == (expected["tax"], expected["total"])
        assert [group.category for group in document.groups] == [inputs["category"]]
    bare = tax_document(lines, [tax("19")], TaxStatus(account="A1", status="reverse_charge"), currency="USD")
    assert len(bare.findings) == len(expected["needs"])
    assert [finding.code for finding in bare.findings] == ["TAX04", "TAX04", "TAX03"]


def test_en_07(vector: Any) -> None:
    inputs, expected = vector
    price = UnitPrice(Fraction(inputs["price"]) / Fraction(inputs["base_qty"]), "EUR", "piece")
    net = price * Quantity(inputs["qty"], "piece") - Amount(inputs["line_allowance"], "EUR")
    assert plain(net.payable()) == expected["bt131"]


def test_tax_01(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    document = tax_document([line(inputs["gross"])], [tax(inputs["rate"], inclusive=True)], STATUS, currency="USD")
    assert (plain(document.net), plain(document.tax), plain(document.gross)) == (
        expected["net"],
        expected["tax"],
        inputs["gross"],
    )


def test_tax_02(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    document = tax_document([line(inputs["net"])], [tax(inputs["rate"])], STATUS, currency="USD")
    discount = discount_on_gross(document.net, [document.tax], Fraction(inputs["discount"]))
    assert plain(document.gross - discount.total) == expected["pay"]
    assert plain(discount.net) == expected["discount_net"]
    assert [plain(part) for part in discount.taxes] == [expected["vat_correction"]]


def test_tax_04(vector: Any, line: Any, tax: Any) -> None:
    inputs, expected = vector
    rates = [tax(inputs["rate"])]
    document = tax_document([line(inputs["subscription"]), line(inputs["usage"])], rates, STATUS, currency="USD")
    assert [money.major for money in (document.net, document.tax, document.gross)] == [
        Fraction(expected[name]) for name in ("subtotal", "tax", "subtotal_incl")
    ]
    settled = Money.of(inputs["coupon"], "USD") + Money.of(inputs["prepaid"], "USD")
    assert (document.gross - settled).major == Fraction(expected["due"])
    lines = [line(inputs[name]) for name in ("subscription", "usage")] + [
        line(f"-{inputs[name]}") for name in ("coupon", "prepaid")
    ]
    assert tax_document(lines, rates, STATUS, currency="USD").gross.major == Fraction(expected["old_before_tax_due"])


def test_pay_08(vector: Any) -> None:
    inputs, expected = vector
    net, stored = Money.of(inputs["line_net"], "USD"), Money.of(inputs["line_tax"], "USD")
    none = Money.zero("USD")
    line = Creditable(net=net, tax=stored, credited_net=none, credited_tax=none)
    assert plain(line.left) == expected["max_credit"]
    assert plain(net + credited_tax(line, net)) == expected["max_credit"]
    done = Creditable(net=net, tax=stored, credited_net=net, credited_tax=stored)
    with pytest.raises(Refused, match="TAX05"):
        credited_tax(done, net)
