"""What a rehearsal may do that no other run does: try out plans that are not in force, and bill again what is billed already."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

import attrs
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from billing_framework.rating.selection import LoadedPlan
from billing_framework.run.deployment import Deployment
from billing_framework.run.draft.load_input import Desk
from billing_framework.run.master.plans import model_params, read_plan_files
from billing_framework.storage.billing.candidate_rows import CandidateFile, load_candidates
from billing_framework.storage.billing.run_rows import HoldEvidence, Run
from billing_framework.storage.billing.tables import charge_key, document
from billing_framework.storage.many import one_of, rows_of
from billing_framework.storage.master.account_tables import account_id, agreement
from billing_framework.values.errors import InputRefused, Refused
from billing_framework.values.period import DateSpan
from billing_framework.values.spelling import did_you_mean

_ALWAYS = date(1900, 1, 1)


def read_candidates(deployment: Deployment, files: Sequence[tuple[str, bytes]]) -> tuple[CandidateFile, ...]:
    """Return the plans that a rehearsal is to try out, checked as if they were loaded.

    Args:
        deployment: the deployment.
        files: name and bytes of each file; one plan each.

    Raises:
        InputRefused: a file is no plan, with the first finding; ``RUN52`` where two files are versions of one plan.
        Refused: ``RUN59`` where no agreement is under one.
    """
    plans, findings = read_plan_files(deployment.host, files)
    for finding in findings:
        if finding.stops:
            more = f"; see all of them: billing plan check {finding.file}"
            raise InputRefused(finding.code, finding.what, place=finding.file, remedy=finding.remedy + more)
    codes = [plan.code for plan, _ in plans]
    if len(codes) != len(set(codes)):
        raise InputRefused(
            "RUN52",
            "two of the files are versions of one plan",
            remedy="A candidate stands for all versions of its plan; rehearse each by itself, and compare the two",
        )
    with deployment.database.read() as connection:
        used = set(connection.scalars(sa.select(agreement.c.plan).distinct()))
    for code in codes:
        if code not in used:
            raise Refused(
                "RUN59",
                f"no agreement is under the plan {code!r}, so trying it out would change nothing",
                remedy=did_you_mean(code, used) or "Give the candidate the code of the plan that it would replace",
            )
    return tuple(CandidateFile(plan=plan, file=file) for plan, file in plans)


def desk_of_run(connection: Connection, desk: Desk, run: Run) -> Desk:
    """Return the desk with the run's candidates in the place of all versions of their plans, whatever dates these say."""
    if run.is_final:
        return desk
    candidates = load_candidates(connection, run, model_params(desk.deployment.host))
    if not candidates:
        return desk
    codes = {plan.code for plan in candidates}
    tried = tuple(
        LoadedPlan(plan=attrs.evolve(plan, valid_from=_ALWAYS, valid_to=None, supersedes=""), loaded_at=run.known_at)
        for plan in candidates
    )
    return attrs.evolve(desk, plans=(*(one for one in desk.plans if one.plan.code not in codes), *tried))


def billed_before(connection: Connection, run: Run, accounts: Iterable[str]) -> dict[int, str]:
    """Return the standing invoices over the very dates that a rehearsal bills again: key to account; none for another run."""
    return {} if run.is_final else _standing(connection, accounts, run.period)


def _standing(connection: Connection, accounts: Iterable[str], period: DateSpan) -> dict[int, str]:
    columns = document.c
    names = {account_id(account): account for account in accounts}
    query = sa.select(columns.id, columns.account).where(
        columns.status == "issued",
        columns.kind == "invoice",
        columns.period_start == period.start,
        columns.period_end == period.end,
        sa.exists().where(charge_key.c.document_id == columns.id, charge_key.c.reversed_by.is_(None)),
    )
    return {row.id: row.account for row in rows_of(connection, names, lambda some: query.where(one_of(columns.account_id, some)))}


def in_order(holds: Mapping[str, HoldEvidence], again: Collection[str]) -> dict[str, HoldEvidence]:
    """Return the holds for the sake of order, without accounts whose period is only billed again to see what would come out."""
    return {account: hold for account, hold in holds.items() if account not in again}
