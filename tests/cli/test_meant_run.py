"""Which run a command means where none is named: one rule for all of them."""

from __future__ import annotations

import pytest

from tests.cli.in_office import told
from tests.cli.test_run_and_invoice import office
from tests.scenarios.office import Office

__all__ = ["office"]

JUNE, JULY = "MAIN.2026-06-01.monthly-1.1", "MAIN.2026-07-01.monthly-1.1"
LOOKING = ("show", "status", "report", "review", "late")


def start(office: Office, month: str, *options: str) -> None:
    told(office, "run", "start", "--period", month, "--as-of", "2026-08-01", *options)


@pytest.mark.parametrize("verb", [*LOOKING, "resume", "retry", "approve", "rebill-late"])
def test_where_several_are_under_way_they_are_named_and_nothing_is_done(office: Office, verb: str) -> None:
    start(office, "2026-06", "--account", "C1")
    start(office, "2026-06", "--account", "C2")
    reason = () if verb in (*LOOKING, "resume", "retry") else ("--reason", "x")
    shown = told(office, "run", verb, *reason, code=2)
    assert "RUN61 2 runs could be meant" in shown
    assert f"Name one of them: {JUNE[:-1]}2, {JUNE}" in shown
    assert "2 drafted" not in told(office, "run", "list")


def test_the_only_one_that_can_be_acted_upon_is_meant(office: Office) -> None:
    start(office, "2026-06")
    told(office, "run", "approve")
    start(office, "2026-07", "--rehearsal")
    assert f"run {JUNE}: 2 documents posted" in told(office, "run", "post")
    start(office, "2026-07")
    told(office, "run", "release", JULY, "C2", "--reason", "big order")
    assert f"run {JULY}: 2 documents approved" in told(office, "run", "approve")
    assert f"run       {JULY} (final, approved)" in told(office, "run", "status")


def test_where_none_is_left_the_last_one_is_looked_at_and_never_acted_upon(office: Office) -> None:
    assert "RUN01 there is no run yet" in told(office, "run", "post", code=2)
    start(office, "2026-06")
    told(office, "run", "approve")
    told(office, "run", "post")
    assert f"nothing to do: run {JUNE} is posted" in told(office, "run", "post")
    assert f"nothing to do: run {JUNE} is posted" in told(office, "run", "approve")
    assert f"nothing to do: run {JUNE} is posted" in told(office, "run", "resume")
    assert f"RUN03 the run {JUNE} is posted" in told(office, "run", "retry", code=3)
    assert "RUN01 there is no run under way" in told(office, "run", "rebill-late", "--reason", "x", code=2)


def test_a_rehearsal_counts_until_its_dates_are_run_finally(office: Office) -> None:
    start(office, "2026-07", "--rehearsal")
    assert "(rehearsal, drafted)" in told(office, "run", "show")
    assert "RUN01" in told(office, "run", "post", code=2)
    start(office, "2026-07")
    assert f"{JULY} (final, drafted)" in told(office, "run", "show")
    start(office, "2026-06", "--rehearsal")
    assert "RUN61" in told(office, "run", "show", code=2)


def test_a_cancelled_rehearsal_is_not_meant(office: Office) -> None:
    start(office, "2026-06", "--rehearsal")
    told(office, "run", "cancel", f"{JUNE[:-1]}r1", "--reason", "a slip")
    start(office, "2026-07")
    assert f"{JULY} (final, drafted)" in told(office, "run", "show")


def test_every_command_that_needs_no_run_named_tells_the_rule(office: Office) -> None:
    for verb in (*LOOKING, "resume", "retry", "approve", "rebill-late", "post"):
        help_text = " ".join(told(office, "run", verb, "--help").split())
        assert "Without RUN, the only run is meant that is under way" in help_text, verb
        assert "Example:" in help_text


UNNAMED = [
    ("cancel", "", "--reason", "x"),
    ("purge", ""),
    ("release", "", "C1", "--reason", "x"),
    ("hold", " ", "C1", "--reason", "x"),
    ("edit", "", "C1", "--line", "1", "--amount", "1", "--reason", "x"),
]


@pytest.mark.parametrize("verb", UNNAMED)
def test_a_run_that_nobody_named_is_never_changed(office: Office, verb: tuple[str, ...]) -> None:
    start(office, "2026-07", *(["--rehearsal"] if "purge" in verb else []))
    assert "RUN01 no run is named" in told(office, "run", *verb, code=2)
    assert "drafted" in told(office, "run", "list")


def test_a_run_is_not_offered_in_place_of_the_one_it_is_compared_with(office: Office) -> None:
    start(office, "2026-07")
    alone = told(office, "run", "diff", JULY, "MAIN.2026-07-01.monthly-1.2", code=2)
    assert "RUN01" in alone
    assert "Did you mean" not in alone
    assert "--rehearsal" in alone
    start(office, "2026-07", "--rehearsal")
    assert f"Did you mean '{JULY[:-1]}r1'" in told(office, "run", "diff", JULY, "MAIN.2026-07-01.monthly-1.3", code=2)
