import re
import tomllib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from billing_utility_metering import plugin
from billing_utility_metering.units import factor, family_of, unit_definitions, unit_name

from billing_framework import ConfigurationError
from billing_framework.values.units import define_units

SOURCE = Path(plugin.__file__).parent


def test_the_plugin_offers_what_its_readme_says(world: Any) -> None:
    host, readme = world.host, (Path(__file__).parents[1] / "README.md").read_text()
    offered = [*host.readers, *(name for name in host.charge_models if "." in name), *host.kinds]
    assert {name for name in offered if f"`{name}`" not in readme} == set()
    assert {kind: rater.name for kind, rater in host.rater_of_kind.items()} == dict.fromkeys(
        ("interval_day", "register_read", "register_span"), "utility_metering"
    )


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    used = {code for file in SOURCE.rglob("*.py") for code in re.findall(r'"(UTIL\d\d)"', file.read_text())}
    assert used == {page.code for page in plugin.billing_codes()}


@pytest.mark.parametrize(
    ("setting", "value"),
    [("read_window_days", 99), ("rollover_factor", "0"), ("estimate", "average"), ("read_windw_days", 3)],
)
def test_wrong_settings_are_refused(setting: str, value: object, configured: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError):
        configured(**{setting: value})


def test_the_register_of_units_agrees_with_the_plugin_s_own_factors() -> None:
    units = define_units(unit_definitions())
    names = [definition.name for definition in unit_definitions()]
    for one in names:
        for other in names:
            by = factor(one, other)
            if by is None:
                assert units.dimension(one) != units.dimension(other)
            else:
                assert units.factor(one, other) == by


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("KWH", "kWh"),
        ("kVArh", "kvarh"),
        ("VArh", "varh"),
        (" wh ", "Wh"),
        ("m³", "m3"),
        ("HCF", "ccf"),
        ("furlong", None),
        ("", None),
    ],
)
def test_units_are_known_in_any_letter_case(text: str, name: str | None) -> None:
    assert unit_name(text) == name


def test_factors_of_contract_are_no_conversions() -> None:
    assert factor("MJ", "kWh") == Fraction(10, 36)
    for one, other in (("ccf", "gal"), ("ccf", "m3"), ("therm", "kWh"), ("kVAh", "kWh"), ("kvar", "kW"), ("kWh", "nothing")):
        assert factor(one, other) is None
    assert family_of("nothing") == ""


def test_every_plan_of_the_readme_loads_without_a_finding(world: Any) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    blocks = [block for block in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL) if "[[component]]" in block]
    models = {world.plan(block).components[0].model for block in blocks}
    assert {model for model in world.host.charge_models if "." in model} <= models


def test_the_settings_of_the_readme_are_the_defaults(configured: Callable[..., Any], world: Any) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text()
    (block,) = [block for block in re.findall(r"```toml\n(.*?)```", readme, re.DOTALL) if "[deployment]" in block]
    given = tomllib.loads(block)["plugin"]["utility_metering"]
    assert configured(**given).host.plugins[0].settings == world.host.plugins[0].settings
