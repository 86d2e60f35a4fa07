"""Which rate tables a price plan names, found by the types of its components' parameters, and which versions price its dates."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import attrs

from billing_framework.rating.in_force import Dated, in_force
from billing_framework.rating.price_plan import PlanVersion
from billing_framework.rating.rate_table import KIND, RateTableName
from billing_framework.values.finding import Finding
from billing_framework.values.period import DateSpan


@attrs.frozen
class NamedTable:
    """A rate table that a component names.

    Attributes:
        code: code of the table.
        kind: kind that it must be of; empty where the component takes any.
        component: code of the component.
        field: name of its parameter.
    """

    code: str
    kind: str
    component: str
    field: str


def tables_named(plan: PlanVersion) -> tuple[NamedTable, ...]:
    """Return the rate tables that a plan names, in the order of its components; each table once per parameter."""
    found: dict[NamedTable, None] = {}
    for component in plan.components:
        for code, kind, field in _in_class(component.params, ""):
            found[NamedTable(code, kind, component.code, field)] = None
    return tuple(found)


def _in_class(value: Any, at: str) -> Iterator[tuple[str, str, str]]:
    for name, hint, kind in _fields_of(value):
        yield from _in_value(getattr(value, name), hint, kind, f"{at}.{name}" if at else name)


def _fields_of(value: object) -> tuple[tuple[str, Any, str], ...]:
    cls: Any = type(value)
    return _fields(cls)


@functools.lru_cache(maxsize=512)
def _fields(cls: Any) -> tuple[tuple[str, Any, str], ...]:
    """Return name, type and kind of each field of a class in which the name of a table can stand."""
    if not attrs.has(cls):
        return ()
    hints = typing.get_type_hints(cls)
    fields = ((field.name, hints.get(field.name, Any), field.metadata.get(KIND, "")) for field in attrs.fields(cls))
    return tuple((name, hint, kind) for name, hint, kind in fields if _may_name(hint))


def _may_name(hint: Any) -> bool:
    if hint is RateTableName or (isinstance(hint, type) and attrs.has(hint)):
        return True
    return any(_may_name(part) for part in typing.get_args(hint))


def _in_value(value: Any, hint: Any, kind: str, at: str) -> Iterator[tuple[str, str, str]]:
    if hint is RateTableName:
        if isinstance(value, str) and value:
            yield value, kind, at
    elif attrs.has(type(value)):
        yield from _in_class(value, at)
    elif typing.get_origin(hint) in (typing.Union, types.UnionType):
        for part in typing.get_args(hint):
            yield from _in_value(value, part, kind, at)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _in_value(item, typing.get_args(hint)[1], kind, f"{at}.{key}")
    elif isinstance(value, tuple | list | frozenset):
        for item in value:
            yield from _in_value(item, typing.get_args(hint)[0], kind, at)


class KnownTable(Dated, typing.Protocol):
    """What is known of a loaded version before its rows are read."""

    @property
    def code(self) -> str:
        """Code of the table."""

    @property
    def kind(self) -> str:
        """Name of its kind."""


Known = TypeVar("Known", bound=KnownTable)


def choose_tables(
    tiles: Iterable[tuple[DateSpan, PlanVersion]], known: Sequence[Known]
) -> tuple[tuple[Known, ...], tuple[Finding, ...]]:
    """Return the versions that a rater needs for the dates of some tiles, by code and first date, and what is wrong with them.

    Dates that no version prices are no finding here: whether a price is needed on them only the rater knows.

    Args:
        tiles: dates with the plan version that prices them.
        known: versions of rate tables, of any code, that count: those loaded by the instant up to which things are known.
    """
    needed: dict[str, list[DateSpan]] = {}
    findings: list[Finding] = []
    for dates, plan in tiles:
        for named in tables_named(plan):
            needed.setdefault(named.code, []).append(dates)
            findings += _wrong_kind(plan, named, known)
    chosen: list[Known] = []
    for code, spans in sorted(needed.items()):
        found, unclear = _in_spans(code, [one for one in known if one.code == code], spans)
        chosen += found
        findings += unclear
    return tuple(chosen), tuple(dict.fromkeys(findings))


def _in_spans(code: str, versions: Sequence[Known], spans: Iterable[DateSpan]) -> tuple[list[Known], list[Finding]]:
    winners: set[str] = set()
    findings: list[Finding] = []
    for dates in spans:
        for part, found in _holding(versions, dates):
            winners.update(found)
            if len(found) > 1:
                findings.append(_unclear(code, part, found))
    while more := {one.version for one in versions if one.supersedes in winners} - winners:
        winners |= more  # a version that corrects a chosen one goes with it, so that the rater chooses among the same
    return [one for one in versions if one.version in winners], findings


def _holding(versions: Sequence[Dated], dates: DateSpan) -> Iterator[tuple[DateSpan, list[str]]]:
    edges = [edge for one in versions for edge in (one.valid_from, one.valid_to) if edge is not None]
    for part in dates.tiles(edges):
        yield part, [one.version for one in in_force(versions, part.start)]


def in_conflict(versions: Sequence[Dated], dates: DateSpan) -> list[tuple[DateSpan, list[str]]]:
    """Return the parts of some dates that more than one version of a table claims, with their labels."""
    return [(part, found) for part, found in _holding(versions, dates) if len(found) > 1]


def _unclear(code: str, dates: DateSpan, versions: Sequence[str]) -> Finding:
    return Finding(
        code="TABLE08",
        what=f"several versions of the rate table {code!r} price {dates}: {', '.join(versions)}",
        remedy="Load a version that supersedes one of them and says why",
        subject=code,
        value=str(dates),
    )


def _wrong_kind(plan: PlanVersion, named: NamedTable, known: Iterable[KnownTable]) -> Iterator[Finding]:
    kind = next((one.kind for one in known if one.code == named.code), named.kind)
    if named.kind and kind != named.kind:
        yield Finding(
            code="TABLE07",
            what=f"component {named.component!r} of {plan.name} needs a rate table of kind {named.kind!r}, not {kind!r}",
            remedy="Name a table of that kind in the plan",
            field=f"{named.component}.{named.field}",
            subject=named.code,
            value=named.code,
        )
