"""Runs the demos of the examples as a new user runs them, each once for all tests of a run."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
DEMOS = sorted(path.parent.name for path in EXAMPLES.glob("*/demo.sh"))
LONGEST_SECONDS = 600


@attrs.frozen
class Demo:
    """A demo that has run.

    Attributes:
        name: name of the example.
        folder: the deployment that it left.
        exit_code: its exit code.
        said: what it printed.
        warned: what it printed as errors.
    """

    name: str
    folder: Path
    exit_code: int
    said: str
    warned: str


def run_demo(name: str, home: Path, folder: Path, commands: Path) -> Demo:
    """Run a demo with an empty home, and with the commands of a folder before those of this environment."""
    path = os.pathsep.join([str(commands), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", "USER": "tester"}
    command = ["sh", str(EXAMPLES / name / "demo.sh"), str(folder)]
    done = subprocess.run(
        command, cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS
    )
    return Demo(name, folder, done.returncode, done.stdout, done.stderr)


def demo_of(name: str, factory: pytest.TempPathFactory, commands: Path) -> Demo:
    """Return a demo that has run; the first worker that asks for it runs it, the others wait. Its folder must not be changed."""
    own = factory.getbasetemp()
    home = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / f"demo-{name}"
    home.mkdir(exist_ok=True)
    done = home / "done.json"
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            ran = run_demo(name, home, home / "demo", commands)
            done.write_text(json.dumps([ran.exit_code, ran.said, ran.warned]))
    code, said, warned = json.loads(done.read_text())
    return Demo(name, home / "demo", code, said, warned)
