"""Goes on with a run that was cut off, whichever step it was in; what was saved before stands."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from billing_framework.run.cycle.post import post_run
from billing_framework.run.cycle.start import finish_drafting, make_pending
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.draft import DRAFTING
from billing_framework.run.review.let_pass import let_pass
from billing_framework.run.review.told import keep_told
from billing_framework.run.usage.unknown_kinds import refuse_unknown_kinds
from billing_framework.run.work.coordinate import Progress, expect_workers
from billing_framework.run.work.work import Work, work_of
from billing_framework.storage.billing.meant_run import meant_run
from billing_framework.storage.billing.run_counts import counts_by_state
from billing_framework.storage.billing.run_rows import Run
from billing_framework.storage.master.book_rows import load_book
from billing_framework.values.finding import Finding


@attrs.frozen(kw_only=True)
class ResumeReport:
    """What going on with a run did.

    Attributes:
        run: the run as it stands now.
        step: ``draft``, ``post``, or empty where nothing was left to do.
        drafted: number of accounts that were drafted now.
        posted: number of documents that were issued now.
        void: account to the reason why its document was issued as void.
        findings: what changes no result but should be known, such as a plugin that takes too long, or a measure without a price.
        counts: state of an account to the number of the run's accounts in it.
        was_ended: True where somebody cancelled the run while it was posted here.
        left: number of accounts that are then left to the next run.
    """

    run: Run
    step: str = ""
    drafted: int = 0
    posted: int = 0
    void: Mapping[str, str] = attrs.field(factory=dict)
    findings: tuple[Finding, ...] = ()
    counts: Mapping[str, int] = attrs.field(factory=dict)
    was_ended: bool = False
    left: int = 0


def resume_run(
    deployment: Deployment, code: str = "", *, work: Work | None = None, progress: Progress | None = None
) -> ResumeReport:
    """Draft what is left to draft in a run or has become stale, or post what is left to post.

    Args:
        deployment: the deployment.
        code: code of the run; the one that is meant where empty.
        work: by whom and in what shards it is worked on; by default as the settings say.
        progress: told how far the step has come.

    Raises:
        NotFound: there is no such run.
        ConfigurationError: ``USAGE34`` where usage of the period is of a plugin that is not enabled.
        Refused: what kept it from being finished; it can be resumed again.
    """
    work = work or work_of(deployment)
    with deployment.database.read() as connection:
        run = meant_run(connection, code, lambda run: run.is_open or run.state == "posting")
        if run.is_open:
            zone = load_book(connection, run.book).profile.zone
            refuse_unknown_kinds(connection, deployment.host, run.period, zone)
    if run.is_open:
        expect_workers(deployment, DRAFTING, work)
        make_pending(deployment, run)
        told: list[Finding] = []
        run, drafted = finish_drafting(deployment, run, attrs.evolve(work, tell=told.append), progress)
        keep_told(deployment, run, told)
        with deployment.database.read() as connection:
            counts = counts_by_state(connection, run)
            findings = (*let_pass(deployment, connection, run), *told)
        step = "draft" if drafted else ""
        return ResumeReport(run=run, step=step, drafted=drafted, findings=findings, counts=counts)
    if run.state == "posting":
        report = post_run(deployment, run.code, work=work, progress=progress)
        return ResumeReport(
            run=report.run,
            step="post",
            posted=report.posted,
            void=report.void,
            was_ended=report.was_ended,
            left=report.left,
        )
    return ResumeReport(run=run)
