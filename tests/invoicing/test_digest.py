from datetime import date
from typing import Any

import attrs
import pytest

from billing_framework.invoicing.digest import document_digest
from billing_framework.invoicing.draft import Note
from billing_framework.values.finding import Finding
from billing_framework.values.money import Money
from tests.invoicing.drafts import draft

MADE = draft(("plan", "77.33", "19"))


def test_keys_and_findings_are_no_content() -> None:
    other = attrs.evolve(
        MADE, key=99, findings=(Finding(code="REVIEW01", what="large"),), notes=(Note("information", "Hello", 1),)
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
    assert document_digest(MADE) == "67bbb723979430e507bdd3dbb08b58fe57778e24d1afa8c399c4ff2c7918c8c0"
