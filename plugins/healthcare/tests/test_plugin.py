import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from billing_healthcare import plugin

from billing_framework import ConfigurationError

SOURCE = Path(plugin.__file__).parent
README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def test_the_plugin_offers_what_its_readme_says(world: Any) -> None:
    host = world.host
    offered = [*host.readers, *host.kinds, *(rater for rater in host.rater_of_kind["encounter"].models)]
    offered += [one.format for one in plugin.billing_exporters()] + [one.format for one in plugin.billing_answer_readers()]
    offered += [one.name for one in plugin.billing_rate_tables()]
    assert {name for name in offered if f"`{name}`" not in README} == set()


def test_every_code_is_listed_and_every_listed_code_is_used() -> None:
    used = {code for file in SOURCE.rglob("*.py") for code in re.findall(r'"(HEALTH\d\d)"', file.read_text(encoding="utf-8"))}
    assert used == {page.code for page in plugin.billing_codes()}


@pytest.mark.parametrize(("setting", "value"), [("provider_npi", "9900000017"), ("usage", "X"), ("provider_npy", "1")])
def test_wrong_settings_are_refused(setting: str, value: object, configured: Callable[..., Any]) -> None:
    with pytest.raises(ConfigurationError):
        configured(**{setting: value})


def test_every_contract_of_the_readme_loads(world: Any) -> None:
    blocks = [block for block in re.findall(r"```toml\n(.*?)```", README, re.DOTALL) if "[[component]]" in block]
    assert blocks
    for block in blocks:
        head = 'schema = 1\n[plan]\ncode = "p"\nversion = "1"\nvalid_from = 2000-01-01\ncurrency = "USD"\n'
        from_file = block if "[plan]" in block else head + block
        assert world.read_plan_text(from_file).components[0].model == "healthcare.contract"


def test_no_licensed_code_or_wording_is_shipped() -> None:
    for file in SOURCE.rglob("*"):
        if file.suffix in {".py", ".toml", ".csv", ".md"} and file.is_file():
            text = file.read_text(encoding="utf-8")
            assert not re.findall(r"\bHC:\d{5}\b|^\d{4}[0-9A-Z],", text, re.MULTILINE), file
