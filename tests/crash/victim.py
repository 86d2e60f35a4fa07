"""Processes of the billing desk to which something happens.

Reads one order in JSON per line, forks a process that carries it out, and writes how it ended. Forking spares each of them the
start of the interpreter. Run as ``python victim.py``.
"""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import attrs

sys.path.insert(0, str(Path(__file__).parents[2]))

from billing_framework.cli.main import is_interruption
from billing_framework.run.work.work import PROCESSES, Work
from billing_framework.storage.engine import open_database
from billing_framework.values.errors import BillingError
from tests.crash import fate, world
from tests.scenarios.office import Office


@attrs.frozen(kw_only=True)
class Order:
    """What a process is to do, and what happens to it.

    Attributes:
        url: URL of the database.
        acts: what it does, of `world.ACTS`.
        size: accounts or documents per transaction.
        at: the act in which something happens to it; empty where it is left alone.
        what: what happens to it, a key of `fate.ENDS`, or `fate.MEASURED` or `fate.TIMED`.
        when: count or seconds after which it happens.
        server: process id of the PostgreSQL server.
        settings: path of ``billing.toml`` where the act is done as by a command, with the machine's clock; else empty.
        workers: number of worker processes that draft and post; 0 where the process does it itself.
    """

    url: str
    acts: tuple[str, ...]
    size: int
    at: str = ""
    what: str = ""
    when: float = 0
    server: int = 0
    settings: str = ""
    workers: int = 0

    @property
    def work(self) -> Work | None:
        """By whom drafting and posting are done."""
        if not self.workers:
            return None
        return Work(executor=PROCESSES, workers=self.workers, shard_size=2, batch_size=self.size)


@attrs.frozen(kw_only=True)
class Ended:
    """How a process ended.

    Attributes:
        code: its exit code, negative for a signal.
        made: name of a counter to its count, where the process lived to tell.
        seconds: how long its acts took.
        told: the error that ended it, in words.
    """

    code: int
    made: dict[str, float] = attrs.field(factory=dict)
    seconds: float = 0
    told: str = ""


def _opened(order: Order) -> Office:
    if not order.settings:
        return world.opened(open_database(order.url))
    sys.path.insert(0, str(Path(order.settings).parent))  # its plugins are installed there
    return world.opened_from(Path(order.settings))


def _be_victim(order: Order, out: int) -> None:
    """Do the acts; tell the parent how it went; never return."""
    code, told, made, began = 0, "", {}, 0.0
    counters = None
    try:
        office = _opened(order)
        database = office.deployment.database
        for act in order.acts:
            if act == order.at:
                os.write(out, b"\n")  # the clock runs from here
                began = time.monotonic()
                what, when = (fate.TIMED, 0) if order.what in fate.BY_CLOCK else (order.what, int(order.when))
                counters = fate.watch(database, what, when, order.server)
            world.act(office, act, order.size, order.work)
    except BaseException as error:  # noqa: BLE001  whatever it is, this process must not go on as its parent
        code, told = 1, traceback.format_exc()
        # What is raised in the counter's own callback is swallowed by the driver, and SQLite then says that it was interrupted.
        if is_interruption(error) or (order.what == "interrupted" and str(error.__cause__) == "interrupted"):
            code = fate.INTERRUPTED
        elif isinstance(error, BillingError):
            code, told = error.exit_code, str(error)
    sys.setprofile(None)
    if counters is None:
        os.write(out, b"\n")
    else:
        made = {name: getattr(counters, name).made for name in attrs.fields_dict(fate.Counters)}
    os.write(out, json.dumps({"made": made, "seconds": time.monotonic() - began, "told": told}).encode())
    os._exit(code)


def _send_to_die(order: Order) -> Ended:
    into, out = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(into)
        _be_victim(order, out)
    os.close(out)
    with os.fdopen(into, "rb") as pipe:
        began = pipe.readline()
        if began and order.what in fate.BY_CLOCK:
            time.sleep(order.when)
            _strike(order, child)
        left = pipe.read()
    _, status = os.waitpid(child, 0)
    facts: dict[str, Any] = json.loads(left) if left else {}
    return Ended(code=os.waitstatus_to_exitcode(status), **facts)


def _strike(order: Order, child: int) -> None:
    """Let happen what happens by the clock."""
    if order.what.startswith("server"):
        os.kill(order.server, signal.SIGQUIT)
    elif order.what.startswith("worker"):
        for worker in _workers_of(child)[:1]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(worker, signal.SIGKILL)
    else:
        os.kill(child, signal.SIGKILL)


def _workers_of(child: int) -> list[int]:
    """Return the worker processes of a coordinator; they are copies of a process that it has started for that."""
    try:
        started = [one for one in _children_of(child) if b"forkserver" in Path(f"/proc/{one}/cmdline").read_bytes()]
        return [worker for one in started for worker in _children_of(one)]
    except OSError:  # it has ended
        return []


def _children_of(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()]


if __name__ == "__main__":
    logging.getLogger("sqlalchemy").addHandler(logging.NullHandler())  # as the command line does
    world.both_trades()
    gc.freeze()  # the children share what is there
    for line in sys.stdin:
        given = json.loads(line)
        ended = _send_to_die(Order(**{**given, "acts": tuple(given["acts"])}))
        sys.stdout.write(f"{json.dumps(attrs.asdict(ended))}\n")
        sys.stdout.flush()
