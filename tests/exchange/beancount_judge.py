"""Beancount's own checker as the judge of an exported ledger; it is run as a program, and knows nothing of ours."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path


def judged(file: Path) -> tuple[int, str]:
    """Return the exit code of bean-check and all that it says; ``(0, "")`` for a file without fault."""
    judge = shutil.which("bean-check", path=str(Path(sys.executable).parent)) or shutil.which("bean-check")
    assert judge is not None, "bean-check is not there: install the extra test"
    done = subprocess.run([judge, "--no-cache", str(file)], capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout + done.stderr
