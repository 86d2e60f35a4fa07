"""Two transactions that meet a party without a key make one key; an erasure in between stays an erasure."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.storage.engine import Database
from billing_framework.storage.personal.key_desk import KeyDesk, owner_of_party
from billing_framework.storage.personal.tables import personal_key
from billing_framework.storage.personal.vault import Vault, read_key
from billing_framework.values.errors import BillingError

OWNERS = [owner_of_party(f"P{number}") for number in range(5)]


def with_vault(database: Database) -> Database:
    return attrs.evolve(database, vault=Vault(current=read_key("01" * 32, "test")))


def test_two_transactions_make_one_key(database: Database) -> None:
    kept = with_vault(database)
    start = threading.Barrier(2)

    def sealed(owners: list[str]) -> dict[str, str]:
        start.wait()
        with kept.begin() as connection:
            desk = KeyDesk.of(connection)
            desk.load(owners)
            found = {owner: desk.seal_text(owner, "here", owner) for owner in owners}
            desk.save()
        return found

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(sealed, [OWNERS, OWNERS[::-1]]))
    with kept.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(personal_key)).scalar() == len(OWNERS)
        desk = KeyDesk.of(connection)
        for found in both:
            assert {owner: desk.unseal_text(owner, "here", text) for owner, text in found.items()} == {one: one for one in OWNERS}


def test_a_rotation_that_lost_against_an_erasure_brings_nobody_back(database: Database) -> None:
    kept = with_vault(database)
    with kept.begin() as connection:
        desk = KeyDesk.of(connection)
        desk.keep(OWNERS[0])
        desk.save()
        before = connection.execute(sa.select(personal_key.c.wrapped)).scalar_one()
    with kept.begin() as connection:
        connection.execute(personal_key.update().values(wrapped=None, erased_at=datetime(2026, 8, 1, tzinfo=UTC)))
    with pytest.raises(BillingError, match="PERSONAL09"), kept.begin() as connection:
        connection.execute(personal_key.update().values(wrapped=before, erased_at=None))
