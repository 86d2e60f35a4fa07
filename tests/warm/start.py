"""Starts the server of warm processes and makes the command ``billing`` that calls it; see ``serve.py``."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
LOCALE = "C.UTF-8"
PATIENCE_SECONDS = 120


def installed_script() -> Path:
    """Return the script ``billing`` of this environment, as pip made it."""
    return Path(sys.executable).parent / "billing"


def write_command(folder: Path) -> Path:
    """Write the command that calls the server of `folder`, which need not be there; return the folder for PATH."""
    command = folder / "bin" / "billing"
    command.parent.mkdir()
    words = [sys.executable, "-IS", str(HERE / "call.py"), str(folder / "door"), str(installed_script()), LOCALE]
    command.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
    command.chmod(0o755)
    return command.parent


@contextmanager
def warm_billing(folder: Path, *, cold: bool = False) -> Iterator[Path]:
    """Yield a folder for PATH with a ``billing`` that does what the installed one does, without its time to start.

    Args:
        folder: an empty folder with a short path: the socket stands in it.
        cold: True loads nothing ahead, where it is not commands that matter.
    """
    commands, place = write_command(folder), folder / "door"
    environment = {"PATH": os.environ["PATH"], "LC_ALL": LOCALE, "TZ": "UTC", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, str(HERE / "serve.py"), str(installed_script()), str(place), *(["cold"] if cold else [])],
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    with server:
        try:
            _wait_until_open(server, place, folder / "log")
            yield commands
        finally:
            server.communicate()  # the end of its input ends it, also where this process is killed


def _wait_until_open(server: subprocess.Popen[bytes], place: Path, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not place.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"the server of warm processes does not start: {log.read_text()[-2000:]}")
        time.sleep(0.02)
