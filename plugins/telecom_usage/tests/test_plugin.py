"""The plugin as a whole: what it offers, its codes, its settings, its review check."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from billing_telecom_usage import plugin
from billing_telecom_usage.review import long_calls
from billing_telecom_usage.settings import TelecomSettings

from billing_framework import ConfigurationError, ReviewBatch

SOURCE = Path(plugin.__file__).parent
README = Path(__file__).parents[1] / "README.md"


def test_the_plugin_offers_what_its_readme_says(world: Any) -> None:
    readme = README.read_text()
    offered = [*(name for name in world.host.readers), *world.host.kinds, "telecom_usage.deck", "telecom_usage.calls"]
    assert {name for name in offered if f"`{name}`" not in readme} == set()
    assert {kind: rater.name for kind, rater in world.host.rater_of_kind.items()} == {"call": "telecom_usage"}


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    used = {code for file in SOURCE.rglob("*.py") for code in re.findall(r'"(TEL\d\d)"', file.read_text())}
    assert used == {page.code for page in plugin.billing_codes()}


@pytest.mark.parametrize(
    "wrong",
    [
        {"no_rate": "free"},
        {"longest_call_hours": 0},
        {"hidden_digits": 16},
        {"source": {"pbx": {"zone": "UTC"}}},
        {"source": {"pbx": {"numbers": {"plain": "national"}}}},
        {"source": {"pbx": {"mapping": {"columns": {}, "record_id": ["id"]}}}},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any], configured: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError):
        configured(**wrong)


def test_the_settings_of_the_readme_are_taken(configured: Callable[..., Any]) -> None:
    (block,) = [one for one in re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL) if "[deployment]" in one]
    settings = configured(**tomllib.loads(block)["plugin"]["telecom_usage"]).host.plugins[0].settings
    assert isinstance(settings, TelecomSettings)
    assert settings.source["pbx1"].numbers.country == "49"


def test_every_plan_of_the_readme_loads_without_a_finding(world: Any) -> None:
    blocks = [one for one in re.findall(r"```toml\n(.*?)```", README.read_text(), re.DOTALL) if "[[component]]" in one]
    assert blocks
    for block in blocks:
        world.whole_plan(block)


def test_a_very_long_call_is_shown_to_the_officer(world: Any, make_call: Any, make_deck: Any) -> None:
    class Line:
        def __init__(self, charge: Any) -> None:
            self.items = charge.items

    table = make_deck({"prefix": "49", "rate_per_min": "0.1"})
    charges = world.bill(world.plan(), calls=[make_call(7200), make_call(7201, name="b")], tables=[table]).charges
    document = type("Draft", (), {"account": "1", "lines": tuple(map(Line, charges))})()
    batch = ReviewBatch(documents=(type("One", (), {"document": document})(),), settings=TelecomSettings(longest_call_hours=2))
    (finding,) = long_calls(batch)

    assert (finding.code, finding.subject, finding.value) == ("TEL40", "1", "7201 s")
    assert not list(long_calls(ReviewBatch(documents=batch.documents)))
