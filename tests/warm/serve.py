"""Serves warm processes of the installed script: ``serve.py SCRIPT SOCKET [cold]``, until its standard input ends.

It imports once what every command imports, and the plugins that are installed, bills a month of an example that it throws away,
and then forks one process per call. That process gets the caller's arguments, folder, environment, streams, file mode mask and
ignored signals, and runs the very file that pip installed as the script; it ends as an interpreter ends. Nothing is open at the
fork: databases, settings and hosts of plugins are each call's own. What that month leaves is what libraries remember of classes:
how one is read and written, which types a statement has. A cold server does none of this.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import importlib.metadata
import io
import json
import os
import pkgutil
import selectors
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterator
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import attrs
import click

from billing_framework.values.errors import BillingError

LONGEST_CALL = 1 << 20
STREAMS = ("stdin", "stdout", "stderr")
NEEDED_LATER = (
    "alembic.command",
    "alembic.runtime.migration",
    "alembic.script",
    "babel.dates",
    "babel.numbers",
    "email.utils",
    "psycopg",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite.pysqlite",
    "sqlalchemy.ext.compiler",
)
"""What the framework loads when a command comes to need it; none of it remembers anything of the process."""
EXAMPLE = Path(__file__).parents[2] / "examples" / "utility"
REHEARSED = (
    "db upgrade",
    "book load @book.toml",
    "tax load @taxes.toml",
    "plan load @plans/residential-flat.toml @plans/residential-gas.toml @plans/residential-time-of-use.toml",
    "period open HARBOUR 2026-07 --through 2026-08",
    "party import @parties.csv",
    "account import @accounts.csv",
    "agreement import @agreements.csv",
    "assignment import @assignments.csv",
    "usage intake @data/nem12_2026-07.csv --format nem12",
    "run start --period 2026-07 --as-of 2026-08-03",
    "run review",
    "run approve --reason rehearsed",
    "run post",
    "run report",
    "invoice show INV-2026-000001 --html @invoice.html",
    "explain INV-2026-000001/1",
    "payment open A-1001",
    "ledger verify",
    "audit list",
)
"""A month of the example; a word that begins with an at sign is a file of its folder."""
LEFT_OUT = {"billing_framework.testing", "billing_framework.storage.migrations"}


@attrs.frozen(kw_only=True)
class Call:
    """One call of the script.

    Attributes:
        arguments: without the name of the script.
        environment: all variables of the caller.
        umask: its file mode mask.
        ignored: numbers of the signals that it ignores.
        descriptors: its folder, standard input, output and error.
    """

    arguments: list[str]
    environment: dict[str, str]
    umask: int
    ignored: list[int]
    descriptors: list[int]


def warm() -> None:
    """Import what the commands import: to import a plugin takes half the time of a short command."""
    for name in (*modules("billing_framework"), *NEEDED_LATER):
        importlib.import_module(name)
    for plugin in importlib.metadata.entry_points(group="billing_framework"):
        plugin.load()
    importlib.import_module("billing_framework.values.codes").core_codes()  # part of the package, read once
    before = threads()
    rehearse()
    gc.collect()
    gc.freeze()
    if threading.active_count() != 1 or threads() != before:
        raise SystemExit("a process with threads is not forked")


def threads() -> int:
    """Return the number of threads, also of those that Python does not know."""
    return len(list(Path("/proc/self/task").iterdir()))


def rehearse() -> None:
    """Bill a month of an example in a copy that is thrown away."""
    cli = importlib.import_module("billing_framework.cli.main").cli
    with tempfile.TemporaryDirectory() as place, redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        folder = shutil.copytree(EXAMPLE, Path(place) / "rehearsed")
        for line in REHEARSED:
            words = [str(folder / word[1:]) if word.startswith("@") else word for word in line.split()]
            with contextlib.suppress(click.ClickException, BillingError):  # a test tells better what is wrong
                cli.main([*words, "--config", str(folder / "billing.toml")], standalone_mode=False)


def modules(package: str) -> Iterator[str]:
    """Yield the modules of a package and its packages, without programs and what only tests import."""
    path = importlib.import_module(package).__path__
    for module in pkgutil.iter_modules(path, f"{package}."):
        if module.name in LEFT_OUT or module.name.endswith(".__main__"):
            continue
        yield module.name
        if module.ispkg:
            yield from modules(module.name)


def received(connection: socket.socket) -> Call | None:
    """Read a call; None where the caller has gone."""
    data, descriptors, _, _ = socket.recv_fds(connection, LONGEST_CALL, 4)
    while data and not data.endswith(b"\n"):
        more = connection.recv(LONGEST_CALL)
        data = data + more if more else b""
    if not data:
        for descriptor in descriptors:
            os.close(descriptor)
        return None
    arguments, names, values, umask, ignored = json.loads(data)
    environment = dict(zip(names, values, strict=True))
    return Call(arguments=arguments, environment=environment, umask=umask, ignored=ignored, descriptors=list(descriptors))


def serve(listener: socket.socket) -> Call:
    """Fork for every call; return only in a forked process, with what it was called for."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    woken, waking = socket.socketpair()
    waking.setblocking(False)
    woken.setblocking(False)
    signal.set_wakeup_fd(waking.fileno(), warn_on_full_buffer=False)
    running: dict[int, socket.socket] = {}
    with selectors.DefaultSelector() as selector:
        for waited in (sys.stdin, listener, woken):
            selector.register(waited, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is sys.stdin:
                    _end_all(running)
                elif key.fileobj is woken:
                    _tell_ended(running, selector, woken)
                elif key.fileobj is listener:
                    connection, _ = listener.accept()
                    call = received(connection)
                    process = os.fork() if call else 0
                    if call and process == 0:
                        signal.set_wakeup_fd(-1)
                        for inherited in (listener, connection, woken, waking, *running.values()):
                            inherited.close()
                        return call
                    if not call:
                        connection.close()
                        continue
                    for descriptor in call.descriptors:
                        os.close(descriptor)
                    sys.stderr.write(f"{process}\n")
                    running[process] = connection
                    selector.register(connection, selectors.EVENT_READ, data=process)
                    with contextlib.suppress(OSError):
                        connection.sendall(b"%d\n" % process)
                elif key.data in running:  # the caller was killed
                    selector.unregister(key.fileobj)
                    os.kill(key.data, signal.SIGKILL)


def _tell_ended(running: dict[int, socket.socket], selector: selectors.BaseSelector, woken: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        woken.recv(4096)
    for process, connection in list(running.items()):
        ended, status = os.waitpid(process, os.WNOHANG)
        if ended:
            del running[process]
            with contextlib.suppress(KeyError, ValueError):
                selector.unregister(connection)
            with contextlib.suppress(OSError):
                connection.sendall(b"%d\n" % os.waitstatus_to_exitcode(status))
            connection.close()


def _end_all(running: dict[int, socket.socket]) -> None:
    for process in running:
        os.kill(process, signal.SIGKILL)
    os._exit(0)


def become(call: Call, script: Path) -> types.CodeType:
    """Make of this process the one that the caller would have started; return what it runs."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in call.ignored:
        signal.signal(number, signal.SIG_IGN)
    os.umask(call.umask)
    os.environ.clear()
    os.environ.update(call.environment)
    time.tzset()
    os.fchdir(call.descriptors[0])
    for number, name in enumerate(STREAMS):
        os.dup2(call.descriptors[number + 1], number)
        stream = _opened(number, getattr(sys, name))
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    for descriptor in call.descriptors:
        os.close(descriptor)
    sys.argv = [str(script), *call.arguments]
    sys.path[0] = str(script.parent)
    return compile(script.read_bytes(), str(script), "exec")


def _opened(number: int, before: TextIO) -> Any:
    mode, newline = ("w", "\n") if number else ("r", None)
    opened: Any = open(number, mode, encoding=before.encoding, errors=before.errors, newline=newline, closefd=False)  # noqa: SIM115
    opened.buffer.raw.name = before.name
    opened.reconfigure(line_buffering=number == 2 or os.isatty(number))
    return opened


@attrs.define
class Ending:
    """Ends a called process as the interpreter does, without taking a memory apart that is shared with the server.

    It is registered before anything else, so that it is the last to be called at the exit.
    """

    code: int | None = None

    def at_exit(self) -> None:
        """Flush what the interpreter flushes and end; the server itself ends without it."""
        if self.code is None:
            return
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                return  # how to tell that is the interpreter's own matter
        os._exit(self.code)

    def note(self, told: object) -> None:
        """Note what a program told when it left."""
        self.code = told if isinstance(told, int) else 0 if told is None else 1


def run(program: types.CodeType, path: Path, ending: Ending) -> None:
    """Run the script as the main module of this process."""
    main = types.ModuleType("__main__")
    main.__dict__.update(__file__=str(path), __builtins__=__builtins__)
    sys.modules["__main__"] = main
    ending.note(1)
    try:
        exec(program, main.__dict__)  # noqa: S102  the installed script, as the interpreter would run it
    except SystemExit as left:
        ending.note(left.code)
        raise
    ending.note(0)


if __name__ == "__main__":
    installed, place = Path(sys.argv[1]), sys.argv[2]
    last = Ending()
    atexit.register(last.at_exit)
    os.setpgid(0, 0)  # a key pressed on the terminal reaches the caller, who passes it on
    if sys.argv[3:] != ["cold"]:
        warm()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as open_door:
        open_door.bind(f"{place}.new")
        open_door.listen(64)
        Path(f"{place}.new").rename(place)
        called = serve(open_door)
    run(become(called, installed), installed, last)
