"""How far a run has come: lines and bars while it runs, the status from elsewhere, and going on with it."""

from __future__ import annotations

import io
import json
import os
import re
import sys
from contextlib import nullcontext
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from billing_framework.cli.run_progress import run_progress
from billing_framework.run.review.report import report_run
from billing_framework.run.review.status import run_status
from billing_framework.run.work.lease import claim
from billing_framework.run.work.work import Work
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.engine import Database
from tests.cli.in_office import told
from tests.scenarios.office import Office


class Interrupted(Exception):
    """Somebody pressed a key."""


@pytest.fixture
def office(sqlite_database: Database) -> Office:
    office = Office.of(sqlite_database)
    for number in range(5):
        office.customer(f"C{number}", f"machine-{number}")
    return office


def cut_off(office: Office) -> Run:
    def fail(_done: int, _of: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        office.start("2026-07", work=Work(shard_size=2, batch_size=1), progress=fail)
    with office.deployment.database.read() as connection:
        return meant_run(connection, "")


def test_the_status_says_that_somebody_interrupted_the_work(office: Office) -> None:
    def interrupt(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        office.start("2026-07", work=Work(shard_size=2, batch_size=1), progress=interrupt)
    assert "shard 1 was given back: somebody interrupted the work on it" in told(office, "run", "status")


def test_the_status_tells_shards_workers_and_accounts(office: Office) -> None:
    run = cut_off(office)
    assert claim(office.deployment, run, "draft", owner="other", seconds=60, number=2) is not None
    office.clock.advance(timedelta(seconds=30))
    text = told(office, "run", "status")
    assert "accounts  1 drafted, 4 pending" in text
    assert "draft: 1 of 5 accounts; shards: 2 pending, 1 claimed" in text
    assert "2    0/2  other   2026-08-01T09:01:00+00:00  at work" in text
    assert "shard 1 was given back: Interrupted" in text
    data: Any = json.loads(told(office, "run", "status", "--json"))
    assert data["steps"][0]["held"][0]["worker"] == "other"
    assert data["accounts"] == {"drafted": 1, "pending": 4}


def test_the_pace_is_that_of_late(office: Office) -> None:
    cut_off(office)

    def pass_time(_done: int, _of: int) -> None:
        office.clock.advance(timedelta(seconds=10))
        found.append(run_status(office.deployment).steps[0])

    found: list[Any] = []
    office.start("2026-07", work=Work(shard_size=2, batch_size=1), progress=pass_time)
    assert [(one.saved, one.per_minute, one.remaining_seconds) for one in found][:2] == [(2, 12, 15), (3, 9, 13)]
    assert found[-1].remaining_seconds is None
    assert run_status(office.deployment).steps[0].per_minute is None


def test_a_run_that_is_over_has_no_pace(office: Office) -> None:
    def fail_late(done: int, _of: int) -> None:
        office.clock.advance(timedelta(seconds=10))
        if done == 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        office.start("2026-07", work=Work(shard_size=2, batch_size=1), progress=fail_late)
    assert run_status(office.deployment).steps[0].remaining_seconds
    told(office, "run", "cancel", "2026-07-01.monthly-1.1", "--reason", "wrong month")
    (step,) = run_status(office.deployment).steps
    assert (step.per_minute, step.remaining_seconds) == (None, None)
    assert "per minute" not in told(office, "run", "status")


def test_pauses_are_told_apart_from_work(office: Office) -> None:
    def pass_time(done: int, _of: int) -> None:
        office.clock.advance(timedelta(minutes=1))
        if done == 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        office.start("2026-07", work=Work(shard_size=2, batch_size=1), progress=pass_time)
    office.clock.advance(timedelta(hours=2))
    told(office, "run", "resume")
    (step,) = report_run(office.deployment).times
    assert step.ended - step.began > timedelta(hours=2)
    assert step.worked == timedelta(minutes=1)
    assert re.search(r"draft +3 +5 +0:01:00 +2:03:00", told(office, "run", "report"))


def test_a_run_that_was_cut_off_goes_on(office: Office) -> None:
    run = cut_off(office)
    assert f"run {run.code}: 4 accounts drafted; it is drafted" in told(office, "run", "resume")
    assert f"nothing to do: run {run.code} is drafted" in told(office, "run", "resume", run.code)
    office.approve()

    def fail(_done: int, _of: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        office.post(work=Work(shard_size=2), progress=fail)
    assert "post: 2 of 5 documents; shards: 3 pending" in told(office, "run", "status")
    assert "3 documents posted; it is posted" in told(office, "run", "resume", "--shard-size", "1", "--lease-seconds", "30")
    assert "no run" in told(office, "run", "resume", "nowhere", code=2)


def test_accounts_that_are_drafted_anew_count_once(office: Office) -> None:
    office.start("2026-07")
    office.jobs("j1,machine-0,2026-07-03T08:00:00+00:00,4")
    seen: list[tuple[int, int]] = []
    office.start("2026-07", progress=lambda done, of: seen.append((done, of)))
    assert seen[-1] == (5, 5)
    text = told(office, "run", "status")
    assert "accounts  5 drafted" in text
    assert "draft: 5 of 5 accounts; shards: 2 done" in text


def test_executors_are_checked_at_the_command_line(office: Office) -> None:
    start = ("run", "start", "--period", "2026-07", "--as-of", "2026-08-01")
    assert "is not one of" in told(office, *start, "--executor", "abacus", code=2)
    assert "RUN44" in told(office, *start, "--executor", "processes", code=2)
    assert "RUN44" in told(office, *start, "--scheduler", "nowhere.json", code=2)
    assert "5 accounts drafted" in told(office, *start)


def test_lines_are_logged_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seconds = iter([0, 4, 10, 12, 25])
    monkeypatch.setattr(f"{run_progress.__module__}.time", SimpleNamespace(monotonic_ns=lambda: next(seconds) * 1_000_000_000))
    with run_progress("drafting", "accounts") as progress:
        for done in (100, 140, 200, 220, 350):
            progress(done, 1_000)
    assert capsys.readouterr().err.splitlines() == [
        "drafting: 200 of 1000 accounts, 10 accounts/s, 0:01:20 left",
        "drafting: 350 of 1000 accounts, 10 accounts/s, 0:01:05 left",
    ]


def test_a_bar_is_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    seconds = iter([0, 5, 9])
    monkeypatch.setattr(f"{run_progress.__module__}.time", SimpleNamespace(monotonic_ns=lambda: next(seconds) * 1_000_000_000))
    with run_progress("posting", "documents") as progress:
        for done in (0, 500, 1_000):
            progress(done, 1_000)
    assert "posting" in terminal.getvalue()
    assert "100 documents/s" in terminal.getvalue()
    assert "1000/1000" in terminal.getvalue()


def test_nobody_reading_the_progress_any_more_does_not_end_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as raw:
        monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(raw, write_through=True))
        with run_progress("drafting", "accounts", every_seconds=0) as told_of:
            told_of(1, 2)
            told_of(2, 2)
        monkeypatch.undo()


def test_who_posts_is_told_that_the_run_was_cancelled_meanwhile(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.start("2026-07")
    office.approve()
    another = ("run", "cancel", "2026-07-01.monthly-1.1", "--reason", "wrong price")

    def cancel(done: int, _of: int) -> None:
        if done == 3:
            refused = told(office.as_("ben"), *another, code=3)
            assert "RUN65" in refused
            assert "would issue 2 numbers as void: INV-2026-000004 to INV-2026-000005" in refused
            shown = told(office.as_("ben"), *another, "--void-numbers")
            assert "what it has posted stays, 2 accounts are left to the next run" in shown
            assert "issued as void, 2 numbers: INV-2026-000004 to INV-2026-000005" in shown

    monkeypatch.setattr("billing_framework.cli.run_post_verb.run_progress", lambda *_: nullcontext(cancel))
    shown = told(office, "run", "post", "--shard-size", "5", "--chunk-size", "1", code=1)
    run = "run MAIN.2026-07-01.monthly-1.1"
    ended = "posting was cancelled: wrong price; 2 accounts are left to the next run"
    assert shown.strip() == f"{run}: 3 documents posted, then ben ended it: {ended}"
    assert "posted, 2 left" in told(office, "run", "list")
    for look in ("status", "show"):
        assert f"by ben: {ended}" in told(office, "run", look)
    again = told(office, "run", "post", "MAIN.2026-07-01.monthly-1.1")
    assert f"nothing to do: {run} is posted, ended early by ben: {ended}" in again
    assert len(office.documents()) == 5


def test_going_on_tells_how_many_accounts_are_held(office: Office) -> None:
    run = cut_off(office)
    told(office, "run", "hold", run.code, "C0", "--reason", "in dispute")
    shown = told(office, "run", "resume")
    assert "1 held" in shown
    assert f"why: billing run review {run.code}" in shown
