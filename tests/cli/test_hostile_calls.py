"""Arguments, files and terminals that mean harm, or are merely strange."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from billing_framework.cli.printable import printable
from tests.cli.deployment import billing, told, use

TICKETS = b"ticket,card,entered,minutes\nT1,C1,2026-07-01T10:00,30\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sqlite_template: Path) -> Path:
    use(tmp_path, monkeypatch)
    shutil.copyfile(sqlite_template, tmp_path / "billing.sqlite3")
    told(billing("db", "upgrade"))
    return tmp_path


def started(folder: Path, *arguments: bytes | str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [os.fsencode(word) for word in (sys.executable, "-m", "billing_framework.cli", *arguments)]
    variables = {**os.environ, "PYTHONPATH": str(folder), **environment}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, check=False, timeout=120)


def test_an_argument_that_is_no_utf8_is_refused_by_its_number(folder: Path) -> None:
    done = started(folder, "usage", "list", b"M\xfcller")
    assert done.returncode == 2
    assert b"INPUT01 argument 3 is not UTF-8 text" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("file", "code", "reason"),
    [("a" * 5000, "INPUT02", "name too long"), ("", "USAGE12", "directory"), ("none.csv", "USAGE12", "No such file"),
     (".", "USAGE12", "directory"), ("/dev/zero", "USAGE12", "device")],
    ids=["long name", "empty", "missing", "folder", "device"],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_with_the_reason(file: str, code: str, reason: str) -> None:
    shown = told(billing("usage", "intake", file, "--format", "tickets"), 2)
    assert code in shown
    assert reason in shown


LONG = "9" * 20


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    "words",
    [
        ("usage", "write-off", LONG, "--reason", "x"), ("usage", "recycle", LONG), ("usage", "recycle", "--batch", LONG),
        ("usage", "correct", LONG, "a=b", "--reason", "x"), ("usage", "suspense", "--batch", LONG),
        ("usage", "coverage", "--batch", LONG), ("outbox", "list", "--limit", LONG), ("hold", "release", LONG, "--reason", "x"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_number_that_no_database_stores_is_a_wrong_call(words: tuple[str, ...]) -> None:
    assert f"{LONG} is not in the range" in told(billing(*words), 2)


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", ["²", "9" * 5_000, "-"])
def test_a_line_that_is_no_number_is_refused(line: str) -> None:
    assert "RUN17" in told(billing("explain", f"INV-1/{line}"), 2)


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize(("words", "code"), [("--version", 0), ("run show --json", 2)])
def test_a_closed_standard_stream_is_no_fault_of_the_program(folder: Path, words: str, closed: str, code: int) -> None:
    variables = {**os.environ, "PYTHONPATH": str(folder), "TMPDIR": str(folder)}
    command = f"{sys.executable} -m billing_framework.cli {words} {closed}"
    done = subprocess.run(command, shell=True, cwd=folder, env=variables, capture_output=True, check=False, timeout=120)  # noqa: S602
    assert done.returncode == code, done.stderr
    assert b"internal error" not in done.stderr
    assert not list(folder.glob("billing-crash-*"))


@pytest.mark.parametrize("words", ["run list --json", "run --help"])
def test_a_reader_who_has_seen_enough_ends_nothing_with_a_fault(folder: Path, words: str) -> None:
    variables = {**os.environ, "PYTHONPATH": str(folder), "TMPDIR": str(folder)}
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "billing_framework.cli", *words.split()]
    try:
        done = subprocess.run(
            command, cwd=folder, env=variables, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=120
        )
    finally:
        os.close(writing)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert not list(folder.glob("billing-crash-*"))


def test_records_may_come_through_a_named_pipe(folder: Path) -> None:
    pipe = folder / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(TICKETS,))
    writer.start()
    report = json.loads(billing("usage", "intake", "pipe", "--format", "tickets", "--json").stdout)
    writer.join()
    assert (report["totals"]["records"], report["totals"]["suspended"]) == (1, 1)


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_read_at_once_has_a_limit() -> None:
    for command in (("party", "import"), ("plan", "load"), ("tax", "load"), ("book", "load")):
        assert "INPUT03" in told(billing(*command, "/dev/zero"), 2)


@pytest.mark.parametrize("source", ["a\nb", "\u202e", "x" * 501, "\x1b[2J"])
def test_a_source_is_a_short_printable_name(folder: Path, source: str) -> None:
    (folder / "t.csv").write_bytes(TICKETS)
    assert "USAGE28" in told(billing("usage", "intake", "t.csv", "--format", "tickets", "--source", source), 2)


def test_names_in_files_do_not_command_the_terminal(folder: Path) -> None:
    (folder / "t.csv").write_bytes(TICKETS.replace(b"C1", "\x1b[2J\u202e".encode()))
    shown = told(billing("usage", "intake", "t.csv", "--format", "tickets"), 1)
    assert "\\x1b[2J\\u202e" in shown
    assert "\x1b" not in shown
    shown = told(billing("usage", "suspense"))
    assert "\x1b" not in shown


def test_printable_keeps_what_people_write() -> None:
    kept = "Żółć 東京 🙂\tcolumn\nline"
    assert printable(kept) == kept
    assert printable("a\r\nb\rc\x00\x9b") == "a\nb\\rc\\x00\\x9b"


def test_a_terminal_of_another_encoding_gets_escapes(folder: Path) -> None:
    (folder / "t.csv").write_bytes(TICKETS.replace(b"C1", "Zürich東".encode()))
    done = started(folder, "usage", "intake", "t.csv", "--format", "tickets", "--json", PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["value"] == "Zürich東"
    assert started(folder, "usage", "suspense", PYTHONIOENCODING="ascii").returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_for_the_output_is_told(folder: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "billing_framework.cli", "config", "schema"]
        variables = {**os.environ, "PYTHONPATH": str(folder)}
        done = subprocess.run(command, cwd=folder, env=variables, stdout=full, stderr=subprocess.PIPE, check=False, timeout=120)
    assert done.returncode == 74  # not that of a refusal: what a command has done by then is done
    assert b"OUTPUT01 the result cannot be written: No space left on device" in done.stderr
    assert b"Traceback" not in done.stderr
