"""The faulty plugin, whose rater never returns for the victim, and catches whatever it can."""

from __future__ import annotations

import contextlib
import time

from billing_framework import BillingGroup, Rating
from tests.run.faulty import faulty_plugin


def hang(_group: BillingGroup, _done: Rating) -> Rating:
    """Wait for ever."""
    while True:
        with contextlib.suppress(Exception):
            time.sleep(3600)


globals().update({name: hook for name, hook in vars(faulty_plugin(rating=hang)).items() if name.startswith("billing_")})
