"""The faulty plugin, whose columnar twin never returns."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from billing_framework import BillingGroup, Rating
from tests.run.faulty import faulty_plugin


def hang(_groups: Sequence[BillingGroup], ratings: list[Rating]) -> list[Rating]:
    """Count for ever."""
    for _ in itertools.count():
        pass
    return ratings


globals().update({name: hook for name, hook in vars(faulty_plugin(twin=hang)).items() if name.startswith("billing_")})
