"""Edits of records as pure functions: what they may change, what they rest on, and what they leave as it was."""

from __future__ import annotations

import enum
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework.accounts.assignment import Assignment
from billing_framework.invoicing.edit import Edit, EditField, apply_edits
from billing_framework.invoicing.record_edit import change_record, defer_record, edit_records, record_key
from billing_framework.rating.group import KeyedUsage
from billing_framework.usage.record import Usage, UsageKind
from billing_framework.values.errors import ValueRefused
from billing_framework.values.period import Span

AT = datetime(2026, 8, 1, tzinfo=UTC)


class Mood(enum.Enum):
    GOOD = "good"
    BAD = "bad"


@attrs.frozen(kw_only=True)
class Work:
    """Work.

    Attributes:
        units: how much.
    """

    units: Fraction
    pieces: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(100)])
    note: str = ""
    mood: Mood = Mood.GOOD
    done: bool = False
    day: date | None = None
    back: datetime | None = None
    secret: str = ""


KIND = UsageKind(
    name="work",
    title="Work",
    body=Work,
    carried=True,
    editable=("units", "pieces", "note", "mood", "done", "day", "back"),
)
KINDS = {"work": KIND}


def record(key: int = 7, **fields: Any) -> KeyedUsage:
    body = Work(units=Fraction(5), **fields)
    usage: Usage[Work] = Usage(kind="work", source="s", external_id=f"w{key}", subject="ann", span=Span.at(AT), body=body)
    return KeyedUsage(key=key, usage=usage, assignment=Assignment(subject="ann", agreement="A1", starts_on=date(2026, 1, 1)))


def changed(one: KeyedUsage, name: str, text: str) -> Edit:
    return change_record(one, KIND, name, text, reason="why", actor="ada", at=AT)


@pytest.mark.parametrize(
    ("name", "text", "value", "after"),
    [
        ("units", "2.50", Fraction(5, 2), "2.5"),
        ("units", "-1/3", Fraction(-1, 3), "-1/3"),
        ("pieces", "12", 12, "12"),
        ("note", "Zürich, -> Ulm", "Zürich, -> Ulm", "Zürich, -> Ulm"),
        ("mood", "bad", Mood.BAD, "bad"),
        ("done", "Yes", True, "true"),
        ("day", "2026-02-28", date(2026, 2, 28), "2026-02-28"),
        ("back", "2026-07-01T10:00:00+02:00", datetime(2026, 7, 1, 8, tzinfo=UTC), "2026-07-01T08:00:00+00:00"),
    ],
)
def test_each_type_of_field_is_edited_and_the_original_is_kept(name: str, text: str, value: object, after: str) -> None:
    one = record()
    edit = changed(one, name, text)
    assert (edit.field, edit.name, edit.after, record_key(edit)) == (EditField.RECORD, name, after, 7)
    (edited,) = edit_records([one], [edit], KINDS).records
    assert getattr(edited.usage.body, name) == value
    assert edited.original == one.usage
    back = changed(edited, name, edit.before)
    (restored,) = edit_records([one], [edit, back], KINDS).records
    assert restored == one  # nothing is left of an edit that was edited back


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("units", "0x5"), ("units", "nan"), ("units", ""), ("pieces", "1.5"), ("pieces", str(2**63)), ("mood", "so-so"),
        ("pieces", "-5"), ("pieces", "101"),
        ("done", "1"), ("day", "28.02.2026"), ("back", "2026-07-01T10:00:00"), ("note", "a\x00b"), ("units", "1" + "0" * 41),
    ],
)  # fmt: skip
def test_what_a_field_cannot_hold_is_refused(name: str, text: str) -> None:
    assert refusal(name, text) == "INVOICE24"


def refusal(name: str, text: str) -> str:
    """Return the code with which a value is refused, by the field alone or by the whole record."""
    one = record()
    try:
        edited = edit_records([one], [changed(one, name, text)], KINDS)
    except ValueRefused as error:
        return error.code
    return edited.findings[0].code if edited.findings else ""


def test_fields_that_are_not_editable_stay_as_delivered() -> None:
    one = record()
    with pytest.raises(ValueRefused, match="INVOICE23"):
        changed(one, "secret", "x")
    forged = attrs.evolve(changed(one, "note", "x"), name="secret")
    edited = edit_records([one], [forged], KINDS)
    assert (edited.records, [finding.code for finding in edited.findings]) == ((one,), ["INVOICE23"])


def test_an_edit_rests_on_what_was_seen() -> None:
    edit = changed(record(note="before"), "note", "after")
    moved = record(note="otherwise")
    edited = edit_records([moved], [edit], KINDS)
    assert (edited.records, [finding.code for finding in edited.findings]) == ((moved,), ["INVOICE08"])
    assert [finding.code for finding in edit_records([], [edit], KINDS).findings] == ["INVOICE07"]


def test_a_deferred_record_is_not_rated_and_not_edited_again() -> None:
    one, other = record(7), record(8)
    later = defer_record(one, KIND, reason="why", actor="ada", at=AT)
    edited = edit_records([one, other], [later, changed(one, "note", "x")], KINDS)
    assert edited.records == (other,)
    assert list(edited.deferred) == [7]
    assert [finding.code for finding in edited.findings] == ["INVOICE07"]
    with pytest.raises(ValueRefused, match="INVOICE25"):
        defer_record(one, attrs.evolve(KIND, carried=False), reason="why", actor="ada", at=AT)


def test_edits_of_records_and_of_charges_pass_each_other_by() -> None:
    one = record()
    edit = changed(one, "note", "x")
    assert apply_edits([], [edit]).findings == ()
    of_charge = attrs.evolve(edit, field=EditField.LINE, target="A1|x|y|z", name="")
    assert record_key(of_charge) is None
    assert edit_records([one], [of_charge], KINDS).records == (one,)
