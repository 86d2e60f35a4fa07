"""The example of every hook works when it is pasted: the host builds with it, and takes what it offers."""

import inspect
import textwrap
import types

import pytest

from billing_framework.plugin import hookspecs
from billing_framework.plugin.host import Host
from billing_framework.plugin.offers import hook_names

KINDS = """
import attrs
from billing_framework import UsageKind, hookimpl
@attrs.frozen(kw_only=True)
class Body:
    minutes: int
@hookimpl
def billing_usage_kinds():
    return [UsageKind(name="stay", title="t", body=Body)]
"""


@pytest.mark.parametrize("name", hook_names())
def test_an_example_is_a_plugin_that_the_host_takes(name: str) -> None:
    source = textwrap.dedent((inspect.getdoc(getattr(hookspecs, name)) or "").partition("Example:\n")[2])
    module = types.ModuleType("example")
    exec(compile(source, name, "exec"), vars(module))  # noqa: S102  the example is what is tested
    others = [] if name == "billing_usage_kinds" else [("kinds", _module(KINDS))]
    host = Host.build([*others, ("example", module)])
    assert host.plugins[-1].hooks == (name,)
    assert name in ("billing_settings", "billing_documents_drafted") or host.plugins[-1].offers[name]


def _module(source: str) -> types.ModuleType:
    module = types.ModuleType("kinds")
    exec(compile(source, "kinds", "exec"), vars(module))  # noqa: S102  a plugin made of text
    return module


def test_hooks_stand_in_the_order_of_a_run() -> None:
    assert hook_names() == (
        "billing_settings",
        "billing_codes",
        "billing_units",
        "billing_usage_kinds",
        "billing_readers",
        "billing_raters",
        "billing_rate_tables",
        "billing_charge_models",
        "billing_documents_drafted",
        "billing_review_checks",
        "billing_exporters",
        "billing_answer_readers",
    )
