"""Writes the pages of the reference that follow from the code: those of the core, the columns of CSV files, the plugins.

``python -m tests.docs.reference_pages`` in the repository writes them below ``docs/reference``; a test says if they are current.
"""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import attrs

from billing_framework.accounts.fields import Field
from billing_framework.accounts.form import Form
from billing_framework.accounts.forms import ACCOUNT, AGREEMENT, ASSIGNMENT, PARTY
from billing_framework.accounts.share_form import SHARE
from billing_framework.cli import reference
from billing_framework.plugin.discovery import load_plugins
from billing_framework.plugin.host import Host
from billing_framework.rating.figure import Figure
from billing_framework.rating.quantity_rule import QuantityRule
from billing_framework.rating.rate_table import RateTableName
from billing_framework.rating.tiers import Tier, Widths
from billing_framework.usage.kind_fields import BodyField, body_fields
from billing_framework.usage.record import UsageKind
from billing_framework.values.attribute_docs import attribute_docs, summary

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "reference"
PLUGINS = tuple(sorted(path.parent.name for path in (ROOT / "plugins").glob("[!_]*/pyproject.toml")))

_GENERATED = "<!-- Written by `python -m tests.docs.reference_pages`; do not edit. -->"
_TEXTS: Mapping[Any, str] = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    Fraction: "exact number",
    date: "date",
    Figure: "figure",
    RateTableName: "code of a rate table",
}
# Tables that the page of price plans describes, so that a plugin's page need not.
_TOLD_ELSEWHERE = {Tier: "graduated-each-unit-at-its-tiers-price", Widths: "graduated-each-unit-at-its-tiers-price"} | {
    QuantityRule: "per_unit-one-price-for-every-unit"
}


def pages() -> dict[str, str]:
    """Return every generated page: file name to text."""
    return {
        **reference.pages(),
        "master_data.md": _page("Columns of customer data", _master_data()),
        **{f"{name}.md": _page(f"Plugin {name}", _plugin(name)) for name in PLUGINS},
    }


def write() -> None:
    """Write all generated pages."""
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def _page(title: str, parts: Iterator[str]) -> str:
    return "\n\n".join([f"# {title}", _GENERATED, *(part.strip("\n") for part in parts)]) + "\n"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *(tuple(cell.replace("|", "\\|") for cell in row) for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _master_data() -> Iterator[str]:
    yield (
        "`billing party|account|agreement|assignment|share import FILE` takes in a CSV file: UTF-8, a header that names these"
        " columns in any order, one object per line. The names are also those of `create` (of a share: `add`): the first is its"
        " argument, the others are its options, `starts_on` as `--starts-on`; but `term.NAME` and `detail.NAME` are no options,"
        " they follow the first argument as `term.NAME=VALUE`. `change` takes all of them as `NAME=VALUE`. An empty"
        " cell, or a column that is left out, means the default, with `--update` and `change` as well. Dates are written"
        " `2026-07-01`."
    )
    forms: tuple[Form[Any], ...] = (PARTY, ACCOUNT, AGREEMENT, ASSIGNMENT, SHARE)
    for form in forms:
        yield f"## {form.kind.capitalize()}"
        rows = [(f"`{field.name}`", *_required(field)) for field in form.fields]
        if form.free:
            told = (
                "fact about the identifier; `detail.title` is printed in the heading of its lines"
                if form.free == "detail."
                else "term that figures of the plan may depend on"
            )
            rows.append((f"`{form.free}NAME`", "", told))
        yield _table(("column", "required", "meaning"), iter(rows))


def _required(field: Field) -> tuple[str, str]:
    """Return whether a column must be filled, and what it means."""
    if field.of_deployment:
        return "", f"{field.help}; by default the deployment's"
    return "yes" if field.required else "", field.help


def _plugin(name: str) -> Iterator[str]:
    host = Host.build([(plugin.name, plugin.implementation) for plugin in load_plugins([name])])
    plugin = host.plugins[0]
    offers = plugin.offers
    yield f"What the plugin brings once `billing.toml` names it. `billing plugin show {name}` prints it for a deployment."
    yield f"Hooks: {', '.join(f'[{hook}](hooks.md#{hook})' for hook in plugin.hooks)}."
    if plugin.settings is not None:
        yield f"## Settings: [plugin.{name}]"
        yield _attributes(type(plugin.settings))
    sections = (_formats, _kinds, _raters, _rate_tables, _models, _files_out, _answers, _checks, _units, _codes)
    for section in sections:
        yield from section(host, offers)


Offers = Mapping[str, tuple[str, ...]]


def _formats(host: Host, offers: Offers) -> Iterator[str]:
    for number, key in enumerate(offers.get("billing_readers", ())):
        if not number:
            yield "## File formats"
        reader = host.readers[key]
        yield f"### `{key}`"
        yield f"{reader.title}. Yields {', '.join(f'`{kind}`' for kind in reader.kinds)}."
        if reader.options:
            yield _table(("option", "meaning"), ((f"`{option}`", told) for option, told in reader.options.items()))


def _kinds(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_usage_kinds"):
        yield "## Usage record kinds"
    for key in offers.get("billing_usage_kinds", ()):
        yield from _kind(host.kinds[key])


def _raters(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_raters"):
        yield "## Raters"
    for key in offers.get("billing_raters", ()):
        rater = host.raters[key]
        told = f"The rater `{key}` rates {', '.join(f'`{kind}`' for kind in rater.kinds)}"
        measures = ", ".join(f"`{measure}`" for measure in rater.measures)
        yield f"{told} and gives the measures {measures}." if measures or not rater.models else f"{told}."
        for name, params in rater.models.items():
            yield f"### `{name}`"
            yield f"A charge model that the rater prices itself, record by record. {summary(params)}"
            yield from _tables_of(params)


def _rate_tables(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_rate_tables"):
        yield "## Rate tables"
    for key in offers.get("billing_rate_tables", ()):
        kind = host.rate_tables[key]
        yield f"### `{key}`"
        yield f"{kind.title}. A row is named by {', '.join(f'`{name}`' for name in kind.key)}."
        yield _attributes(kind.row)


def _models(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_charge_models"):
        yield "## Charge models"
    for key in offers.get("billing_charge_models", ()):
        yield f"### `{key}`"
        yield f"{host.charge_models[key].title}."
        yield from _tables_of(host.charge_models[key].params)


def _files_out(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_exporters"):
        yield "## Files that leave"
        rows = ((f"`{key}`", host.exporters[key].title) for key in offers["billing_exporters"])
        yield _table(("format", "what it is"), rows)


def _answers(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_answer_readers"):
        yield "## Answers that come"
        rows = ((f"`{key}`", host.answer_readers[key].title) for key in offers["billing_answer_readers"])
        yield _table(("format", "what it is"), rows)


def _checks(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_review_checks"):
        yield "## Review checks"
        titles = {check.name: check.title for check in host.review_checks}
        rows = ((f"`{key}`", titles[key]) for key in offers["billing_review_checks"])
        yield _table(("check", "holds a draft where"), rows)


def _units(_: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_units"):
        yield "## Units"
        yield ", ".join(f"`{key}`" for key in offers["billing_units"])


def _codes(host: Host, offers: Offers) -> Iterator[str]:
    if offers.get("billing_codes"):
        yield "## Codes"
    for key in offers.get("billing_codes", ()):
        page = host.codes[key]
        yield f"### {page.code}"
        yield f"**{page.title}.** {page.meaning}"
        yield f"What to do: {page.remedy}"


def _kind(kind: UsageKind) -> Iterator[str]:
    yield f"### `{kind.name}`"
    cut = "It may be cut at the edge of a period." if kind.divisible else "It belongs to the period in which it starts."
    cut = "It is billed by the next bill after it, however late it comes." if kind.carried else cut
    yield f"{summary(kind.body)} {cut}"
    yield _table(("field", "type", "meaning"), ((f"`{field.name}`", _sort(field), field.meaning) for field in body_fields(kind)))


def _sort(field: BodyField) -> str:
    shown = field.sort.value
    if field.choices is not None:
        shown = " or ".join(f"`{member.value}`" for member in field.choices)
    return f"{shown}, or nothing" if field.optional else shown


def _tables_of(cls: type) -> Iterator[str]:
    """Yield the keys of a class of parameters, and below them those of the tables that it holds."""
    waiting, told = [cls], {cls}
    while waiting:
        now = waiting.pop(0)
        if now is not cls:
            yield f"**{_title(now)}.** {summary(now)}"
        yield _attributes(now)
        hints = typing.get_type_hints(now)  # of cached properties, too
        for key in attrs.fields(now):
            for inner in _classes(hints[key.name]):
                if inner not in told and inner not in _TOLD_ELSEWHERE:
                    told.add(inner)
                    waiting.append(inner)


def _attributes(cls: type) -> str:
    hints, documented = typing.get_type_hints(cls), attribute_docs(cls)
    return _table(
        ("key", "type", "meaning"),
        (
            (f"`{key.name}`", _type(hints[key.name]), f"{documented.get(key.name, '')}{_default(key)}")
            for key in attrs.fields(cls)
            if not key.name.startswith("_")
        ),
    )


def _default(key: attrs.Attribute[Any]) -> str:
    if key.default is attrs.NOTHING:
        return " (required)"
    value = key.default.value if isinstance(key.default, enum.Enum) else key.default
    if isinstance(value, bool):
        return f" (default {str(value).lower()})"
    return f" (default {value})" if isinstance(value, str | int | Fraction) and value != "" else ""


def _type(hint: Any) -> str:
    if hint in _TEXTS:
        return _TEXTS[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(dict.fromkeys(_type(one) for one in arguments if one is not type(None)))
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"table of {_type(arguments[1])}"
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " or ".join(f"`{member.value}`" for member in hint)
    if hint in _TOLD_ELSEWHERE:
        return f"[{_title(hint)}](price_plan.md#{_TOLD_ELSEWHERE[hint]})"
    return f"table {_title(hint)}"


def _title(cls: type) -> str:
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in cls.__name__).strip()


def _classes(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and attrs.has(hint):
        yield hint
    for argument in typing.get_args(hint):
        yield from _classes(argument)


if __name__ == "__main__":
    write()
