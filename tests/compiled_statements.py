"""Lets all databases of a test process share the statements that SQLAlchemy has compiled, as one long-lived process does.

Every test opens a database of its own. To compile the same statements for each of them costs a quarter of the time of such a
test; what a compiled statement does depends on its dialect and its tables only, and both stand in the key that it is found by.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.util import LRUCache

KEPT = 4_000


@contextmanager
def statements_shared() -> Iterator[None]:
    """Give engines of one kind one dialect and one cache of statements."""
    first: dict[str, sa.Engine] = {}
    real = sa.create_engine

    def create_engine(*words: Any, **options: Any) -> sa.Engine:
        engine: Any = real(*words, **options)
        known: Any = first.get(engine.dialect.name)
        if known is None or known.dialect.server_version_info is None:  # a database that was never reached tells nothing
            first[engine.dialect.name] = engine
            engine._compiled_cache = LRUCache(KEPT)  # noqa: SLF001  no option names a cache to share
        else:
            engine.dialect, engine._compiled_cache = known.dialect, known._compiled_cache  # noqa: SLF001
        made: sa.Engine = engine
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sa, "create_engine", create_engine)
        yield
