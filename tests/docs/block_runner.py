"""Runs the fenced blocks of a page, in order, in a copy of the example deployment: what the documentation shows is what happens.

What a page can say:

* ```` ```sh ```` is run by ``sh -eu``; ``exit=3`` after the language says which exit code is meant to come.
* ```` ```console ```` holds commands after ``$ ``; the lines below a command must appear in its output in this order, and a line
  ``...`` stands for any lines.
* ```` ```toml ```` is parsed. One that begins with a comment naming a file (``# billing.toml``, ``# plans/home.toml``) is
  written there and checked by the command that checks such a file.
* ```` ```python ```` is run. One whose first line names a file of the repository must be that file.
* ``file=NAME`` after any language writes the block to that file of the deployment.
* ```` ```text ```` is shown and nothing else. Languages that are not in `LANGUAGES` are refused; nothing escapes by a typo.
* ``<!-- example: examples/NAME -->`` chooses the deployment, ``<!-- example: none -->`` an empty folder.
* ``<!-- after: docs/how_to/PAGE.md -->`` goes on where another page ends: its blocks are run before.
* ``<!-- server: postgresql -->`` says that the page needs a server: psql finds it, as its superuser, without further options.
* ``make`` lines are tried with ``make -n`` in the repository: the target must exist, but demo and tests do not run themselves.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[2]
LANGUAGES = {"sh", "console", "toml", "python", "text", "csv", "json", "html", "xml", "sql", "mermaid"}
DEFAULT_EXAMPLE = "examples/utility"
LONGEST_SECONDS = 300

_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=indent)(?P=ticks) *$", re.MULTILINE | re.DOTALL
)
_EXAMPLE = re.compile(r"<!-- example: (\S+) -->")
_SERVER = "<!-- server: postgresql -->"
_AFTER = re.compile(r"<!-- after: (\S+) -->")
_NAMED_BY_COMMENT = re.compile(r"# (?P<path>[\w./-]+\.(?:toml|py))\s*$")


class BlockFailed(AssertionError):
    """A block of a page does not do what the page says."""


@attrs.frozen(kw_only=True)
class Block:
    """One fenced block.

    Attributes:
        place: page and line, for messages.
        language: first word after the fence.
        options: ``name=value`` words after the language.
        text: its content, without the indentation of the fence.
    """

    place: str
    language: str
    options: dict[str, str]
    text: str

    @property
    def file(self) -> str:
        """Name of the file that the block is, or empty."""
        first_line = self.text.partition("\n")[0]
        named = _NAMED_BY_COMMENT.match(first_line)
        return self.options.get("file") or (named["path"] if named else "")


def blocks_of(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order."""
    text = page.read_text(encoding="utf-8")
    for fence in _FENCE.finditer(text):
        language, *words = fence["info"].split() or [""]
        yield Block(
            place=f"{page.name}:{text.count(chr(10), 0, fence.start()) + 1}",
            language=language,
            options=dict(word.partition("=")[::2] for word in words),
            text=textwrap.dedent(fence["body"]),
        )


def goes_on_from(page: Path) -> Path | None:
    """Return the page that a page goes on from, None where it starts by itself."""
    before = _AFTER.search(page.read_text(encoding="utf-8"))
    return ROOT / before[1] if before else None


def needs_server(page: Path) -> bool:
    """Return whether the blocks of a page need a PostgreSQL server."""
    return _SERVER in page.read_text(encoding="utf-8")


def run_page(
    page: Path, folder: Path, *, kept: Path, commands: Path | None = None, server: Mapping[str, str] | None = None
) -> int:
    """Run the blocks of `page` in a fresh deployment below `folder` and return how many were tried.

    Args:
        page: the page.
        folder: an empty folder.
        kept: a folder for what the pages before it leave behind; processes of one test run may share it.
        commands: a folder of commands to be found before those of this environment.
        server: environment variables by which the blocks reach a PostgreSQL server.

    Raises:
        BlockFailed: a block does something else than the page says; the message names it and shows what happened.
    """
    deployment = folder / "deployment"
    start = _start(page, kept, commands)
    if start is None:
        deployment.mkdir(parents=True)
    else:
        shutil.copytree(start, deployment, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    environment = _environment(folder, commands) | dict(server or {})
    return sum(_tried(block, deployment, environment) for block in blocks_of(page))


def _start(page: Path, kept: Path, commands: Path | None) -> Path | None:
    """Return the folder that a page starts from a copy of, None for an empty one."""
    if before := goes_on_from(page):
        return left_by(before, kept, commands)
    chosen = _EXAMPLE.search(page.read_text(encoding="utf-8"))
    name = chosen[1] if chosen else DEFAULT_EXAMPLE
    if (ROOT / name).is_dir():
        return ROOT / name
    if chosen and name != "none":
        raise BlockFailed(f"{page.name} names the example {name}, which does not exist")
    return None


def left_by(page: Path, kept: Path, commands: Path | None) -> Path:
    """Return the deployment that a page leaves behind; it is run once for all that ask, and not changed.

    Args:
        page: the page.
        kept: a folder for what pages leave behind; processes of one test run may share it.
        commands: a folder of commands to be found before those of this environment.

    Raises:
        BlockFailed: a block does something else than the page says.
    """
    folder = kept / page.stem
    done = kept / f"{page.stem}.done"
    with (kept / f"{page.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            run_page(page, folder, kept=kept, commands=commands)
            done.touch()
    return folder / "deployment"


def _environment(folder: Path, commands: Path | None) -> dict[str, str]:
    home, shims = folder / "home", folder / "bin"
    for made in (home, shims):
        made.mkdir(parents=True)
    make = shims / "make"
    make.write_text(f'#!/bin/sh\nPATH="${{PATH#*:}}"\nexec make -n -C "{ROOT}" "$@"\n')
    make.chmod(0o755)
    folders = [shims, *([commands] if commands else []), Path(sys.executable).parent, os.environ.get("PATH", os.defpath)]
    path = os.pathsep.join(map(str, folders))
    return {"PATH": path, "HOME": str(home), "LC_ALL": "C.UTF-8", "TZ": "UTC", "NO_COLOR": "1", "COLUMNS": "130"}


def _tried(block: Block, deployment: Path, environment: dict[str, str]) -> bool:
    if block.language not in LANGUAGES:
        raise BlockFailed(f"{block.place}: a block of language {block.language!r}; known are {', '.join(sorted(LANGUAGES))}")
    if block.file:
        return _file_tried(block, deployment, environment)
    if block.language == "sh":
        _expect(block, ["sh", "-eu", "-c", block.text], deployment, environment)
    elif block.language == "console":
        for command, expected in _dialogue(block):
            _compare(block, command, expected, _expect(block, ["sh", "-u", "-c", command], deployment, environment))
    elif block.language == "python":
        _expect(block, [sys.executable, "-c", block.text], deployment, environment)
    elif block.language == "toml":
        _parsed(block)
    else:
        return False
    return True


def _file_tried(block: Block, deployment: Path, environment: dict[str, str]) -> bool:
    in_repository = ROOT / block.file
    if block.language == "python" and in_repository.is_file():
        shown = block.text.removeprefix(f"# {block.file}\n").strip()
        if shown not in in_repository.read_text(encoding="utf-8"):
            raise BlockFailed(f"{block.place}: the block is not what stands in {block.file}")
        return True
    target = deployment / block.file
    if not target.resolve().is_relative_to(deployment.resolve()):
        raise BlockFailed(f"{block.place}: {block.file} lies outside of the deployment")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(block.text, encoding="utf-8")
    if block.language == "toml":
        content = _parsed(block)
        if target.name == "billing.toml":
            _expect(block, ["billing", "config", "check"], deployment, environment)
        elif "plan" in content or target.parent.name == "plans":
            _expect(block, ["billing", "plan", "check", block.file], deployment, environment)
    elif block.language == "python":
        compile(block.text, block.place, "exec")
    return True


def _parsed(block: Block) -> dict[str, object]:
    try:
        return tomllib.loads(block.text)
    except tomllib.TOMLDecodeError as error:
        raise BlockFailed(f"{block.place}: {error}") from error


def _expect(block: Block, command: list[str], folder: Path, environment: dict[str, str]) -> str:
    wanted = int(block.options.get("exit", "0"))
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != wanted:
        shown = f"{block.text}\n--- output\n{done.stdout}{done.stderr}"
        raise BlockFailed(f"{block.place}: exit code {done.returncode} instead of {wanted}\n{shown}")
    return done.stdout + done.stderr


def _dialogue(block: Block) -> Iterator[tuple[str, list[str]]]:
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, *rest = part.rstrip("\n").split("\n")
        while rest and (command.endswith("\\") or rest[0].startswith("> ")):
            command += "\n" + rest.pop(0).removeprefix("> ")
        yield command, rest


def _compare(block: Block, command: str, expected: list[str], output: str) -> None:
    lines = iter([" ".join(line.split()) for line in output.splitlines()])
    for line in expected:
        wanted = " ".join(line.split())
        if wanted not in ("", "...") and not any(wanted == shown for shown in lines):
            raise BlockFailed(f"{block.place}: $ {command}\ndoes not show the line\n  {line}\n--- but\n{output}")
