"""Answers taken in by several officers at once: each item is booked once, whoever is first."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from billing_framework.run.collect.answer_queue import Retry, discard_item, retry_item
from billing_framework.storage.engine import Database
from billing_framework.values.errors import BillingError
from tests.run.test_answers import PAID, Desk


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.of(database)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run the acts in threads that start together; return what each came to, or the code by which it was refused."""
    barrier = threading.Barrier(len(acts))
    outcomes: list[Any] = []

    def run(act: Callable[[], Any]) -> None:
        barrier.wait()
        try:
            outcomes.append(act())
        except BillingError as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def test_one_file_by_four_officers_is_booked_once(desk: Desk) -> None:
    outcomes = at_once(*[lambda: desk.take(*PAID)] * 4)
    counts = [(one.answers[0].posted, one.answers[0].duplicate, one.written) for one in outcomes]
    assert sorted(counts) == [(0, 1, False)] * 3 + [(1, 0, True)]
    assert desk.books()["Bank"] == "30.00"
    assert desk.open("T1") == []
    desk.sound()


def test_a_waiting_item_is_decided_once(desk: Desk) -> None:
    desk.take(*(row.replace("INV-2026-000002", "INV-9") for row in PAID))
    deployment = desk.office.deployment
    meant = Retry(document="INV-2026-000002", reason="mistyped")
    outcomes = at_once(
        lambda: retry_item(deployment, "TR-1/1", meant).state,
        lambda: discard_item(deployment, "TR-1/1", account="T2", reason="not ours").state,
        lambda: retry_item(deployment, "TR-1/1", meant).state,
    )
    assert outcomes.count("ANSWER15") == 2
    assert set(outcomes) & {"posted", "discarded"}
    assert "Suspense" not in desk.books()
    desk.sound()
