import itertools
from fractions import Fraction

import pytest

from billing_framework.values.errors import UnitMismatch, ValueRefused
from billing_framework.values.quantity import Quantity
from billing_framework.values.unit_definition import UnitDefinition
from billing_framework.values.units import CORE_UNITS, define_units

TRADE = (
    UnitDefinition("ccf", "100 * foot ** 3", ("hcf", "CCF")),  # used before it is defined
    UnitDefinition("metre", "[length]", ("m",)),
    UnitDefinition("foot", "0.3048 * metre", ("ft",)),
    UnitDefinition("m3", "metre ** 3", ("m³", "cubic metre")),
    UnitDefinition("third_metre", "metre / 3"),
    UnitDefinition("W", "[power]", ("watt",)),
    UnitDefinition("kW", "1000 * W"),
    UnitDefinition("Wh", "W * hour"),
    UnitDefinition("kWh", "1000 * Wh"),
    UnitDefinition("MW", "1000000 * W"),
    UnitDefinition("mW", "0.001 * W"),
    UnitDefinition("kVA", "[apparent_power]"),
)
UNITS = define_units(TRADE)


@pytest.mark.parametrize(
    ("source", "target", "factor"),
    [
        ("hour", "minute", Fraction(60)),
        ("minute", "day", Fraction(1, 1440)),
        ("ccf", "m3", Fraction("2.8316846592")),  # the exact chain of 0.3048 ** 3 * 100
        ("m3", "ccf", 1 / Fraction("2.8316846592")),
        ("third_metre", "metre", Fraction(1, 3)),
        ("kWh", "Wh", Fraction(1000)),
        ("kW", "MW", Fraction(1, 1000)),
    ],
)
def test_factors_are_exact(source: str, target: str, factor: Fraction) -> None:
    assert UNITS.factor(source, target) == factor
    assert UNITS.factor(source, target) * UNITS.factor(target, source) == 1


def test_factors_chain_exactly_between_all_units_of_a_dimension() -> None:
    lengths = [name for name in UNITS.names if UNITS.dimension(name) == "[time]"]
    for first, second, third in itertools.product(lengths, repeat=3):
        assert UNITS.factor(first, second) * UNITS.factor(second, third) == UNITS.factor(first, third)


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        ("kwh", "kWh"),
        ("KWH", "kWh"),
        ("hcf", "ccf"),
        ("m³", "m3"),
        ("Cubic Metre", "m3"),
        (" h ", "hour"),
        ("MW", "MW"),
        ("mW", "mW"),
    ],
)
def test_spellings_lead_to_one_name(spelling: str, name: str) -> None:
    assert UNITS.name(spelling) == name


def test_case_decides_where_it_must() -> None:
    with pytest.raises(ValueRefused, match="VALUE22 'mw' is no known unit"):
        UNITS.name("mw")


def test_an_unknown_unit_offers_the_nearest() -> None:
    with pytest.raises(ValueRefused, match=r"VALUE22 'minuts' is no known unit. Did you mean 'minutes'\?"):
        UNITS.name("minuts")


@pytest.mark.parametrize(("source", "target"), [("kVA", "kW"), ("kW", "kWh"), ("month", "day"), ("each", "hour")])
def test_different_kinds_of_quantity_never_convert(source: str, target: str) -> None:
    with pytest.raises(UnitMismatch, match=f"VALUE23 {source} measures .* and {target}"):
        UNITS.factor(source, target)


def test_quantities_convert_exactly() -> None:
    assert UNITS.convert(Quantity("90", "minute"), "h") == Quantity("1.5", "hour")


@pytest.mark.parametrize(
    "definition",
    [
        "2 * unheard",
        "x",
        "1/0 * second",
        "(second",
        "* second",
        "second ** 0.5",
        "-1 * second",
        "0 * second",
        "[power] * second",
        "",
        "second; offset: 3",
        "second = s",
        "second\n@alias",
    ],
)
def test_definitions_that_are_not_exact_are_refused(definition: str) -> None:
    with pytest.raises(ValueRefused, match="VALUE24 unit 'x' = .*\\. Define it as"):
        define_units([UnitDefinition("x", definition)])


@pytest.mark.parametrize(("name", "alias"), [("bad name", "b"), ("2x", "b"), ("", "b"), ("x", ""), ("x", " y"), ("m³", "b")])
def test_misshapen_names_are_refused(name: str, alias: str) -> None:
    with pytest.raises(ValueRefused, match="VALUE24"):
        define_units([UnitDefinition(name, "second", (alias,))])


def test_units_that_define_each_other_are_refused() -> None:
    with pytest.raises(ValueRefused, match="VALUE24 .* it is defined by itself"):
        define_units([UnitDefinition("x", "2 * y"), UnitDefinition("y", "2 * x")])


@pytest.mark.parametrize(
    "second", [UnitDefinition("x", "[other]"), UnitDefinition("z", "[other]", ("x",)), UnitDefinition("z", "[o]", ("h",))]
)
def test_a_name_belongs_to_one_unit(second: UnitDefinition) -> None:
    with pytest.raises(ValueRefused, match="VALUE25"):
        define_units([UnitDefinition("x", "[thing]"), second])


def test_deployments_do_not_share_their_units() -> None:
    small = define_units([])
    assert set(small.names) == {unit.name for unit in CORE_UNITS}
    with pytest.raises(ValueRefused, match="VALUE22"):
        small.name("kWh")
