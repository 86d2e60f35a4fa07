"""A process that delivers is killed at random instants; started again it ends with every document delivered once, whole."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import attrs
import pytest

from billing_framework.exchange.invoice_html import invoice_html
from billing_framework.plugin.delivery_settings import DeliverySettings
from billing_framework.run.deliver.outbox import deliver, outbox_counts
from billing_framework.run.prove.invoices import show_document
from billing_framework.storage.engine import Database, open_database
from tests.scenarios.office import Office

DOCUMENTS = 12
WAY = DeliverySettings(name="archive", way="page", folder="archive")


def delivers_until_killed(office: Office, after: float) -> bool:
    """Deliver in a process of its own that is killed so many seconds later; return whether it was done before."""
    child = os.fork()
    if not child:
        database = open_database(office.deployment.database.url)
        try:
            deliver(attrs.evolve(office.deployment, database=database))
        finally:
            os._exit(0)
    time.sleep(after)
    done, _ = os.waitpid(child, os.WNOHANG)
    if not done:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return bool(done)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_any_instant_it_goes_on_to_the_same_files(sqlite_database: Database, tmp_path: Path, seed: int) -> None:
    office = Office.of(sqlite_database, deliveries=(WAY,))
    office.deployment = attrs.evolve(office.deployment, folder=tmp_path)
    for number in range(DOCUMENTS):
        office.customer(f"C{number}", f"drill-{number}")
    office.bill("2026-06")
    folder = tmp_path / "archive"
    folder.mkdir()
    office.deployment.database.close()
    chance = random.Random(seed)  # noqa: S311
    for _ in range(6):
        if delivers_until_killed(office, chance.uniform(0.01, 0.25)):
            break
    deliver(office.deployment)
    assert outbox_counts(office.deployment) == {"archive": {"done": DOCUMENTS}}, f"seed {seed}"
    files = {path.name: path.read_text() for path in folder.iterdir() if not path.name.startswith(".")}
    numbers = [f"INV-2026-{number:06}" for number in range(1, DOCUMENTS + 1)]
    assert files == {f"{one}.html": invoice_html(show_document(office.deployment, one).document) for one in numbers}
