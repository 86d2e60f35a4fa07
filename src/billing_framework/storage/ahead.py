"""Lets a thread make what comes next while the caller works on what came before."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

_AHEAD = 1
"""Items that are made ahead of those that the caller has taken."""


@contextmanager
def ahead(items: Iterable[Item]) -> Iterator[Iterator[Item]]:
    """Let a thread make items ahead; what it raises is raised where the caller waits for the next one.

    Args:
        items: what is made one after the other, by code that shares nothing with the caller's.
    """
    ready: queue.Queue[tuple[Item] | BaseException | None] = queue.Queue(_AHEAD)
    stopped = threading.Event()

    def put(item: tuple[Item] | BaseException | None) -> None:
        while not stopped.is_set():
            try:
                return ready.put(item, timeout=1)
            except queue.Full:
                continue
        return None

    def make() -> None:
        try:
            for item in items:
                put((item,))
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised in the caller's thread
            put(error)

    def taken() -> Iterator[Item]:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item[0]

    thread = threading.Thread(target=make, name="making ahead", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        thread.join()
