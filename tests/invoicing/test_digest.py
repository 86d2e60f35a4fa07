from datetime import date
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_framework.invoicing.digest import canonical_json, document_digest
from billing_framework.invoicing.draft import Note
from billing_framework.values.errors import ValueRefused
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money
from tests.invoicing.drafts import draft

MADE = draft(("plan", "77.33", "19"))


def test_keys_and_findings_are_no_content() -> None:
    other = attrs.evolve(
        MADE, key=99, corrects=7, findings=(Finding(code="REVIEW01", what="large"),), notes=(Note("information", "Hello", 1),)
    )
    same = attrs.evolve(MADE, notes=(Note("information", "Hello", 2),))
    assert document_digest(other) == document_digest(same)


@pytest.mark.parametrize(
    "change",
    [
        {"due_on": date(2026, 8, 18)},
        {"locale": "en_US"},
        {"notes": (Note("information", "Hello"),)},
        {"lines": (attrs.evolve(MADE.lines[0], description="Plan"),)},
        {"lines": (attrs.evolve(MADE.lines[0], details=(("a", "b"),)),)},
        {"totals": attrs.evolve(MADE.totals, net=Money(1, "EUR"))},
        {"taxes": (attrs.evolve(MADE.taxes[0], title="USt"),)},
        {"reason": "wrong reading"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_all_that_is_printed_is_content(change: dict[str, Any]) -> None:
    assert document_digest(attrs.evolve(MADE, **change)) != document_digest(MADE)


def test_the_digest_is_known() -> None:
    assert document_digest(MADE) == "d6b4b56600506168ee06a00162c16a83e7b1ccc1d5a75fa98c932070016afeaa"


@given(st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none(), st.fractions()), max_size=5))
def test_the_order_of_a_mapping_does_not_matter(content: dict[str, object]) -> None:
    assert canonical_json(content) == canonical_json(dict(reversed(content.items())))


def test_a_float_has_no_exact_text() -> None:
    with pytest.raises(ValueRefused, match="VALUE01 float has no exact text"):
        canonical_json({"price": float(1)})


def test_a_field_that_a_later_version_adds_changes_no_digest_while_it_says_nothing() -> None:
    line = attrs.make_class("DraftLine", {"note": attrs.field(default=""), "number": attrs.field(default=0)}, frozen=True)
    assert canonical_json(line(number=3)) == b'{"number":3}'
    assert canonical_json(line(number=3, note="x")) == b'{"note":"x","number":3}'
