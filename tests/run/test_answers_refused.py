"""Answers that are refused as a whole: names that cannot be kept, and what is no file of answers."""

from __future__ import annotations

import pytest

from billing_framework.run.collect.answer_view import answers_taken_in
from billing_framework.storage.engine import Database
from billing_framework.values.errors import InputRefused
from tests.run.test_answers import PAID, Desk, codes


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.of(database)


@pytest.mark.parametrize("name", ["A\x00", "A\x1b[2J", "A" * 201])
def test_names_that_could_not_be_kept_refuse_the_file(desk: Desk, name: str) -> None:
    for old in ("TR-1", "GUILD", "2/A/1", ",A,", "CO,42", "agreed.other"):
        new = old.replace("A", name) if "A" in old else old + name
        report = desk.take(*(row.replace(old, new) for row in PAID))
        assert codes(report) == ["ANSWER13"], old
    assert answers_taken_in(desk.office.deployment) == []


def test_what_is_not_a_file_of_answers_is_refused(desk: Desk) -> None:
    with pytest.raises(InputRefused, match="ANSWER13"):
        desk.take("")
    with pytest.raises(InputRefused, match="ANSWER13"):
        desk.take(*PAID, options={"wid": "1"})
