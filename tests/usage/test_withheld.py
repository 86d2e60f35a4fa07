"""Personal fields of usage kinds: refused where they cannot be withheld, and kept out of reprs, digests and findings."""

from datetime import UTC, date, datetime
from enum import Enum
from fractions import Fraction
from typing import Any

import attrs
import pytest

from billing_framework import Span, Usage, UsageKind, personal
from billing_framework.usage.content import content_digest, field_text, field_value, personal_text
from billing_framework.usage.describe import describe_kind
from billing_framework.usage.kind_fields import body_fields
from billing_framework.usage.withheld import safe_finding, withheld
from billing_framework.values.errors import ContractBroken
from billing_framework.values.finding import Finding


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


@attrs.frozen(kw_only=True)
class Visit:
    """A visit.

    Attributes:
        minutes: how long it took.
        name: who came.
    """

    minutes: int
    name: str = personal()
    nick: str | None = personal(None)
    born: date | None = personal(None)
    at: datetime | None = personal(None)
    size: Fraction | None = personal(None)
    age: int | None = personal(None)
    new: bool | None = personal(None)
    mood: Mood | None = personal(None)
    marks: tuple[int, ...] | None = personal(None)


VISIT = UsageKind(name="visit", title="A visit", body=Visit)
FIELDS = body_fields(VISIT)


def visit(**fields: Any) -> Usage[Visit]:
    given: dict[str, Any] = {"minutes": 3, "name": "Zoe"} | fields
    span = Span.at(datetime(2026, 7, 1, tzinfo=UTC))
    return Usage(kind="visit", source="s", external_id="1", subject="c", span=span, body=Visit(**given))


FULL = {
    "nick": "Z",
    "born": date(1990, 2, 28),
    "at": datetime(2026, 7, 1, 10, 0, 0, 5, tzinfo=UTC),
    "size": Fraction(5, 3),
    "age": 36,
    "new": False,
    "mood": Mood.BAD,
    "marks": (1, -2),
}


def test_a_record_does_not_show_itself() -> None:
    shown = repr(visit(**FULL))
    assert "minutes=3, name=<personal>, nick=<personal>, born=<personal>" in shown
    assert "Zoe" not in shown
    assert "1990" not in shown


def test_raters_are_given_what_is_not_personal() -> None:
    given = withheld(visit(**FULL), FIELDS).body
    assert (given.minutes, given.name, given.nick) == (3, "<personal>", "<personal>")
    assert [getattr(given, name) for name in list(FULL)[1:]] == [None] * 7


def test_every_value_comes_back_from_its_text() -> None:
    body = visit(**FULL).body
    for field in FIELDS:
        assert field_value(field_text(getattr(body, field.name), field), field) == getattr(body, field.name)


def test_the_digest_knows_personal_fields_only_by_their_mark() -> None:
    one, other = visit(name="Zoe"), visit(name="Bea")
    assert content_digest(one, FIELDS) == content_digest(other, FIELDS)
    assert content_digest(one, FIELDS, b"1") != content_digest(other, FIELDS, b"2")
    assert content_digest(one, FIELDS, b"1") != content_digest(visit(minutes=4), FIELDS, b"1")
    assert personal_text(one.body, FIELDS) != personal_text(other.body, FIELDS)
    assert personal_text(one.body, [field for field in FIELDS if not field.personal]) == ""


@attrs.frozen(kw_only=True)
class Needed:
    born: date = personal()


@attrs.frozen(kw_only=True)
class Named:
    name: str = personal()


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (UsageKind(name="visit", title="x", body=Needed), "nothing to stand in its place"),
        (UsageKind(name="visit", title="x", body=Named, editable=("name",)), "is editable"),
    ],
)
def test_a_field_that_cannot_be_withheld_is_refused(kind: UsageKind, told: str) -> None:
    with pytest.raises(ContractBroken, match="PLUGIN11") as caught:
        body_fields(kind)
    assert told in str(caught.value)


def test_the_reference_says_what_is_personal() -> None:
    assert "name: text, personal; who came" in describe_kind(VISIT)


def test_a_finding_about_a_record_quotes_its_envelope_alone() -> None:
    told = Finding(code="USAGE25", what="'Zoe Quill' is none of the known values", remedy="x", field="mood", value="Zoe Quill")
    assert safe_finding(told).what == "'<personal>' is none of the known values"
    assert safe_finding(told).value == "<personal>"
    quoting = Finding(code="USAGE01", what="invalid literal: 'Zoe Quill'", remedy="x")
    assert safe_finding(quoting).what == "invalid literal: '<personal>'"
    named = Finding(code="USAGE03", what="the identifier belongs to no agreement", field="subject", value="CARD-1")
    assert safe_finding(named) == named
    long = "Zoe" * 30
    cut = Finding(code="USAGE25", what=f"{long[:60]!r} is none of them", field="mood", value=long)
    assert "Zoe" not in str(safe_finding(cut))
