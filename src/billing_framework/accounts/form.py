"""A form: how one kind of master data is read from named texts, checked as a whole, and written back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

import attrs

from billing_framework.accounts.fields import Field, text_line
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding, Severity
from billing_framework.values.spelling import did_you_mean

Value = TypeVar("Value")

PERSONAL = frozenset({"name", "street", "street2", "street3", "city", "postcode", "email", "tax_id"})
"""Fields of natural persons; a finding names the field and keeps the value to itself."""


@attrs.frozen(kw_only=True)
class Form(Generic[Value]):
    """How one kind of master data is filled in.

    Attributes:
        kind: name of the kind: ``party``, ``account``, ``agreement``, ``assignment``.
        fields: its fields, in the order of a file's columns.
        free: prefix of free fields (``term.``, ``detail.``), or empty where there are none.
        build: makes the value of the fields that were given; free ones come as one mapping under the prefix without its dot.
        write: the inverse of `build` and the readers: field name to text, empty fields left out.
        rules: rules over several fields; the findings carry no place yet.
        key: what identifies the value: its code, or subject and date.
    """

    kind: str
    fields: tuple[Field, ...]
    free: str = ""
    build: Callable[[Mapping[str, Any]], Value]
    write: Callable[[Value], dict[str, str]]
    rules: Callable[[Value], tuple[Finding, ...]]
    key: Callable[[Value], str]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the fields, without free ones."""
        return tuple(field.name for field in self.fields)

    @property
    def keyed_by(self) -> str:
        """Name of the first field, which names the row in messages."""
        return self.fields[0].name


@attrs.frozen
class Filled(Generic[Value]):
    """What became of one filled form: the value, or findings that say why there is none."""

    value: Value | None
    findings: tuple[Finding, ...] = ()


def fill(form: Form[Value], given: Mapping[str, str], *, file: str = "", line: int = 0) -> Filled[Value]:
    """Read and check `given`; an empty text means that the field is not given.

    Args:
        form: the form.
        given: field name to text.
        file: name of the file, for findings.
        line: 1-based line in it.
    """
    place: dict[str, Any] = {"file": file, "line": line, "subject": given.get(form.keyed_by, "")[:80]}
    values, findings = _read_fields(form, given, place)
    findings += _unknown(form, given, place)
    if findings:
        return Filled(None, tuple(findings))
    value = form.build(values)
    broken = tuple(attrs.evolve(finding, **place) for finding in form.rules(value))
    return Filled(None if any(finding.stops for finding in broken) else value, broken)


def change(form: Form[Value], value: Value, changes: Mapping[str, str]) -> Filled[Value]:
    """Return the value with `changes` filled in; an empty text takes a field back to its default."""
    return fill(form, form.write(value) | dict(changes))


def _read_fields(form: Form[Value], given: Mapping[str, str], place: Mapping[str, Any]) -> tuple[dict[str, Any], list[Finding]]:
    values: dict[str, Any] = {}
    findings: list[Finding] = []
    for field in form.fields:
        text = given.get(field.name, "")
        if text:
            _read_one(field, text, values, findings, place)
        elif field.required:
            findings.append(
                Finding(
                    code="ACCOUNT01",
                    severity=Severity.BLOCKING,
                    what=f"the {form.kind} has no {field.name}",
                    remedy=f"Give its {field.name}: {field.help}",
                    field=field.name,
                    **place,
                )
            )
    if form.free:
        free = Field(name=form.free, read=text_line, help="")
        values[form.free.rstrip(".")] = {
            name.removeprefix(form.free): text for name, text in sorted(given.items()) if text and name.startswith(form.free)
        }
        for name, text in given.items():
            if text and name.startswith(form.free):
                _read_one(attrs.evolve(free, name=name), text, {}, findings, place)
    return values, findings


def _read_one(field: Field, text: str, values: dict[str, Any], findings: list[Finding], place: Mapping[str, Any]) -> None:
    try:
        values[field.name] = field.read(text)
    except ValueRefused as refused:
        shown = "" if field.name in PERSONAL else text
        findings.append(
            Finding(
                code=refused.code,
                severity=Severity.BLOCKING,
                what=refused.what if shown else f"the {field.name} is not as it must be",
                remedy=refused.remedy or f"Give the {field.help}",
                field=field.name,
                value=shown,
                **place,
            )
        )


def _unknown(form: Form[Value], given: Mapping[str, str], place: Mapping[str, Any]) -> list[Finding]:
    known = set(form.names)
    extra = [name for name in given if name not in known and not (form.free and name.startswith(form.free) and name != form.free)]
    return [
        Finding(
            code="ACCOUNT03",
            severity=Severity.BLOCKING,
            what=f"the {form.kind} has no field of this name",
            remedy=did_you_mean(name, [*known, f"{form.free}NAME"] if form.free else known),
            field=name,
            **place,
        )
        for name in extra
    ]
