"""The reference of price plan files: its blocks are plans, and it leaves out no model and no key."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from billing_framework.rating.charge_models import core_models
from billing_framework.rating.plan_check import check_plan
from billing_framework.rating.plan_file import params_by_model, parse_plan
from billing_framework.rating.quantity_rule import QuantityRule
from billing_framework.rating.tiers import Tier, Widths
from billing_framework.taxing.tax_file import parse_tax_rates

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
PAGE = (REFERENCE / "price_plan.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
MODELS = {model.name: model for model in core_models()}
HEAD = 'schema = 1\n[plan]\ncode = "p"\nversion = "1"\nvalid_from = 2026-01-01\ncurrency = "USD"\n'
OTHERS = "".join(
    f'[[component]]\ncode = "{code}"\ntitle = {{ en = "x" }}\nmodel = "one_time"\ncharge_code = "x"\n'
    'tax_category = "x"\nprice = "1"\n'
    for code in ("service", "energy", "setup", "requests", "storage")
)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: re.findall(r'model = "(\w+)"', block)[-1])
def test_every_block_is_a_good_plan(block: str) -> None:
    if not block.startswith("schema"):
        defined = re.findall(r'^code = "(\w+)"', block, re.MULTILINE)
        others = "".join(part for part in re.split(r"(?=\[\[)", OTHERS) if not any(f'"{code}"' in part for code in defined))
        block = HEAD + others + block
    plan = parse_plan(block.encode(), file="price_plan.md", params=params_by_model(core_models()))
    assert check_plan(plan, models=MODELS) == ()


def test_no_model_is_left_out() -> None:
    shown = set(re.findall(r'^model = "(\w+)"', PAGE, re.MULTILINE))
    assert shown == set(MODELS)


@pytest.mark.parametrize(
    "cls", [*dict.fromkeys(model.params for model in core_models()), QuantityRule, Tier, Widths], ids=lambda cls: cls.__name__
)
def test_no_key_is_left_out(cls: type) -> None:
    missing = [field.name for field in attrs.fields(cls) if not re.search(rf"\b{field.name}\b", PAGE)]
    assert missing == []


def test_the_tax_file_of_the_reference_is_good() -> None:
    page = (REFERENCE / "tax_file.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(parse_tax_rates(block.encode(), file="tax_file.md")) == 5
