"""Names workers, so that a lease tells who has it, and whether that process still lives on this machine."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

_STAT_STATE = 0
_STAT_STARTED = 19
"""Places in ``/proc/PID/stat`` after the command: the state of the process, and when it started in ticks since boot."""
_DEAD = ("Z", "X")
_PARTS = 5


def worker_name() -> str:
    """Return a new name for a worker in this process: machine, boot, process, its start, and a part of its own."""
    return "/".join([_machine(), _boot(), str(os.getpid()), _started(os.getpid()), uuid.uuid4().hex[:8]])


def is_gone(name: str) -> bool:
    """Return whether a worker surely lives no more: it was a process of this machine, and there is none like it now.

    Of other machines, and where the system does not tell, nothing is known; their leases end with time.
    """
    parts = name.split("/")
    if len(parts) != _PARTS or not parts[1] or parts[:2] != [_machine(), _boot()] or not parts[2].isdecimal():
        return False
    return _started(int(parts[2])) != parts[3]


def process_of(name: str) -> int:
    """Return the process of a worker of this machine, 0 where it is of another one."""
    parts = name.split("/")
    is_here = len(parts) == _PARTS and parts[:2] == [_machine(), _boot()] and parts[2].isdecimal()
    return int(parts[2]) if is_here else 0


def shown_worker(name: str) -> str:
    """Return a worker as people read it: machine and process."""
    parts = name.split("/")
    return f"{parts[0]} process {parts[2]}" if len(parts) == _PARTS else name


def _machine() -> str:
    return socket.gethostname().replace("/", "-")


def _boot() -> str:
    """Return what tells this start of the machine, and this container, from others of the same name; empty where unknown."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot[:8]}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:  # not Linux
        return ""


def _started(pid: int) -> str:
    """Return when a living process started, empty where there is none, or where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if fields[_STAT_STATE] in _DEAD else fields[_STAT_STARTED]
