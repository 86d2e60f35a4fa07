"""The product's side: from the file to the posted ledger by the public road, each step measured in a process of its own."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path

import sqlalchemy as sa

from benchmarks.measuring import Meter, Round, apart, in_turn
from benchmarks.workloads.offices import AS_OF, BOOK, CYCLE, PERIOD, Workload, opened
from billing_framework.run.cycle.approve import approve_run
from billing_framework.run.cycle.post import post_run
from billing_framework.run.cycle.start import RunRequest, start_run
from billing_framework.run.deployment import Deployment
from billing_framework.run.usage.intake import take_in
from billing_framework.run.work.work import Work

INTAKE = "intake"
RATE_TO_POST = ("rate", "approve", "post")
REQUEST = RunRequest(book=BOOK, cycle=CYCLE, period=PERIOD, as_of=AS_OF)


def product_round(
    workload: Workload,
    settings: Path,
    files: Sequence[Path],
    server: int,
    work: Work | None = None,
    *,
    each: Callable[..., Round] = apart,
) -> Round:
    """Bill a workload once and return what each step took; each is a process, as the commands of an officer are.

    Args:
        workload: the workload.
        settings: ``billing.toml`` of its office.
        files: its usage files.
        server: process id of the database server, 0 for SQLite.
        work: who drafts and posts, in what shards; one process where None.
        each: calls a function with arguments, by default in a fresh process.
    """
    steps = (INTAKE, *RATE_TO_POST) if workload.usage is not None else RATE_TO_POST
    return in_turn({step: each(product_step, step, workload, settings, files, server, work=work) for step in steps})


def product_step(
    step: str, workload: Workload, settings: Path, files: Sequence[Path], server: int, *, work: Work | None = None
) -> Round:
    """Take one step of a workload, to the closing of the database, and return what it took; see `product_round`."""
    meter, facts = Meter(server=server), {}
    with opened(settings) as deployment:
        warm(deployment)
        if step == INTAKE and workload.usage is not None:
            for file in files:
                with meter.step(step):
                    take_in(deployment, file, workload.usage.format, source=workload.usage.source)
                    if file == files[-1]:
                        deployment.close()
            return meter.done()
        with meter.step(step):
            if step == "rate":
                start_run(deployment, REQUEST, work=work)
            elif step == "approve":
                approved = approve_run(deployment)
                if approved.findings:
                    raise AssertionError(approved.findings[:5])
            else:
                posted = post_run(deployment, work=work)
                facts = {"documents": posted.posted, "digest": posted.run.digest}
            deployment.close()
        return meter.done(**facts, **(totals(deployment) if facts else {}))


def warm(deployment: Deployment) -> None:
    """Open a connection and import the large libraries, so that the first step does not pay for them."""
    for library in ("numpy", "polars"):
        importlib.import_module(library)
    with deployment.database.read() as connection:
        connection.execute(sa.text("SELECT 1"))


def totals(deployment: Deployment) -> dict[str, int]:
    """Return sums over the documents and the ledger, by which two ways of billing are compared to the cent."""
    sums = {
        "lines": "SELECT count(*) FROM document_line",
        "net": "SELECT sum(net) FROM document",
        "tax": "SELECT sum(tax) FROM document",
        "gross": "SELECT sum(gross) FROM document",
    }
    with deployment.database.read() as connection:
        return {name: int(connection.scalar(sa.text(query)) or 0) for name, query in sums.items()}
