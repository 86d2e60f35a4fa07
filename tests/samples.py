"""Third-party samples, which are no part of the repository: found where a machine has them; else a test skips and says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[2] / "shared" / "samples"


def samples_of(industry: str) -> Path:
    """Return the folder of an industry's samples: in the folder that BILLING_SAMPLES names, or beside the repository."""
    return Path(os.environ.get("BILLING_SAMPLES", _BESIDE)) / industry


def sample_of(industry: str, name: str) -> Path:
    """Return the path of a sample; skip the test, saying why, where it is not on this machine."""
    path = samples_of(industry) / name
    if not path.is_file():
        pytest.skip(f"the third-party sample {name} is not at {path.parent}; set BILLING_SAMPLES to the folder of samples")
    return path
