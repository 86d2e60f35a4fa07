"""The frame of the command line: nouns, shared options, errors as messages and exit codes; never a traceback."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import click
import pytest

from billing_framework.cli import main
from billing_framework.values.errors import (
    BillingError,
    ContractBroken,
    InputRefused,
    LedgerRefused,
    NotFound,
    Refused,
    StorageError,
)
from tests.cli.deployment import billing, told, use


def test_help_lists_every_noun_without_loading_them() -> None:
    code = "import sys; from billing_framework.cli.main import main\ntry: main()\nexcept SystemExit: print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, "--help"], capture_output=True, text=True, check=True, timeout=60)
    for noun in main.NOUNS:
        assert re.search(rf"^  {noun} ", done.stdout, re.MULTILINE)
    loaded = done.stdout.rsplit("[", 1)[1]
    assert "cli.usage" not in loaded
    assert "cli.run" not in loaded


@pytest.mark.parametrize("noun", main.NOUNS)
def test_every_noun_loads_and_helps_with_an_example(noun: str) -> None:
    assert "Example:\n" in told(billing(noun, "--help"))


def test_an_unknown_noun_or_verb_offers_the_nearest() -> None:
    assert "Did you mean 'usage'?" in told(billing("usag"), 2)
    assert "Did you mean 'intake'?" in told(billing("usage", "intakes"), 2)


def test_a_wrong_call_ends_with_2() -> None:
    assert "--nothing" in told(billing("usage", "batches", "--nothing"), 2)
    assert "FILE" in told(billing("usage", "intake"), 2)


def test_the_version() -> None:
    assert re.fullmatch(r"billing, version \d+\.\d+\.\d+\n", told(billing("--version")))


def cut_off_in_the_middle() -> StorageError:
    """Return what an interruption becomes where rolling back a statement that was cut off fails."""
    error = StorageError("STORAGE22", "another command is in progress")
    error.__cause__ = RuntimeError("rollback")
    error.__cause__.__context__ = KeyboardInterrupt()
    return error


REFUSED = InputRefused("USAGE11", "the line is too long", place="f.csv:2", remedy="Cut it")
ENDS: list[tuple[BaseException, int, str]] = [
    (REFUSED, 2, "error: f.csv:2: USAGE11 the line is too long. Cut it"),
    (NotFound("PLUGIN07", "no such format"), 2, "PLUGIN07"),
    (Refused("RUN01", "the run is posted"), 3, "RUN01"),
    (LedgerRefused("LEDGER04", "unbalanced"), 3, "LEDGER04"),
    (StorageError("STORAGE02", "no server"), 4, "STORAGE02"),
    (ContractBroken("PLUGIN04", "no reader"), 70, "PLUGIN04"),
    (click.exceptions.Exit(1), 1, ""),
    (click.Abort(), 130, "interrupted"),
    (KeyboardInterrupt(), 130, "interrupted"),
    (cut_off_in_the_middle(), 130, "interrupted"),
]


def raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    # The command is real; what it calls is made to end as any function of `run` may.
    monkeypatch.setattr("billing_framework.cli.plugin.installed_plugins", fail)


@pytest.mark.parametrize(("error", "code", "message"), ENDS, ids=lambda value: type(value).__name__)
def test_every_error_ends_with_its_documented_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException, code: int, message: str
) -> None:
    use(tmp_path, monkeypatch)
    raising(monkeypatch, error)
    assert message in told(billing("plugin", "list"), code)


def test_an_error_is_data_for_machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(tmp_path, monkeypatch)
    raising(monkeypatch, InputRefused("USAGE11", "too long", place="f.csv:2", remedy="Cut it"))
    result = billing("plugin", "list", "--json")
    assert json.loads(result.stderr) == {"error": {"code": "USAGE11", "what": "too long", "place": "f.csv:2", "remedy": "Cut it"}}


def test_a_fault_of_the_program_leaves_a_report_and_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(tmp_path, monkeypatch)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    raising(monkeypatch, KeyError("plate"))
    shown = told(billing("plugin", "list"), 70)
    assert "internal error: KeyError" in shown
    report = Path(shown.rsplit("with the file ", 1)[1].strip())
    assert "KeyError: 'plate'" in report.read_text(encoding="utf-8")
    assert report.parent == tmp_path
    assert "Traceback" in billing("plugin", "list", "--debug").stderr


def test_every_class_of_error_has_a_documented_code() -> None:
    classes: list[type[BillingError]] = [BillingError, *BillingError.__subclasses__()]
    codes = {cls.exit_code for cls in classes}
    text = re.sub(r"\s+", " ", told(billing("--help")))
    for code in codes | {0, 1, 130}:
        assert re.search(rf"\b{code} ", text.split("Exit codes:")[1]), code


def program(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "billing_framework.cli", *arguments]


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    command = f"{' '.join(program('usage', '--help'))} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("0", "")


def test_an_interrupt_ends_with_130(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(tmp_path, monkeypatch)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    subprocess.run(program("db", "upgrade"), check=True, cwd=tmp_path, env=environment, capture_output=True, timeout=120)
    fifo = tmp_path / "endless.csv"
    os.mkfifo(fifo)
    command = program("usage", "intake", str(fifo), "--format", "tickets")
    running = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that a shell started in the background inherit an ignored interrupt; a person at a terminal does not.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    with fifo.open("wb") as pipe:  # opens once the command has opened its end
        pipe.write(b"ticket,")
        pipe.flush()
        time.sleep(0.2)
        running.send_signal(signal.SIGINT)
        _, error = running.communicate(timeout=60)
    assert running.returncode == 130
    assert error.strip() == "interrupted; nothing of an unfinished action was stored"


def test_no_colour_where_it_is_not_wanted(tmp_path: Path) -> None:
    environment = {**os.environ, "NO_COLOR": "1"}
    done = subprocess.run(program("config", "check"), capture_output=True, check=False, cwd=tmp_path, env=environment, timeout=60)
    assert done.returncode == 2
    assert b"\x1b[" not in done.stderr
