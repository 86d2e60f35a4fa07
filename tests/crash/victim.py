"""Processes of the billing desk that are killed in the middle.

Reads ``URL start|approve|post CALLS PLUGIN`` from its input, line by line. For each it forks a process that does the act, counts
its calls into the framework's storage and run floors, and ends itself with SIGKILL at the given one (0 lets it live); then it
writes how that process ended. Forking spares each of them the start of the interpreter.
"""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).parents[2]))

from billing_framework.run.cycle.approve import approve_run
from billing_framework.storage.engine import open_database
from tests.scenarios import errands, workshop
from tests.scenarios.office import Office

FLOORS = (f"{os.sep}billing_framework{os.sep}storage{os.sep}", f"{os.sep}billing_framework{os.sep}run{os.sep}")


def die_at(calls: int) -> None:
    """End this process with SIGKILL at a call of the framework."""
    made = 0

    def count(frame: FrameType, event: str, _: object) -> None:
        nonlocal made
        if event == "call" and any(floor in frame.f_code.co_filename for floor in FLOORS):
            made += 1
            if made == calls:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def act(url: str, what: str, calls: int, plugin: str) -> None:
    """Do one act of the desk."""
    office = Office.at(open_database(url), plugin=errands if plugin == "errands" else workshop)
    if calls:
        die_at(calls)
    if what == "start":
        office.start("2026-07", batch_size=2)
    elif what == "approve":
        approve_run(office.deployment)
    else:
        office.post(chunk_size=2)


def child(url: str, what: str, calls: int, plugin: str) -> None:
    """Be the process that is killed."""
    try:
        act(url, what, calls, plugin)
        os._exit(0)
    except BaseException:  # noqa: BLE001  whatever it is, this process must not go on as its parent
        traceback.print_exc()
        os._exit(1)


if __name__ == "__main__":
    for line in sys.stdin:
        given = line.split()
        process = os.fork()
        if process == 0:
            child(given[0], given[1], int(given[2]), given[3])
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()
