"""Workers of this machine are copies of a small process that has loaded the program and done nothing else."""

import subprocess
import sys

import pytest

COPIES = """
import os, signal, sys
from billing_framework.run.cycle.post import POSTING
from billing_framework.run.draft.draft import DRAFTING
from billing_framework.run.work.executors import opened_executor
from billing_framework.run.work.shard_worker import work_on_shard
from billing_framework.run.work.work import Work

work = Work(executor="processes", workers=1)
loads = [of.__module__ for of in (work_on_shard, DRAFTING.work, POSTING.work)]
signal.signal(signal.SIGINT, lambda *_: None)
with opened_executor(work, loads=loads) as pool:
    os.killpg(0, signal.SIGINT)  # as a terminal does; it is for this process, whenever it comes
    first = pool.submit(os.getppid).result()
    assert first != os.getpid()
    assert len(os.listdir(f"/proc/{first}/task")) == 1, "a process of several threads is not safely copied"
os.environ["ENTERED_LATER"] = "yes"
with opened_executor(work) as pool:
    assert pool.submit(os.getppid).result() == first
    assert pool.submit(os.getenv, "ENTERED_LATER").result() == "yes"
    loaded = pool.submit(eval, "set(__import__('sys').modules)").result()
assert loaded.issuperset(loads)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each worker loads the program itself")
def test_workers_are_copies_of_a_process_of_one_thread_with_the_environment_of_today_and_without_interruptions() -> None:
    done = subprocess.run([sys.executable, "-c", COPIES], capture_output=True, text=True, check=False, start_new_session=True)
    assert (done.returncode, done.stderr) == (0, "")
