"""The files that are given to a command: opened with the reason told where they cannot be, and never read without an end."""

from __future__ import annotations

import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from billing_framework.values.errors import InputRefused

LARGEST_BYTES = 100_000_000
_SPOOLED_BYTES = 16 << 20


def read_input(file: Path) -> bytes:
    """Return the content of a file that is read at once: a plan, a list of accounts, a bank file. A pipe is read to its end.

    Raises:
        InputRefused: ``INPUT02`` where it cannot be read, ``INPUT03`` where it is larger than a hundred million bytes.
    """
    try:
        with file.open("rb") as raw:
            content = raw.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:  # the latter for a name with a zero byte
        raise InputRefused(
            "INPUT02",
            f"the file cannot be read: {_reason(error)}",
            place=str(file)[:200],
            remedy="Check its name and your rights",
        ) from error
    if len(content) > LARGEST_BYTES:
        what = f"the file is larger than {LARGEST_BYTES} bytes"
        raise InputRefused("INPUT03", what, place=str(file), remedy="Check that it is the right file, or split it")
    return content


@contextmanager
def opened_records(file: Path | BinaryIO, name: str) -> Iterator[BinaryIO]:
    """Open a file of records of any size, so that it can be read twice; what comes through a pipe is kept aside for that.

    Raises:
        InputRefused: ``USAGE12`` where it cannot be opened, or is a device.
    """
    if not isinstance(file, Path):
        with _kept_aside(file) as spool:
            yield spool
        return
    try:
        raw = file.open("rb")
        kind = stat.S_IFMT(file.stat().st_mode)
    except (OSError, ValueError) as error:
        what = f"the file cannot be opened: {_reason(error)}"
        raise InputRefused("USAGE12", what, place=name[:200], remedy="Check its name and your rights") from error
    with raw:
        if kind == stat.S_IFREG:
            yield raw
        elif kind == stat.S_IFIFO:
            with _kept_aside(raw) as spool:
                yield spool
        else:
            raise InputRefused(
                "USAGE12", "this is a device, not a file", place=name, remedy="Name a file, or - for standard input"
            )


@contextmanager
def _kept_aside(pipe: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.SpooledTemporaryFile(max_size=_SPOOLED_BYTES) as spool:
        shutil.copyfileobj(pipe, spool)
        spool.seek(0)
        yield cast("BinaryIO", spool)


def _reason(error: OSError | ValueError) -> str:
    return getattr(error, "strerror", None) or str(error)
