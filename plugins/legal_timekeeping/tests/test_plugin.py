"""What the plugin offers is what its README says, and every code has its page."""

import re
from pathlib import Path
from typing import Any

from billing_legal_timekeeping import plugin
from billing_legal_timekeeping.codes_in_use import SHIPPED, shipped_set

SOURCE = Path(plugin.__file__).parent
README = (Path(__file__).parents[1] / "README.md").read_text()


def test_the_plugin_offers_what_its_readme_says(world: Any) -> None:
    host = world.host
    models = {name for rater in host.raters.values() for name in rater.models}
    offered = [*host.readers, *models, *host.kinds, *host.rate_tables, *SHIPPED]
    assert {name for name in offered if f"`{name}`" not in README} == set()


def test_every_plan_of_the_readme_loads_without_a_finding(world: Any) -> None:
    blocks = [block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[[component]]" in block]
    models = {world.plan(block).components[0].model for block in blocks}
    assert models == {name for rater in world.host.raters.values() for name in rater.models}


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    used = {code for file in SOURCE.rglob("*.py") for code in re.findall(r'"((?:LEGAL|LEDES)\d\d)"', file.read_text())}
    assert used == {page.code for page in plugin.billing_codes()}


def test_the_shipped_sets_are_whole_and_name_each_code_once() -> None:
    sizes = {name: len({row.code for row in shipped_set(name)}) for name in SHIPPED}
    assert sizes == {
        "litigation": 29,
        "ediscovery": 21,
        "counseling": 4,
        "bankruptcy": 21,
        "project": 15,
        "activities": 11,
        "expenses": 24,
        "classes": 51,
    }
    assert [name for name in SHIPPED if len(shipped_set(name)) != sizes[name]] == []
