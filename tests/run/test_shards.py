"""Shards: cut without parting who is billed together, taken under leases, fenced against workers that wake up too late."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from pathlib import Path

import attrs
import pytest
import sqlalchemy as sa

from billing_framework.run.cycle.cancel import cancel_run
from billing_framework.run.cycle.post import POSTING
from billing_framework.run.cycle.resume import resume_run
from billing_framework.run.cycle.start import finish_drafting
from billing_framework.run.draft.draft import DRAFTING, draft_shard
from billing_framework.run.master.periods import close_book_period
from billing_framework.run.review.review import review_run
from billing_framework.run.review.status import run_status
from billing_framework.run.work.lease import Lease, claim
from billing_framework.run.work.work import Work
from billing_framework.run.work.worker_name import is_gone, shown_worker, worker_name
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_rows import Run, run_accounts
from billing_framework.storage.billing.shard_rows import Shard, accounts_in_shards, shards_of
from billing_framework.storage.billing.shard_tables import run_shard
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.books import close_period
from billing_framework.storage.ledger.verify import verify
from billing_framework.values.errors import BillingError, Conflict, Refused
from tests.grown import grown_once
from tests.run.workforce import jobs, set_up
from tests.scenarios.office import Office

CUSTOMERS = 9


@grown_once
def filled(database: Database) -> Office:
    office = Office.of(database)
    set_up(office, CUSTOMERS)
    return office


def opened(office: Office, size: int = 4) -> Run:
    """Start a run whose first shard fails, so that all of its shards wait."""

    def fail(_done: int, _of: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        office.start("2026-07", work=Work(shard_size=size, batch_size=1), progress=fail)
    with office.deployment.database.read() as connection:
        return meant_run(connection, "")


class Interrupted(Exception):
    """Somebody pressed a key."""


def taken(office: Office, run: Run, owner: str, *, number: int | None = None, step: str = "draft") -> Lease:
    lease = claim(office.deployment, run, step, owner=owner, seconds=60, number=number)
    assert lease is not None
    return lease


def drafted_by(office: Office, run: Run, lease: Lease) -> int:
    desk = DRAFTING.prepare(office.deployment, run, office.clock.now())
    return draft_shard(desk, run, lease, 100, lambda _: None).count


def shards(office: Office, run: Run, step: str = "draft") -> list[Shard]:
    with office.deployment.database.read() as connection:
        return shards_of(connection, run, step)


def digest(office: Office) -> str:
    return review_run(office.deployment).digest


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> str:
    """The digest of the same month in one shard."""
    from billing_framework.storage.engine import open_database  # noqa: PLC0415  only this fixture opens its own

    path = tmp_path_factory.mktemp("undisturbed") / "billing.sqlite3"
    path.write_bytes(sqlite_template.read_bytes())
    database = open_database(f"sqlite:///{path}")
    office = filled(database)
    office.start("2026-07")
    found = digest(office)
    database.close()
    return found


@pytest.mark.parametrize(("size", "batch"), [(1, None), (2, 1), (4, None), (4, 3), (1_000, 2)])
def test_neither_shards_nor_batches_nor_the_order_of_records_decide(
    database: Database, undisturbed: str, size: int, batch: int | None
) -> None:
    office = Office.of(database)
    set_up(office, 0)
    for number in reversed(range(CUSTOMERS)):
        if number % 3 != 2:
            office.customer(f"C{number:02}", f"machine-{number:02}")
    for number in range(2, CUSTOMERS, 3):
        office.customer(f"C{number:02}", f"machine-{number:02}", parent=f"C{number - 1:02}", payer="parent")
    office.jobs(*jobs(CUSTOMERS)[::-1])
    run = office.start("2026-07", work=Work(shard_size=size, batch_size=batch)).run
    assert run is not None
    assert digest(office) == undisturbed
    assert {one.state for one in shards(office, run)} == {"done"}
    office.approve()
    report = office.post(work=Work(shard_size=size, batch_size=batch))
    assert (report.posted, report.run.state) == (6, "posted")
    assert [one.size for one in shards(office, run, "post")] == [min(size, 6 - start) for start in range(0, 6, size)]
    assert verify(database, "MAIN") == []


def test_shards_never_part_accounts_that_are_billed_together(database: Database) -> None:
    office = filled(database)
    run = opened(office, size=2)
    with database.read() as connection:
        planned = [accounts for _, accounts in accounts_in_shards(connection, run).values()]
    assert planned == [("C01", "C02"), ("C03",), ("C04", "C05"), ("C06",), ("C07", "C08")]
    assert [one.size for one in shards(office, run)] == [1, 2, 1, 2, 1, 2]


def test_accounts_that_come_later_join_later_shards(database: Database) -> None:
    office = filled(database)
    run = opened(office, size=4)
    office.customer("C09", "machine-09")
    report = office.start("2026-07", work=Work(shard_size=4))
    assert report.counts == {"drafted": CUSTOMERS + 1}
    assert [one.size for one in shards(office, run)] == [4, 3, 2, 1]
    assert office.start("2026-07").nothing_to_do


def test_who_comes_to_belong_together_is_planned_anew_as_one(database: Database) -> None:
    office = filled(database)
    run = opened(office, size=3)
    office.customer("C99", "machine-99", parent="C00", payer="parent")
    report = office.start("2026-07", work=Work(shard_size=3))
    assert report.counts == {"drafted": CUSTOMERS + 1}
    with database.read() as connection:
        rows = {row.account: row.document for row in run_accounts(connection, run)}
    assert rows["C99"] == rows["C00"]


@pytest.mark.parametrize(
    ("documents", "size", "workers", "in_a_shard"),
    [
        (0, 2_000, 2, 2_000),
        (64_000, 2_000, 2, 2_000),
        (96_000, 2_000, 2, 3_000),
        (96_000, 2_000, 5, 2_400),
        (320_000, 2_000, 64, 2_000),
        (10_000_000, 2_000, 2, 10_000),
        (10_000_000, 4_000, 2, 10_000),
        (10_000_000, 20_000, 2, 20_000),
        (9_000, 10, 2, 50),
    ],
)
def test_many_documents_are_posted_in_larger_shards(documents: int, size: int, workers: int, in_a_shard: int) -> None:
    work = Work(shard_size=size, workers=workers, batch_size=7).for_documents(documents)
    assert (work.shard_size, work.transaction_size) == (in_a_shard, 7)


def test_a_worker_that_wakes_up_after_its_lease_saves_nothing(database: Database, undisturbed: str) -> None:
    office = filled(database)
    run = opened(office)
    slow = taken(office, run, "slow", number=2)
    assert claim(office.deployment, run, "draft", owner="quick", seconds=60, number=2) is None
    office.clock.advance(timedelta(seconds=61))
    quick = taken(office, run, "quick", number=2)
    assert quick.shard.token == slow.shard.token + 1
    with pytest.raises(Conflict, match="RUN40"):
        drafted_by(office, run, slow)
    assert drafted_by(office, run, quick) == 3
    with pytest.raises(Conflict, match="RUN40"):
        drafted_by(office, run, slow)
    assert resume_run(office.deployment).run.state == "drafted"
    assert digest(office) == undisturbed


def test_a_poster_that_wakes_up_after_its_lease_issues_nothing(database: Database) -> None:
    office = filled(database)
    office.start("2026-07")
    office.approve()

    def fail(_done: int, _of: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        office.post(work=Work(shard_size=2), progress=fail)
    with database.read() as connection:
        run = meant_run(connection, "")
    desk = POSTING.prepare(office.deployment, run, office.clock.now())
    slow = taken(office, run, "slow", step="post", number=2)
    office.clock.advance(timedelta(seconds=61))
    quick = taken(office, run, "quick", step="post", number=slow.shard.number)
    with pytest.raises(Conflict, match="RUN40"):
        POSTING.work(desk, run, slow, 1, lambda _: None)
    assert POSTING.work(desk, run, quick, 1, lambda _: None).count == 2
    assert resume_run(office.deployment).posted == 2
    assert [line.split()[0] for line in office.documents()] == [f"INV-2026-00000{number}" for number in range(1, 7)]
    assert verify(database, "MAIN") == []


def test_a_lease_is_renewed_by_each_batch(database: Database) -> None:
    office = filled(database)
    run = opened(office)
    lease = attrs.evolve(taken(office, run, "steady", number=2), seconds=100)
    desk = DRAFTING.prepare(office.deployment, run, office.clock.now())
    seen = []

    def wait(_saved: int) -> None:
        office.clock.advance(timedelta(seconds=50))
        seen.append([(one.state, one.saved) for one in shards(office, run) if one.number == 2])
        assert claim(office.deployment, run, "draft", owner="other", seconds=60, number=2) is None

    draft_shard(desk, run, lease, 1, wait)
    assert seen == [[("claimed", 2)], [("done", 3)]]


def test_the_lease_of_a_process_that_is_gone_ends_at_once(database: Database) -> None:
    office = filled(database)
    run = opened(office)
    machine, boot, _, started, part = worker_name().split("/")
    dead = f"{machine}/{boot}/999999999/{started}/{part}"
    taken(office, run, dead, number=3)
    held = run_status(office.deployment).steps[0].held
    assert [(one.shard, one.free, one.worker) for one in held] == [(3, True, f"{machine} process 999999999")]
    assert taken(office, run, worker_name(), number=3).shard.token == 2
    assert not run_status(office.deployment).steps[0].held[0].free


def test_names_of_workers_tell_who_lives() -> None:
    name = worker_name()
    assert not is_gone(name)
    machine, boot, pid, started, part = name.split("/")
    assert is_gone(f"{machine}/{boot}/{pid}/1/{part}")  # another process had this number before
    assert not is_gone(f"elsewhere/{boot}/999999999/{started}/{part}")
    assert not is_gone(f"{machine}//999999999/{started}/{part}")
    assert not is_gone("somebody")
    assert shown_worker("somebody") == "somebody"


def test_a_shard_that_fails_is_given_back_with_the_reason(database: Database) -> None:
    office = filled(database)
    run = opened(office)
    first = shards(office, run)[0]
    assert (first.state, first.error, first.token) == ("pending", "Interrupted", 1)
    assert resume_run(office.deployment, run.code).step == "draft"
    assert {(one.state, one.error) for one in shards(office, run)} == {("done", "")}
    assert resume_run(office.deployment).step == ""


def test_two_coordinators_share_one_run(database: Database, undisturbed: str) -> None:
    office = filled(database)
    run = opened(office, size=1)
    results: list[int] = []

    def go_on() -> None:
        results.append(finish_drafting(office.deployment, run, Work())[1])

    threads = [threading.Thread(target=go_on) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(results) == CUSTOMERS - 1
    assert digest(office) == undisturbed


def test_a_run_is_cancelled_while_a_worker_is_at_it(database: Database) -> None:
    office = filled(database)
    run = opened(office)
    lease = taken(office, run, "slow")
    cancel_run(office.deployment, run.code, reason="wrong plan")
    with pytest.raises(Refused, match="RUN03|RUN40"):
        drafted_by(office, run, lease)
    assert shards(office, run) == []
    with pytest.raises(Refused, match="RUN03"):
        finish_drafting(office.deployment, run, Work())


def test_a_period_is_not_closed_while_a_run_posts_into_it(database: Database) -> None:
    office = filled(database)
    office.start("2026-07")
    office.approve()
    told = []

    def close(done: int, _of: int) -> None:
        if done == 2:
            with pytest.raises(Refused, match="PERIOD02") as refused:
                close_book_period(office.deployment, "MAIN", date(2026, 8, 1), reason="month end")
            told.append(refused.value.exit_code)

    assert office.post(work=Work(shard_size=2), progress=close).posted == 6
    assert told == [3]


def test_a_period_that_is_closed_all_the_same_stops_the_posting(database: Database) -> None:
    office = filled(database)
    office.start("2026-07")
    office.approve()

    def close(done: int, _of: int) -> None:
        if done == 2:
            with database.begin() as connection:
                close_period(connection, "MAIN", date(2026, 8, 1), now=office.clock.now())

    with pytest.raises(BillingError, match="LEDGER06") as refused:
        office.post(work=Work(shard_size=2), progress=close)
    assert refused.value.exit_code == 3
    with pytest.raises(Refused, match="RUN13"):
        resume_run(office.deployment)
    assert run_status(office.deployment).steps[1].saved == 2
    assert len(office.documents()) == 2


def test_the_database_keeps_shards_as_they_were_planned(database: Database) -> None:
    office = filled(database)
    office.start("2026-07")
    for values in ({"accounts": ["C00"]}, {"state": "pending"}, {"token": 0}, {"size": 1}):
        with pytest.raises(Refused, match="RUN42"), database.begin() as connection:
            connection.execute(sa.update(run_shard).values(values))
    with pytest.raises(Refused, match="RUN42"), database.begin() as connection:
        connection.execute(sa.delete(run_shard))
