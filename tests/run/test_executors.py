"""Whoever works on a run, processes, threads or a Dask cluster, comes to the same documents; who is killed holds nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Timer

import attrs
import pytest

from billing_framework.invoicing.numbering import number_gaps
from billing_framework.run.cycle.post import post_run
from billing_framework.run.cycle.resume import resume_run
from billing_framework.run.deployment import open_deployment
from billing_framework.run.review.review import review_run
from billing_framework.run.work.coordinate import coordinate
from billing_framework.run.work.executors import opened_executor
from billing_framework.run.work.work import Work
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.billing.run_rows import run_accounts, runs
from billing_framework.storage.billing.shard_rows import shards_of
from billing_framework.storage.engine import Database
from billing_framework.storage.ledger.verify import verify
from billing_framework.values.errors import ConfigurationError, Refused
from tests.run.ending_workshop import ONCE
from tests.run.workforce import dask_cluster, install_workshop, office_on_disk
from tests.scenarios.office import PLAN, Office

CUSTOMERS = 9
DOCUMENTS = 6
PATIENCE_SECONDS = 60


@pytest.fixture(scope="module", autouse=True)
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        install_workshop(tmp_path_factory.mktemp("installed"), patch)
        yield


@pytest.fixture(scope="module")
def scheduler(workshop: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:  # noqa: ARG001
    with dask_cluster(tmp_path_factory.mktemp("dask")) as address:
        yield address


@pytest.fixture
def office(database: Database, tmp_path: Path) -> Iterator[Office]:
    opened = office_on_disk(database, tmp_path, CUSTOMERS)
    yield opened
    opened.deployment.close()


def billed(office: Office, work: Work) -> str:
    """Rehearse here, bill with workers, and return the digest, which must be the same."""
    office.start("2026-07", kind="rehearsal")
    rehearsed = review_run(office.deployment).digest
    run = office.start("2026-07", work=work).run
    assert run is not None
    assert run.state == "drafted"
    assert review_run(office.deployment, run.code).digest == rehearsed
    office.approve(run.code)
    report = office.post(run.code, work=work)
    assert (report.posted, report.run.state, report.run.digest) == (DOCUMENTS, "posted", rehearsed)
    sound(office)
    return rehearsed


def sound(office: Office) -> None:
    database = office.deployment.database
    assert [line.split()[0] for line in office.documents()] == [f"INV-2026-00000{number}" for number in range(1, DOCUMENTS + 1)]
    assert verify(database, "MAIN") == []
    with database.read() as connection:
        assert number_gaps(*counters_given(connection, "MAIN")) == []


def owners(office: Office) -> set[str]:
    with office.deployment.database.read() as connection:
        return {one.owner for one in shards_of(connection, meant_run(connection, "", final=True))}


def test_processes_bill_the_same(office: Office) -> None:
    with opened_executor(Work(executor="processes", workers=2)) as processes:
        billed(office, Work(executor=processes, workers=2, shard_size=2))
    assert not any(f"/{os.getpid()}/" in owner for owner in owners(office))


def test_any_open_executor_bills_the_same(office: Office) -> None:
    with ThreadPoolExecutor(3) as threads:
        billed(office, Work(executor=threads, workers=3, shard_size=1, batch_size=1))
        assert threads.submit(int).result() == 0


def test_a_worker_reads_anew_for_each_call_also_at_the_same_instant(sqlite_database: Database, tmp_path: Path) -> None:
    office = office_on_disk(sqlite_database, tmp_path, 1)
    with ThreadPoolExecutor(1) as threads:
        work = Work(executor=threads, workers=1)
        office.start("2026-07", work=work)
        dearer = PLAN.format(accumulate="year", correction="hold").replace('"30.00"', '"40.00"')
        office.load_plan(dearer.replace('"2026"', '"2026-07"').replace("2026-01-01", "2026-07-01"))
        assert office.start("2026-07", work=work).drafted == 1
    drafted = review_run(office.deployment).digest
    rehearsal = office.start("2026-07", kind="rehearsal").run
    assert rehearsal is not None
    assert review_run(office.deployment, rehearsal.code).digest == drafted
    office.deployment.close()


def test_a_dask_cluster_bills_the_same(office: Office, scheduler: str) -> None:
    with opened_executor(Work(executor="dask", scheduler=scheduler)) as cluster:
        billed(office, Work(executor=cluster, workers=2, shard_size=2))
    assert not any(f"/{os.getpid()}/" in owner for owner in owners(office))


def command(*arguments: str, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "command.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "billing_framework.cli", *arguments, "--config", str(folder / "billing.toml")],
            stdout=log,
            stderr=log,
        )


def test_after_the_coordinator_is_killed_its_workers_end_and_the_run_goes_on(postgres_database: Database, tmp_path: Path) -> None:
    database = postgres_database
    office = office_on_disk(database, tmp_path, CUSTOMERS)
    started = command(
        "run", "start", "--period", "2026-07", "--as-of", "2026-08-01", "--executor", "processes", "--shard-size", "1",
        "--lease-seconds", "3600",
        folder=tmp_path,
    )  # fmt: skip
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and started.poll() is None and not _has_begun(database):
        time.sleep(0.02)
    started.send_signal(signal.SIGKILL)
    started.wait()
    report = resume_run(office.deployment)
    assert report.run.state == "drafted"
    office.approve()
    office.post()
    sound(office)
    office.deployment.close()


def _has_begun(database: Database) -> bool:
    with database.read() as connection:
        return any(one.saved for run in runs(connection) for one in shards_of(connection, run))


def parent_of(process: int) -> int:
    return int(Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


@pytest.mark.parametrize("victim", [int, parent_of], ids=["worker", "what it was copied from"])
def test_a_worker_that_is_killed_is_replaced(sqlite_database: Database, tmp_path: Path, victim: Callable[[int], int]) -> None:
    office = office_on_disk(sqlite_database, tmp_path, CUSTOMERS)
    killed: list[int] = []

    def kill_one(done: int, _of: int) -> None:
        if done and not killed:
            pid = victim(next(int(owner.split("/")[2]) for owner in sorted(owners(office)) if owner))
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    work = Work(executor="processes", workers=1, shard_size=1)
    assert office.start("2026-07", work=work, progress=kill_one).counts == {"drafted": CUSTOMERS}
    assert killed
    office.approve()
    office.post()
    sound(office)
    office.deployment.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no process stands between the command and its workers")
def test_what_workers_are_copied_from_is_replaced_where_it_is_killed_while_it_starts_one(
    sqlite_database: Database, tmp_path: Path
) -> None:
    office = office_on_disk(sqlite_database, tmp_path, 1)
    work = Work(executor="processes", workers=1)
    with opened_executor(work) as processes:
        starter = processes.submit(os.getppid).result()
    os.kill(starter, signal.SIGSTOP)  # it is asked for a worker, and has not answered
    killed = Timer(1, os.kill, (starter, signal.SIGKILL))
    killed.start()
    assert office.start("2026-07", work=work).counts == {"drafted": 1}
    killed.join()
    office.deployment.close()


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (Work(executor="abacus"), "there is no executor 'abacus'"),
        (Work(executor="dask"), "no Dask scheduler is named"),
        (Work(executor="dask", scheduler="tcp://127.0.0.1:1"), "no Dask scheduler answers"),
        (Work(executor="dask", scheduler="nowhere.json"), "there is no file nowhere.json of a Dask scheduler"),
    ],
)
def test_an_executor_that_cannot_be_used_is_named(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: Work, told: str
) -> None:
    monkeypatch.setattr(f"{opened_executor.__module__}._PATIENCE", "2s")
    office = office_on_disk(sqlite_database, tmp_path, 1)
    with pytest.raises(ConfigurationError, match="RUN44") as refused:
        office.start("2026-07", work=work)
    assert told in str(refused.value)
    with sqlite_database.read() as connection:
        assert runs(connection) == []
    run = office.start("2026-07").run
    assert run is not None
    with pytest.raises(ConfigurationError, match="RUN44"):
        resume_run(office.deployment, work=work)
    office.approve()
    with pytest.raises(ConfigurationError, match="RUN44"):
        office.post(work=work)
    with sqlite_database.read() as connection:
        assert [one.state for one in runs(connection)] == ["approved"]
    office.deployment.close()


def test_nothing_is_locked_while_posting_asks_for_workers(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = office_on_disk(sqlite_database, tmp_path, 1)
    office.start("2026-07")
    office.approve()
    asked = []

    def expect(*_: object) -> None:
        with sqlite_database.begin():  # refused after a while where posting holds the database
            asked.append("workers")

    monkeypatch.setattr(f"{post_run.__module__}.expect_workers", expect)
    assert office.post().posted == 1
    assert asked == ["workers"]
    office.deployment.close()


def test_workers_elsewhere_need_a_file(sqlite_database: Database) -> None:
    office = Office.of(sqlite_database)
    office.customer("C1", "drill")
    with pytest.raises(ConfigurationError, match="RUN44"):
        office.start("2026-07", work=Work(executor="processes"))


def test_a_worker_with_another_program_bills_nothing(sqlite_database: Database, tmp_path: Path) -> None:
    office = office_on_disk(sqlite_database, tmp_path, 1)
    other = attrs.evolve(office.deployment, settings_sha256="0" * 64)
    with ThreadPoolExecutor(1) as threads, pytest.raises(Refused, match=r"RUN41.*billing\.toml"):
        Office(other, office.clock).start("2026-07", work=Work(executor=threads, workers=1))
    assert office.start("2026-07").counts == {"drafted": 1}
    office.deployment.close()


def office_with(plugin: str, database: Database, folder: Path, *machines: str) -> Office:
    """Return an office whose plugin is wrong at some machines, each of which has worked the hours at which it is so."""
    office = office_on_disk(database, folder, CUSTOMERS)
    office.jobs(*(f"k{one},{one},2026-07-20T08:00:00+00:00,13" for one in machines), file="wrong.csv")
    office.deployment.close()
    settings = folder / "billing.toml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("workshop", plugin), encoding="utf-8")
    return Office(open_deployment(settings), office.clock)


def test_a_worker_that_hangs_is_ended_and_only_its_account_held(postgres_database: Database, tmp_path: Path) -> None:
    office = office_with("stuck_workshop", postgres_database, tmp_path, "machine-04")
    report = office.start("2026-07", work=Work(executor="processes", workers=1, shard_size=20, lease_seconds=3))
    assert report.counts == {"drafted": CUSTOMERS - 2, "held": 2}
    assert report.run is not None
    with postgres_database.read() as connection:
        held = run_accounts(connection, report.run, states=["held"])
    assert [(row.account, row.evidence[0].check, row.evidence[0].finding.code) for row in held] == [
        ("C04", "worker", "RUN45"),
        ("C05", "worker", "RUN45"),
    ]
    assert "stuck_workshop" in held[0].reason
    office.deployment.close()


@pytest.mark.parametrize("shard_size", [1, 20])
def test_accounts_at_which_worker_processes_end_are_held_and_no_others(
    database: Database, tmp_path: Path, shard_size: int
) -> None:
    office = office_with("ending_workshop", database, tmp_path, "machine-00", "machine-06", "machine-08")
    report = office.start("2026-07", work=Work(executor="processes", workers=2, shard_size=shard_size))
    assert report.run is not None
    with database.read() as connection:
        held = run_accounts(connection, report.run, states=["held"])
    assert [row.account for row in held] == ["C00", "C06", "C07", "C08"]
    assert report.counts == {"drafted": CUSTOMERS - 4, "held": 4}
    assert {row.evidence[0].finding.code for row in held} == {"RUN45"}
    assert "the worker process ended by SIGABRT when it drafted nothing else" in held[0].reason
    assert "ending_workshop" in held[0].reason
    office.deployment.close()


def test_where_worker_processes_end_at_every_account_the_run_stops(sqlite_database: Database, tmp_path: Path) -> None:
    office = office_with("ending_workshop", sqlite_database, tmp_path, "machine-00", "machine-04", "machine-06")
    work = Work(executor="processes", workers=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(f"{coordinate.__module__}._MOST_HELD", 1)
        with pytest.raises(Refused, match="RUN43"):
            office.start("2026-07", work=work)
    assert resume_run(office.deployment, work=work).run.state == "drafted"
    office.deployment.close()


def test_workers_that_end_once_at_one_account_after_the_other_hold_none(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = tmp_path / "seen"
    seen.mkdir()
    monkeypatch.setenv(ONCE, str(seen))
    machines = ("machine-00", "machine-04", "machine-06", "machine-08")
    office = office_with("ending_workshop", sqlite_database, tmp_path, *machines)
    work = Work(executor="processes", workers=1, shard_size=CUSTOMERS)
    assert office.start("2026-07", work=work).counts == {"drafted": CUSTOMERS}
    assert len(list(seen.iterdir())) == len(machines)
    office.deployment.close()


def test_a_cluster_that_goes_away_leaves_a_run_that_goes_on(
    sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{opened_executor.__module__}._PATIENCE", "5s")
    office = office_on_disk(sqlite_database, tmp_path, CUSTOMERS)
    with ExitStack() as cluster:
        address = cluster.enter_context(dask_cluster(tmp_path, workers=1))

        def leave(done: int, _of: int) -> None:
            if done:
                cluster.close()

        with pytest.raises((Refused, ConfigurationError), match="RUN4[34]"):
            office.start("2026-07", work=Work(executor="dask", scheduler=address, shard_size=1), progress=leave)
    assert resume_run(office.deployment).run.state == "drafted"
    office.approve()
    office.post()
    sound(office)
    office.deployment.close()


def test_a_cluster_without_workers_is_named(sqlite_database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(f"{opened_executor.__module__}._WORKER_SECONDS", 1)
    office = office_on_disk(sqlite_database, tmp_path, 1)
    with dask_cluster(tmp_path, workers=0) as address, pytest.raises(ConfigurationError, match=r"RUN44 no worker has joined"):
        office.start("2026-07", work=Work(executor="dask", scheduler=address))
    office.deployment.close()
