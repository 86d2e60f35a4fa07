"""Candidate price plans of rehearsals: kept with the run that tries them out, never loaded, and removed with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.rating.price_plan import PlanVersion
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.column_types import Digest, Key, Whole
from billing_framework.storage.guard import Guard, create_guards, never_emptied, not_replaced
from billing_framework.storage.master.loaded_text import as_loaded
from billing_framework.storage.master.plan_rows import stored_plan

metadata = sa.MetaData()

CANDIDATE = "RUN51 a candidate plan belongs to the rehearsal that it was given to, and never changes"

run_plan = sa.Table(
    "run_plan",
    metadata,
    sa.Column("run_id", Whole, nullable=False),
    sa.Column("code", Key, nullable=False),  # code of the plan; it stands for every version of this plan
    sa.Column("version", Key, nullable=False),
    sa.Column("file", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("sha256", Digest, nullable=False),
    sa.PrimaryKeyConstraint("run_id", "code"),
    sqlite_strict=True,
)


def guards() -> tuple[Guard, ...]:
    """Return the guards of the table."""
    kind = "COALESCE((SELECT kind FROM run WHERE id = {row}.run_id), 'rehearsal') <> 'rehearsal'"
    return (
        Guard(
            name="run_plan_rehearsed",
            table="run_plan",
            event="INSERT",
            message=CANDIDATE,
            refuse_when=kind.format(row="NEW"),
        ),
        not_replaced(run_plan, CANDIDATE),
        Guard(name="run_plan_fixed", table="run_plan", event="UPDATE", message=CANDIDATE, refuse_when="1 = 1"),
        *never_emptied(["run_plan"], CANDIDATE),
    )


def create_candidate_table(connection: Connection) -> None:
    """Create the table with its guards; part of a migration."""
    metadata.create_all(connection)
    create_guards(connection, guards())


@attrs.frozen(kw_only=True)
class CandidateFile:
    """A candidate as it was given.

    Attributes:
        plan: the plan version that the file holds.
        file: name of the file.
    """

    plan: PlanVersion
    file: str


def add_candidates(connection: Connection, run: Run, candidates: Sequence[CandidateFile]) -> None:
    """Keep the candidates of a rehearsal that is being started."""
    rows = [
        {
            "run_id": run.id,
            "code": one.plan.code,
            "version": one.plan.version,
            "file": one.file,
            "source": one.plan.source,
            "sha256": bytes.fromhex(one.plan.sha256),
        }
        for one in candidates
    ]
    if rows:
        connection.execute(run_plan.insert(), rows)


def candidate_digests(connection: Connection, run: Run) -> frozenset[str]:
    """Return the digests of a run's candidates as hex."""
    query = sa.select(run_plan.c.sha256).where(run_plan.c.run_id == run.id)
    return frozenset(row.sha256.hex() for row in connection.execute(query))


def load_candidates(connection: Connection, run: Run, params: Mapping[str, type]) -> tuple[PlanVersion, ...]:
    """Return the candidate plans of a run by code.

    Raises:
        StorageError: ``PLAN33`` where a text can no longer be read, ``STORAGE20`` where it was changed.
    """
    query = sa.select(run_plan).where(run_plan.c.run_id == run.id).order_by(run_plan.c.code)
    return tuple(
        stored_plan(name, as_loaded(row.source, row.sha256, f"the candidate {name}"), params)
        for row in connection.execute(query)
        if (name := f"{row.code}@{row.version}")
    )


def drop_candidates(connection: Connection, run: Run) -> None:
    """Remove the candidates of a rehearsal that is purged."""
    connection.execute(run_plan.delete().where(run_plan.c.run_id == run.id))
