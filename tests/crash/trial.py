"""One trial: a month in which things happen to the desk's processes, and the proof that nothing of it can be seen afterwards."""

from __future__ import annotations

import contextlib
import json
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

import attrs

from billing_framework.invoicing.numbering import number_gaps
from billing_framework.run.review.review import review_run
from billing_framework.run.schema import check_schema
from billing_framework.storage.billing.numbers import counters_given
from billing_framework.storage.engine import Database, open_database
from billing_framework.storage.ledger.verify import verify
from billing_framework.storage.migrate import upgrade
from tests.crash import fate, world
from tests.crash.snapshot import Rows, differences, snapshot
from tests.crash.victim import Ended, Order
from tests.postgres_server import Server

VICTIM = Path(__file__).with_name("victim.py")
HAPPENINGS = (1, 1, 2, 2, 3, 4, 6)
"""In how many places of the month something happens."""
_TEMPLATE = "tortured"


class Place(Protocol):
    """Where the databases of the trials are."""

    name: str
    fates: tuple[str, ...]
    folder: Path

    def fresh(self) -> contextlib.AbstractContextManager[str]:
        """Make a copy of the world, give its URL, and remove it."""

    def server(self) -> int:
        """Return the process id of the server, 0 where there is none."""

    def mend(self) -> None:
        """Bring the server up again where it is down."""


class OnSqlite:
    """Trials on SQLite: a file each."""

    name = "sqlite"
    fates = fate.ON_SQLITE

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.template = folder / "world.sqlite3"
        database = open_database(f"sqlite:///{self.template}")
        upgrade(database)
        world.build(database)
        database.close()

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """Copy the file."""
        path = self.folder / "trial.sqlite3"
        shutil.copyfile(self.template, path)
        yield f"sqlite:///{path}"
        for left in self.folder.glob("trial.sqlite3*"):
            left.unlink()

    def server(self) -> int:
        """There is none."""
        return 0

    def mend(self) -> None:
        """Nothing is to be done."""


class OnPostgresql:
    """Trials on PostgreSQL: a database each, on a server that keeps what it has committed."""

    name = "postgresql"
    fates = fate.ON_POSTGRESQL

    def __init__(self, running: Server, folder: Path) -> None:
        self.running = running
        self.folder = folder
        with running.connect() as admin:
            admin.execute(f'CREATE DATABASE "{_TEMPLATE}"')
        database = open_database(running.url(_TEMPLATE))
        upgrade(database)
        world.build(database)
        database.close()

    @contextlib.contextmanager
    def fresh(self) -> Iterator[str]:
        """Clone the database."""
        with self.running.fresh_database(_TEMPLATE) as name:
            # A clone takes over that the next values of its sequences are logged, but not that log: a crash would wind them back.
            with self.running.connect() as admin:
                admin.execute("CHECKPOINT")
            yield self.running.url(name)

    def server(self) -> int:
        """Return the process id of the server."""
        return self.running.process.pid

    def mend(self) -> None:
        """Start the server again where it is down."""
        self.running.restart_where_down()


class Victims:
    """The process that makes the processes to which things happen."""

    def __init__(self) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen([sys.executable, str(VICTIM)], stdin=pipe, stdout=pipe, text=True, bufsize=1)

    def send(self, order: Order) -> Ended:
        """Have an order carried out, and return how it ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(attrs.asdict(order)) + "\n")
        return Ended(**json.loads(self.process.stdout.readline()))

    def close(self) -> None:
        """End the process."""
        self.process.communicate()


@attrs.frozen(kw_only=True)
class Reference:
    """The month that was left alone.

    Attributes:
        rows: what the database holds afterwards.
        digest: digest of the run's documents and entries.
        lengths: act to what it takes, by counter, and in seconds.
        workers: number of worker processes that drafted and posted; 0 where each process did it itself.
    """

    rows: Mapping[str, Rows]
    digest: str
    lengths: Mapping[str, Mapping[str, float]]
    workers: int = 0


@attrs.frozen(kw_only=True)
class Outcome:
    """What a trial came to.

    Attributes:
        seed: seed of the trial.
        story: what was ordered and how it ended, in order.
        wrong: what must not be; empty where all is well.
        happened: what happened, by name, to how often.
    """

    seed: str
    story: tuple[str, ...]
    wrong: tuple[str, ...]
    happened: Mapping[str, int]


def reference(place: Place, victims: Victims, *, workers: int = 0) -> Reference:
    """Do the month in processes that are left alone.

    Args:
        place: where the database is.
        victims: makes the processes.
        workers: number of worker processes that draft and post; 0 where each process does it itself.
    """
    lengths: dict[str, dict[str, float]] = {act: {} for act in world.ACTS}
    rows: Mapping[str, Rows] = {}
    digest = ""
    for what in (fate.MEASURED, fate.TIMED):
        with place.fresh() as url:
            for act in world.ACTS:
                alone = Order(url=url, acts=(act,), size=3, at=act, what=what, **_told(place, url, workers))
                ended = victims.send(alone)
                assert ended.code == 0, ended.told
                lengths[act] |= ended.made if what == fate.MEASURED else {"seconds": ended.seconds}
            with _opened(url) as database:
                assert proof(database) == []
                rows, digest = snapshot(database, clock=not workers), _digest(database)
    return Reference(rows=rows, digest=digest, lengths=lengths, workers=workers)


def _told(place: Place, url: str, workers: int) -> dict[str, Any]:
    """Return what an order says besides where worker processes draft and post."""
    return {"settings": str(world.on_disk(place.folder, url)), "workers": workers} if workers else {}


def trial(place: Place, victims: Victims, known: Reference, seed: str) -> Outcome:
    """Do the month in processes to which things happen, until one of them lives to its end; then prove what is left.

    Args:
        place: where the database is.
        victims: makes the processes.
        known: what must come out.
        seed: decides what happens, and when.
    """
    chance = random.Random(seed)  # noqa: S311  the seed names the trial
    story: list[str] = []
    wrong: list[str] = []
    happened: dict[str, int] = {}
    with place.fresh() as url:
        left: tuple[str, ...] = world.ACTS
        told = _told(place, url, known.workers)
        acts = ("start", "post") if known.workers else world.ACTS
        for at in sorted(chance.choices(acts, k=chance.choice(HAPPENINGS)), key=world.ACTS.index):
            if at not in left:
                break  # a process has lived to the end of the month
            order = attrs.evolve(_unlucky_order(place, known, chance, url=url, acts=left, at=at), **told)
            ended = victims.send(order)
            place.mend()
            story.append(f"{at} by {order.size}: {order.what} at {order.when:.4g}: ended {ended.code} {ended.told}".rstrip())
            left = world.ACTS[world.ACTS.index(at) :] if ended.code else ()
            if ended.code in fate.ENDS[order.what]:
                happened[order.what] = happened.get(order.what, 0) + 1
            elif ended.code != 0:
                wrong.append(story[-1])
        ended = victims.send(Order(url=url, acts=left, size=chance.randint(1, 9), **told))
        if ended.code:
            wrong.append(f"gone on with {', '.join(left)}: ended {ended.code} {ended.told}")
        with _opened(url) as database:
            wrong += differences(snapshot(database, clock=not known.workers), known.rows) + proof(database)
            if not wrong and _digest(database) != known.digest:
                wrong.append("the digest is another one")
        if not wrong:
            ended = victims.send(Order(url=url, acts=tuple(one for one in world.ACTS if one != "start"), size=5, **told))
            with _opened(url) as database:
                wrong += [f"all again: ended {ended.code} {ended.told}"] * bool(ended.code)
                wrong += [f"all again: {one}" for one in differences(snapshot(database, clock=not known.workers), known.rows)]
    return Outcome(seed=seed, story=tuple(story), wrong=tuple(wrong), happened=happened)


def fates_of(place: Place, workers: int) -> tuple[str, ...]:
    """Return what may happen."""
    if not workers:
        return place.fates
    return (*fate.OF_PROCESSES, *(["server down by the clock"] if place.server() else []))


def _unlucky_order(place: Place, known: Reference, chance: random.Random, *, url: str, acts: tuple[str, ...], at: str) -> Order:
    what = chance.choice(fates_of(place, known.workers))
    length = known.lengths[at][fate.MEASURE.get(what, "statements")]
    when = chance.random() * length if what in fate.BY_CLOCK else chance.randint(1, max(1, int(length)))
    return Order(url=url, acts=acts, size=chance.randint(1, 9), at=at, what=what, when=when, server=place.server())


@contextlib.contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = open_database(url)
    yield database
    database.close()


def _digest(database: Database) -> str:
    return review_run(world.opened(database).deployment).digest


def proof(database: Database) -> list[str]:
    """Return what is wrong with the books: the seals, the numbers, the guards of the tables, the totals."""
    wrong = [str(finding) for finding in verify(database, "MAIN")]
    with database.read() as connection:
        wrong += [str(gap) for gap in number_gaps(*counters_given(connection, "MAIN"))]
    deployment = world.opened(database).deployment
    wrong += [str(finding) for finding in check_schema(deployment)]
    review = review_run(deployment)
    if not review.reconciled:
        wrong.append(f"the control totals do not add up: {dict(review.control)}")
    return wrong
