"""A warm process does what a started one does: the same words, streams, exit codes, signals, files."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.warm.start import LOCALE, installed_script, write_command

SETTINGS = '[deployment]\nname = "here"\ndatabase = "sqlite:///here.sqlite3"\ncurrency = "EUR"\nplugins = []\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "billing.toml").write_text(SETTINGS)
    return tmp_path


def variables(path: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LC_", "LANG"))}
    return {**kept, "LC_ALL": LOCALE, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", **more}


def both(warm: Path, folder: Path, line: str, **more: str) -> list[tuple[int, bytes, bytes]]:
    """Run a line of shell with the installed script and with the warm one."""
    return [ran(path, folder, line, **more) for path in (installed_script().parent, warm)]


def ran(path: Path, folder: Path, line: str, **more: str) -> tuple[int, bytes, bytes]:
    """Run a line of shell with the commands of a folder."""
    environment = variables(path, **more)
    done = subprocess.run(["sh", "-c", line], cwd=folder, env=environment, capture_output=True, check=False, timeout=120)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "calls"),
    [
        ("billing --version", 1),
        ("billing", 1),
        ("billing run --help", 1),
        ("billing -c none.toml config check", 1),
        ("billing config check --json", 1),
        ("billing audit list", 1),
        ("billing nothing", 1),
        ("billing --version | cat; billing nothing 2>&1 | cat", 2),
        ("cd /; billing config check", 1),
        ("billing --version > /dev/full", 1),
        ("printf 'code,name\n' | billing party import /dev/stdin --dry-run", 1),
        ("billing usage list \"$(printf 'M\\374ller')\"", 1),
        ("billing party show 'Zoë 𝄞 \"quoted\" \\ tab\t'", 1),
        ("env -u HOME COLUMNS=60 billing run --help", 1),
        ("billing --version <&-", 0),
        ("LC_ALL=C billing --version", 0),
    ],
)
def test_the_same_is_said_and_returned(warm_billing_path: Path, folder: Path, line: str, calls: int) -> None:
    before = served(warm_billing_path)
    started, warm = both(warm_billing_path, folder, line)
    assert warm == started
    assert served(warm_billing_path) - before == calls


def served(warm: Path) -> int:
    """Return how many calls the server has served."""
    return len((warm.parent / "log").read_text().splitlines())


def test_files_are_made_with_the_rights_and_in_the_folder_of_the_caller(warm_billing_path: Path, folder: Path) -> None:
    done = subprocess.run(
        ["sh", "-euc", "umask 077; mkdir in; cp billing.toml in; cd in; billing db upgrade"],
        cwd=folder, env=variables(warm_billing_path), capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    made = folder / "in" / "here.sqlite3"
    assert made.stat().st_mode & 0o777 == 0o600


def waiting(warm: Path, folder: Path, template: Path) -> subprocess.Popen[bytes]:
    """Start a command that waits for a writer of a pipe, and wait until it does."""
    os.mkfifo(folder / "pipe")
    environment = variables(warm)
    shutil.copyfile(template, folder / "here.sqlite3")
    started = subprocess.Popen(["billing", "party", "import", "pipe"], cwd=folder, env=environment, stderr=subprocess.PIPE)
    opened = os.open(folder / "pipe", os.O_WRONLY)  # returns when the command has opened the other end
    os.set_inheritable(opened, False)
    return started


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_does_the_same_to_the_command(
    sent: signal.Signals, warm_billing_path: Path, folder: Path, sqlite_template: Path
) -> None:
    ended = []
    for name, path in (("started", installed_script().parent), ("warm", warm_billing_path)):
        (folder / name).mkdir()
        (folder / name / "billing.toml").write_text(SETTINGS)
        with waiting(path, folder / name, sqlite_template) as running:
            running.send_signal(sent)
            _, told = running.communicate(timeout=60)
        ended.append((running.returncode, told))
    assert ended[0] == ended[1]
    assert ended[0][0] == {signal.SIGINT: 130, signal.SIGUSR1: -signal.SIGUSR1}.get(sent, ended[0][0])
    assert ended[0][0] != 0


def test_with_its_caller_killed_a_command_is_killed(warm_billing_path: Path, folder: Path, sqlite_template: Path) -> None:
    with waiting(warm_billing_path, folder, sqlite_template) as running:
        running.kill()
        running.communicate(timeout=60)  # standard error ends with the last process that holds it
    assert running.returncode == -signal.SIGKILL


def test_commands_run_at_the_same_time(warm_billing_path: Path, folder: Path) -> None:
    line = "for n in 1 2 3 4 5 6 7 8; do billing config check > said$n & done; wait; cat said*"
    assert ran(warm_billing_path, folder, line) == (0, b"billing.toml: nothing to correct\n" * 8, b"")


def test_what_the_interpreter_reads_when_it_starts_is_not_served(warm_billing_path: Path, folder: Path) -> None:
    (folder / "sitecustomize.py").write_text("print('started')")
    started, warm = both(warm_billing_path, folder, "billing --version", PYTHONPATH=str(folder))
    assert warm == started
    assert started[1].startswith(b"started\n")


def test_without_a_server_the_script_is_started(folder: Path) -> None:
    started, warm = both(write_command(folder), folder, "billing --version")
    assert warm == started
    assert started[0] == 0


def test_the_server_ends_with_the_one_that_started_it(folder: Path) -> None:
    program = (
        "import os, pathlib, sys\nfrom tests.warm.start import warm_billing\n"
        "with warm_billing(pathlib.Path(sys.argv[1]), cold=True): os.kill(os.getpid(), 9)"
    )
    (folder / "warm").mkdir()
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", program, str(folder / "warm")], cwd=root, check=False, timeout=120)
    command = folder / "warm" / "bin" / "billing"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and _listens(folder / "warm" / "door"):
        time.sleep(0.05)
    assert not _listens(folder / "warm" / "door")
    assert command.exists()


def _listens(door: Path) -> bool:
    return str(door) in Path("/proc/net/unix").read_text()
