"""A run whose processes are killed at any point ends with the same books as one that was left alone."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_framework.invoicing.numbering import number_gaps
from billing_framework.run.cycle.review import review_run
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.billing.record_tables import billed_record
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.receivable.tables import open_item
from tests.scenarios.errand_office import client, errand_office, tell
from tests.scenarios.office import Office

VICTIM = Path(__file__).with_name("victim.py")
CUSTOMERS = 7
MOST_KILLS = 12
LONGEST_LIVES = {"start": 11_000, "approve": 4_500, "post": 4_500}
"""Calls that an act makes when it is left alone, about; a life shorter than that ends somewhere in the middle."""


def office_of(database: Database) -> Office:
    office = Office.of(database)
    for number in range(CUSTOMERS):
        office.customer(f"C{number}", f"machine-{number}")
    office.jobs(*(f"j{number},machine-{number},2026-07-{number + 1:02}T08:00:00+00:00,{number}" for number in range(CUSTOMERS)))
    return office


@pytest.fixture
def victims() -> Iterator[subprocess.Popen[str]]:
    """The process that makes processes to be killed."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, str(VICTIM)], stdin=pipe, stdout=pipe, text=True, bufsize=1) as made:
        yield made


def killed_again_and_again(
    victims: subprocess.Popen[str], database: Database, act: str, chance: random.Random, plugin: str = "workshop"
) -> int:
    """Do an act in processes that are killed at a random call, until one lives to the end; return how many died."""
    url = database.engine.url.render_as_string(hide_password=False).replace("+psycopg", "")
    assert victims.stdin is not None
    assert victims.stdout is not None
    for kills in range(MOST_KILLS):
        calls = chance.randrange(1, LONGEST_LIVES[act]) if kills < MOST_KILLS - 1 else 0
        victims.stdin.write(f"{url} {act} {calls} {plugin}\n")
        ended = int(victims.stdout.readline())
        if ended == 0:
            return kills
        assert ended == -signal.SIGKILL
    raise AssertionError(act)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_processes_leave_the_same_books(
    database: Database, sqlite_database: Database, victims: subprocess.Popen[str], seed: int
) -> None:
    reference = office_of(sqlite_database) if database is not sqlite_database else None
    office = office_of(database)
    chance = random.Random(seed)  # noqa: S311  the seed names the test
    kills = {act: killed_again_and_again(victims, database, act, chance) for act in ("start", "approve", "post")}
    assert sum(kills.values()) > 0, kills

    documents = [f"INV-2026-00000{number + 1} C{number} {33 + 2.2 * number:.2f}" for number in range(CUSTOMERS)]
    assert office.documents() == documents
    assert office.start("2026-07").nothing_to_do
    assert office.post().posted == 0
    assert verify(database, "MAIN") == []
    with database.read() as connection:
        assert number_gaps(*counters_given(connection, "MAIN")) == []
        assert connection.execute(sa.select(sa.func.count()).select_from(open_item)).scalar_one() == CUSTOMERS
    if reference is not None:
        reference.bill("2026-07")
        assert review_run(reference.deployment).digest == review_run(office.deployment).digest


def test_killed_processes_bill_each_carried_record_once(database: Database, victims: subprocess.Popen[str]) -> None:
    office = errand_office(database)
    for number in range(CUSTOMERS):
        client(office, f"C{number}", f"runner-{number}")
    days = [(number, day) for number in range(CUSTOMERS) for day in ("2026-05-02", "2026-07-02")]
    tell(office, *(f"e{number}-{day},runner-{number},{day}T08:00:00+00:00,{number + 1},Errand" for number, day in days))
    chance = random.Random(3)  # noqa: S311  the seed names the test
    kills = {act: killed_again_and_again(victims, database, act, chance, "errands") for act in ("start", "approve", "post")}
    assert sum(kills.values()) > 0, kills
    assert office.documents() == [f"INV-2026-00000{number + 1} C{number} {2.2 * (number + 1):.2f}" for number in range(CUSTOMERS)]
    with database.read() as connection:
        rows = connection.execute(sa.select(billed_record)).all()
    assert (len(rows), len({row.record_key for row in rows})) == (2 * CUSTOMERS, 2 * CUSTOMERS)
    assert verify(database, "MAIN") == []
