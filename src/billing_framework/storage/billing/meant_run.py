"""Which run a command means: the one that is named, else the only one that it can act upon."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy.engine import Connection

from billing_framework.storage.billing.run_rows import Run, find_run, last_run, locked, runs_under_way
from billing_framework.values.errors import InputRefused, NotFound

RULE = (
    "Without RUN, the only run is meant that is under way and that this command can act upon. Where there are several, it names"
    " them and changes nothing; where there is none, the run that was started last is looked at."
)
"""The rule as the help of each command tells it."""

_NAMED = 8


def anything_goes(_: Run) -> bool:
    """Any run will do; for commands that only look."""
    return True


def meant_run(
    connection: Connection,
    code: str,
    can: Callable[[Run], bool] = anything_goes,
    *,
    final: bool = False,
    lock: bool = False,
    or_last: bool = True,
) -> Run:
    """Return the run of this code; where `code` is empty, the only run under way that the command can act upon.

    A run is under way until it is posted or cancelled, a rehearsal also only until its dates are run finally. Where none is left
    to act upon, the run that was started last is returned, of which the command then says that nothing is to do, or why not.

    Args:
        connection: a connection with an open transaction.
        code: code of the run, or its unmistakable end.
        can: whether the command has something to do on a run that is under way.
        final: True to pass over rehearsals where no code is given.
        or_last: False where the command would act even on a run that is over, so that it must be named.
        lock: True to hold the run's row until the transaction ends, so that two officers act one after the other.

    Raises:
        NotFound: ``RUN01`` where there is no run, or none of this code.
        InputRefused: ``RUN61`` where several are under way that could be meant.
    """
    if code:
        return find_run(connection, code, lock=lock)
    meant = [run for run in runs_under_way(connection) if (run.is_final or not final) and can(run)]
    if len(meant) > 1:
        raise InputRefused("RUN61", f"{len(meant)} runs could be meant", remedy=f"Name one of them: {_names(meant)}")
    last = meant[0] if meant else last_run(connection, final=final)
    if last is None or not (meant or or_last):
        what = "there is no run under way" if last else "there is no run yet"
        raise NotFound("RUN01", what, remedy="Start one: billing run start; or name one of billing run list")
    return locked(connection, last) if lock else last


def _names(found: Sequence[Run]) -> str:
    more = f" and {len(found) - _NAMED} more, see billing run list" if len(found) > _NAMED else ""
    return ", ".join(run.code for run in found[:_NAMED]) + more
